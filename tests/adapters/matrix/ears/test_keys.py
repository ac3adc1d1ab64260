"""Chores of keys: done when they are due, put off when they fail, and never asked for without end."""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from nio import KeysQueryError, LocalProtocolError, RoomEncryptionEvent

from adapters.matrix.client import Client
from adapters.matrix.ears import keys as tending
from adapters.matrix.ears.keys import NOTED, Keys
from adapters.matrix.ears.synced import RoomNews, Synced
from bot.errors import Refused
from bot.metrics import Metrics
from tests.fakes.clock import FrozenClock

ROOM = "!room:matrix.test"


@dataclass(slots=True)
class Library:
    """As much of the library's client as chores need. `answers` says what each is answered with, or fails with."""

    due: set[str] = field(default_factory=set)
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    told: list[Any] = field(default_factory=list)
    rooms: dict[str, object] = field(default_factory=dict)
    stays_due: bool = False
    outgoing_to_device_messages: list[object] = field(default_factory=list)

    @property
    def should_upload_keys(self) -> bool:
        return "upload" in self.due

    @property
    def should_query_keys(self) -> bool:
        return "query" in self.due

    @property
    def should_claim_keys(self) -> bool:
        return "claim" in self.due

    def get_users_for_key_claiming(self) -> dict[str, list[str]]:
        return {}

    async def keys_upload(self) -> object:
        return await self._answer("upload")

    async def keys_query(self) -> object:
        return await self._answer("query")

    async def keys_claim(self, _: object) -> object:
        return await self._answer("claim")

    async def to_device(self, message: object) -> object:
        self.outgoing_to_device_messages.remove(message)
        return await self._answer("messages")

    async def receive_response(self, response: object) -> None:
        self.told.append(response)
        await asyncio.sleep(0)

    def note_own_keys(self, _: object) -> None:
        pass

    def invalidate_outbound_session(self, room: str) -> None:
        self.asked.append(f"invalidate {room}")

    async def _answer(self, name: str) -> object:
        await asyncio.sleep(0)
        self.asked.append(name)
        answer = self.answers.get(name)
        if isinstance(answer, Exception):
            raise answer
        if not self.stays_due:
            self.due.discard(name)
        return answer


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def keys(clock: FrozenClock) -> Keys:
    return Keys(clock, Metrics())


async def tended(keys: Keys, library: Library) -> list[str]:
    library.asked.clear()
    await keys.tend(cast("Client", library))
    return library.asked


async def test_what_is_due_is_done_and_what_is_not_is_not(keys: Keys) -> None:
    library = Library({"upload", "claim"}, outgoing_to_device_messages=[1, 2])
    assert await tended(keys, library) == ["upload", "claim", "messages", "messages"]
    assert await tended(keys, library) == []


@pytest.mark.parametrize("answer", [TimeoutError(), RuntimeError(), KeysQueryError("no", "M_UNKNOWN")])
async def test_what_fails_is_done_later_each_time_and_said_once(
    keys: Keys, clock: FrozenClock, caplog: pytest.LogCaptureFixture, answer: object
) -> None:
    library = Library({"query"}, {"query": answer})
    done = 0
    for _ in range(3600):
        library.due.add("query")
        done += len(await tended(keys, library))
        clock.move(1)
    assert 5 < done < 20
    assert len(caplog.records) == 1
    library.answers.clear()
    clock.move(tending.WAITS.longest)
    assert await tended(keys, library) == ["query"]


async def test_what_is_due_again_at_once_is_not_asked_for_without_end(keys: Keys, clock: FrozenClock) -> None:
    library = Library({"claim"}, stays_due=True)
    done = 0
    for _ in range(600):
        done += len(await tended(keys, library))
        clock.move(1)
    assert 10 < done <= 600 / tending.AGAIN + 1


async def test_keys_that_the_homeserver_does_not_take_are_the_operators_trouble(
    keys: Keys, clock: FrozenClock, caplog: pytest.LogCaptureFixture
) -> None:
    library = Library({"upload"}, {"upload": Refused("The key store is too old.")})
    await tended(keys, library)
    assert keys.trouble == "The key store is too old."
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    clock.move(1000)
    library.answers.clear()
    await tended(keys, library)
    assert not keys.trouble


async def test_what_somebody_else_did_meanwhile_is_no_failure(keys: Keys, caplog: pytest.LogCaptureFixture) -> None:
    await tended(keys, Library({"query"}, {"query": LocalProtocolError()}))
    assert not caplog.records


async def test_a_chore_that_hangs_is_given_up(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tending, "REST", 0.01)
    library = Library({"query"})

    async def hang() -> object:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(Library, "keys_query", lambda _: hang())
    await tended(keys, library)
    assert keys.metrics.counts["matrix_key_failures", "query"] == 1


def withheld(number: int, code: object = "m.unverified") -> dict[str, Any]:
    return {"type": "m.room_key.withheld", "content": {"room_id": ROOM, "session_id": f"s{number}", "code": code}}


async def test_why_keys_are_withheld_is_remembered_for_the_newest(keys: Keys) -> None:
    library = Library()
    messages = tuple(withheld(number) for number in range(NOTED + 1))
    await keys.learn(cast("Client", library), Synced("s1", to_device=messages))
    assert keys.withheld(ROOM, f"s{NOTED}") == "m.unverified"
    assert not keys.withheld(ROOM, "s0")
    assert not library.told[0].to_device_events


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": "m.room.encrypted"},
        {"type": "m.room.encrypted", "content": {"algorithm": "m.olm.v1.curve25519-aes-sha2"}, "sender": 5},
        {"type": "m.room_key_request", "sender": "@a:b", "content": {"action": "request"}},
        {"type": "m.key.verification.start", "sender": "@a:b", "content": {"method": "m.sas.v1"}},
        {"type": "m.room_key.withheld", "content": {"room_id": [], "session_id": {}, "code": 5}},
        {"type": ["m.room.encrypted"], "content": 5},
    ],
)
async def test_of_what_strangers_send_to_the_device_nothing_odd_reaches_the_library(
    keys: Keys, message: dict[str, Any]
) -> None:
    library = Library()
    assert not await keys.learn(cast("Client", library), Synced("s1", to_device=(message,)))
    assert not library.told[0].to_device_events


@pytest.mark.parametrize(
    "event",
    [
        {"type": ["m.room.member"], "state_key": "@a:b", "content": {"membership": "join"}},
        {"type": "m.room.member", "state_key": "@a:b", "content": {"membership": ["join"]}},
        {"type": "m.room.member", "state_key": 5, "content": {"membership": "join"}},
        {"type": "m.room.member", "state_key": "@a:b", "content": 5},
        {"type": "m.room.encryption", "state_key": "odd", "content": {}},
    ],
)
async def test_of_state_that_is_odd_nothing_reaches_the_library(keys: Keys, event: dict[str, Any]) -> None:
    library = Library()
    await keys.learn(cast("Client", library), Synced("s1", joined={ROOM: RoomNews((event,), (event,))}))
    assert not library.told[0].rooms.join[ROOM].state


async def test_the_library_learns_who_is_in_a_room_and_that_it_is_encrypted_and_nothing_else_of_them(keys: Keys) -> None:
    member = {"type": "m.room.member", "state_key": "@a:b", "content": {"membership": "join", "displayname": ["odd"]}}
    encryption = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": 5}}
    library = Library()
    await keys.learn(cast("Client", library), Synced("s1", joined={ROOM: RoomNews((member,), (encryption,))}))
    first, second = library.told[0].rooms.join[ROOM].state
    assert (first.state_key, first.membership, first.content) == ("@a:b", "join", {"membership": "join"})
    assert isinstance(second, RoomEncryptionEvent)


async def test_the_library_forgets_rooms_that_were_left_and_their_keys(keys: Keys) -> None:
    library = Library(rooms={ROOM: object()})
    await keys.learn(cast("Client", library), Synced("s1", invited={ROOM: ()}))
    assert not library.rooms
    assert library.asked == [f"invalidate {ROOM}"]
