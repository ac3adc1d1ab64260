"""Tells the library what it must know of a sync to keep the keys of rooms, and does its chores in between. It reads no message.

Rule 1: the library gets no event as it came. What strangers send (names that are numbers, keys that are none) ends its own
handling in the middle, with whatever came behind; so it gets members and encryption in a shape of our making, one at a time.
Rule 2: of what devices send each other it gets what is encrypted, and nothing else: requests and verifications that nobody
answers would be kept for ever.
"""

import asyncio
import logging
import random
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from nio import (
    AsyncClient,
    DeviceList,
    DeviceOneTimeKeyCount,
    ErrorResponse,
    LocalProtocolError,
    OlmEvent,
    RoomEncryptionEvent,
    RoomInfo,
    RoomMemberEvent,
    Rooms,
    SyncResponse,
    Timeline,
    ToDeviceEvent,
)

from adapters.matrix.ears.attending import MEMBER
from adapters.matrix.ears.synced import Event, RoomNews, Synced, content_of, is_user
from adapters.network.errors import NETWORK_ERRORS
from adapters.network.retry import Backoff
from bot.metrics import Metrics
from bot.ports.clock import Clock

log = logging.getLogger(__name__)

WITHHELD, ENCRYPTION = "m.room_key.withheld", "m.room.encryption"
MEMBERSHIPS = frozenset({"join", "invite", "leave", "ban"})
NOTED = 1000
"""How many sessions are remembered whose keys are kept from us."""

LONGEST = 64
MESSAGES = 20
"""How many messages to devices go in one go."""

REST = 60.0
"""Seconds that a chore may take."""

WAITS = Backoff(first=5.0, longest=600.0, patience=float("inf"))
"""Between tries of a chore."""

KEYS_REFUSED = (
    "The homeserver does not take the bot's keys, so new devices cannot write to it. Run `understudy matrix doctor`: it says "
    "why."
)


@dataclass(slots=True)
class Chore:
    """Something to be done between syncs: whether it is due, how it is done, and how often it failed in a row."""

    name: str
    is_due: Callable[[AsyncClient], bool]
    do: Callable[[AsyncClient], Awaitable[object]]
    failures: int = 0
    next_at: float = 0.0


@dataclass(slots=True)
class Keys:
    """Keeps the library informed. `learn` of each sync before its messages are read, and let it `tend` afterwards."""

    clock: Clock
    metrics: Metrics
    _withheld: OrderedDict[tuple[str, str], str] = field(default_factory=OrderedDict)
    _parts: int = 0
    _chores: tuple[Chore, ...] = field(init=False)
    _tending: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self._chores = (
            Chore("upload", lambda client: bool(client.should_upload_keys), lambda client: client.keys_upload()),
            Chore("query", lambda client: bool(client.should_query_keys), lambda client: client.keys_query()),
            Chore("claim", lambda client: bool(client.should_claim_keys), _claim),
            Chore("messages", lambda client: bool(client.outgoing_to_device_messages), _send),
        )

    @property
    def trouble(self) -> str:
        """What stands against the keys, as a sentence for the operator; empty while nothing does."""
        return KEYS_REFUSED if self._chores[0].failures else ""

    def withheld(self, room: str, session: str) -> str:
        """The code with which a sender said that it keeps a session's key from us; empty where it did not."""
        return self._withheld.get((room, session), "")

    async def learn(self, client: AsyncClient, news: Synced) -> bool:
        """Tell the library of a sync. Returns whether keys of rooms may have come. Never raises."""
        keys = [each for each in news.to_device if self._has_key(client, each)]
        for room, each in news.joined.items():
            await self._tell(client, room, {room: _info(each)}, DeviceList([], []), None)
        for room in (*news.left, *news.invited):
            client.rooms.pop(room, None)
            client.invalidate_outbound_session(room)
        await self._tell(client, "", {}, DeviceList(list(news.changed), list(news.departed)), news.one_time_keys)
        if client.olm is not None and news.one_time_keys == 0:
            # The library takes "none left" for "not said", and would never upload again.
            client.olm.uploaded_key_count = 0
        return bool(keys)

    async def tend(self, client: AsyncClient) -> None:
        """Do what is due now. What fails is done later. Never raises."""
        for chore in self._chores:
            if chore.next_at <= self.clock.ticks() and chore.is_due(client):
                await self._do(client, chore)

    def tend_soon(self, client: AsyncClient) -> None:
        """Do what is due, beside everything else: a homeserver that is asked for keys may itself ask many others."""
        if self._tending is None or self._tending.done():
            self._tending = asyncio.get_running_loop().create_task(self.tend(client), name="matrix keys")

    async def close(self) -> None:
        """Leave the rest undone."""
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.gather(self._tending, return_exceptions=True)
            self._tending = None

    async def _do(self, client: AsyncClient, chore: Chore) -> None:
        try:
            async with asyncio.timeout(REST):
                answer = await chore.do(client)
        except LocalProtocolError:
            # Somebody who sends did it meanwhile.
            return
        except NETWORK_ERRORS as error:
            answer = error
        except Exception as error:  # noqa: BLE001  whatever an answer led the library to: the rooms must go on
            answer = error
        if not isinstance(answer, ErrorResponse | Exception):
            chore.failures, chore.next_at = 0, 0.0
            return
        why = type(answer).__name__ if isinstance(answer, Exception) else str(answer.status_code)[:LONGEST]
        chore.failures += 1
        chore.next_at = self.clock.ticks() + (WAITS.wait(chore.failures, 0.0, random.random()) or 0.0)  # noqa: S311  no secret
        self.metrics.count("matrix_key_failures", chore.name)
        if chore.failures == 1:
            log.warning("keys of devices could not be tended to (%s: %s)", chore.name, why, extra={"action": "tend_keys"})

    def _has_key(self, client: AsyncClient, event: Event) -> bool:
        kind = event.get("type")
        if kind == WITHHELD:
            self._note(event)
        if kind != "m.room.encrypted" or client.olm is None:
            return False
        try:
            message = ToDeviceEvent.parse_event(dict(event))
            if not isinstance(message, OlmEvent):
                return False
            return client.olm.handle_to_device_event(message) is not None  # type: ignore[no-untyped-call]  # the library's
        except Exception as error:  # noqa: BLE001  anybody can send what the library cannot read
            self.metrics.count("matrix_bad_device_messages")
            log.info("a message to the device could not be read: %s", type(error).__name__, extra={"action": "ignore"})
            return False

    def _note(self, event: Event) -> None:
        content = content_of(event)
        room, session, code = content.get("room_id"), content.get("session_id"), content.get("code")
        if isinstance(room, str) and isinstance(session, str) and isinstance(code, str):
            self._withheld[room, session] = code[:LONGEST]
            while len(self._withheld) > NOTED:
                self._withheld.popitem(last=False)

    async def _tell(
        self, client: AsyncClient, about: str, joined: dict[str, RoomInfo], devices: DeviceList, keys: int | None
    ) -> None:
        # Each part has a mark of its own: the library passes over what has the mark of the part before.
        self._parts += 1
        part = SyncResponse(f"part {self._parts}", Rooms({}, joined, {}), DeviceOneTimeKeyCount(None, keys), devices, [], [])
        try:
            await client.receive_response(part)
        except Exception:
            log.exception("the library could not follow a room", extra={"action": "fail", "place": about})


def _info(news: RoomNews) -> RoomInfo:
    events = [told for each in (*news.state, *news.timeline) if (told := _told(each)) is not None]
    return RoomInfo(Timeline([], False, None), events, [], [])


def _told(event: Event) -> RoomMemberEvent | RoomEncryptionEvent | None:
    """A state event that the library needs, and no more of it than that."""
    kind, key, content = event.get("type"), event.get("state_key"), content_of(event)
    source: dict[str, Any] = {"event_id": "$", "sender": "", "origin_server_ts": 0, "type": kind, "state_key": key}
    if kind == ENCRYPTION and key == "":
        return RoomEncryptionEvent(source)
    membership = content.get("membership")
    if kind != MEMBER or not is_user(key) or membership not in MEMBERSHIPS:
        return None
    return RoomMemberEvent(source, str(key), str(membership), None, {"membership": membership})


async def _claim(client: AsyncClient) -> object:
    return await client.keys_claim(client.get_users_for_key_claiming())


async def _send(client: AsyncClient) -> object:
    """Messages one after another: the library would send all at once."""
    for message in tuple(client.outgoing_to_device_messages)[:MESSAGES]:
        answer = await client.to_device(message)
        if isinstance(answer, ErrorResponse):
            return answer
    return None
