"""Tells the library what it must know of a sync to keep the keys of rooms, and does its chores in between. It reads no message.

Rule 1: the library gets no event as it came. What strangers send (names that are numbers, keys that are none) ends its own
handling in the middle, with whatever came behind; so it gets members and encryption in a shape of our making.
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

from adapters.matrix.client import Client
from adapters.matrix.ears.attending import MEMBER
from adapters.matrix.ears.synced import Event, RoomNews, Synced, content_of, is_user, text_in
from adapters.network.errors import NETWORK_ERRORS
from adapters.network.retry import Backoff
from bot.errors import Refused
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

AGAIN = 30.0
"""Seconds before a chore is done again that was done and is due all the same."""

WAITS = Backoff(first=5.0, longest=600.0, patience=float("inf"))
"""Between tries of a chore."""


@dataclass(slots=True)
class Chore:
    """Something to be done between syncs: when, and how. `trouble` is what only the operator can mend, as a sentence."""

    name: str
    is_due: Callable[[Client], bool]
    do: Callable[[Client], Awaitable[object]]
    failures: int = 0
    next_at: float = 0.0
    trouble: str = ""


@dataclass(slots=True)
class Keys:
    """Keeps the library informed. `learn` of each sync before its messages are read, and let it `tend` afterwards."""

    clock: Clock
    metrics: Metrics
    _withheld: OrderedDict[tuple[str, str], str] = field(default_factory=OrderedDict)
    _told: int = 0
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
        return next((chore.trouble for chore in self._chores if chore.trouble), "")

    def withheld(self, room: str, session: str) -> str:
        """The code with which a sender said that it keeps a session's key from us; empty where it did not."""
        return self._withheld.get((room, session), "")

    async def learn(self, client: Client, news: Synced) -> bool:
        """Tell the library of a sync. Returns whether keys of rooms may have come. Never raises."""
        for room in (*news.left, *news.invited):
            client.rooms.pop(room, None)
            client.invalidate_outbound_session(room)
        client.note_own_keys(news.own_keys)
        # The library passes over what has the mark of the sync before, even where this one is the first to be told whole.
        self._told += 1
        told = SyncResponse(
            f"{self._told}",
            Rooms({}, {room: _info(each) for room, each in news.joined.items()}, {}),
            DeviceOneTimeKeyCount(None, news.one_time_keys),
            DeviceList(list(news.changed), list(news.departed)),
            [message for each in news.to_device if (message := self._message(each)) is not None],
            [],
        )
        try:
            # In one step: what it changes in the key store is there as a whole, or not at all.
            await client.receive_response(told)
        except Exception:
            self.metrics.count("matrix_defects")
            log.exception("the library could not follow a sync", extra={"action": "fail"})
        return any(not isinstance(each, OlmEvent) for each in told.to_device_events)

    async def tend(self, client: Client) -> None:
        """Do what is due now. What fails is done later. Never raises."""
        for chore in self._chores:
            if chore.next_at <= self.clock.ticks() and chore.is_due(client):
                await self._do(client, chore)

    def tend_soon(self, client: Client) -> None:
        """Do what is due, beside everything else: a homeserver that is asked for keys may itself ask many others."""
        if self._tending is None or self._tending.done():
            self._tending = asyncio.get_running_loop().create_task(self.tend(client), name="matrix keys")

    async def close(self) -> None:
        """Leave the rest undone."""
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.gather(self._tending, return_exceptions=True)
            self._tending = None

    async def _do(self, client: Client, chore: Chore) -> None:
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
            # What is due again at once did not do what it should: a device without keys, a homeserver that is away.
            rest = AGAIN if chore.is_due(client) else 0.0
            chore.failures, chore.next_at, chore.trouble = 0, self.clock.ticks() + rest, ""
            return
        self._put_off(chore, answer)

    def _put_off(self, chore: Chore, answer: ErrorResponse | Exception) -> None:
        why = type(answer).__name__ if isinstance(answer, Exception) else str(answer.status_code)[:LONGEST]
        chore.failures += 1
        chore.next_at = self.clock.ticks() + (WAITS.wait(chore.failures, 0.0, random.random()) or 0.0)  # noqa: S311  no secret
        self.metrics.count("matrix_key_failures", chore.name)
        if isinstance(answer, Refused) and chore.trouble != str(answer):
            chore.trouble = str(answer)
            log.error("%s", answer, extra={"action": "tend_keys"})
        elif chore.failures == 1:
            log.warning("keys of devices could not be tended to (%s: %s)", chore.name, why, extra={"action": "tend_keys"})

    def _message(self, event: Event) -> ToDeviceEvent | None:
        """What a device sent to ours, if the library has to read it."""
        kind = text_in(event, "type")
        if kind == WITHHELD:
            self._note(event)
        if kind != "m.room.encrypted":
            return None
        try:
            message = ToDeviceEvent.parse_event(dict(event))
        except Exception:  # noqa: BLE001  anybody can send what the library cannot read
            return None
        return message if isinstance(message, OlmEvent) else None

    def _note(self, event: Event) -> None:
        content = content_of(event)
        room, session, code = content.get("room_id"), content.get("session_id"), content.get("code")
        if isinstance(room, str) and isinstance(session, str) and isinstance(code, str):
            self._withheld[room, session] = code[:LONGEST]
            while len(self._withheld) > NOTED:
                self._withheld.popitem(last=False)


def _info(news: RoomNews) -> RoomInfo:
    events = [told for each in (*news.state, *news.timeline) if (told := _told(each)) is not None]
    return RoomInfo(Timeline([], False, None), events, [], [])


def _told(event: Event) -> RoomMemberEvent | RoomEncryptionEvent | None:
    """A state event that the library needs, and no more of it than that."""
    kind, key, membership = text_in(event, "type"), event.get("state_key"), text_in(content_of(event), "membership")
    source: dict[str, Any] = {"event_id": "$", "sender": "", "origin_server_ts": 0, "type": kind, "state_key": key}
    if kind == ENCRYPTION and key == "":
        return RoomEncryptionEvent(source)
    if kind != MEMBER or not is_user(key) or membership not in MEMBERSHIPS:
        return None
    return RoomMemberEvent(source, str(key), membership, None, {"membership": membership})


async def _claim(client: Client) -> object:
    return await client.keys_claim(client.get_users_for_key_claiming())


async def _send(client: Client) -> object:
    """Messages one after another: the library would send all at once."""
    failed = None
    for message in tuple(client.outgoing_to_device_messages)[:MESSAGES]:
        answer = await client.to_device(message)
        failed = answer if isinstance(answer, ErrorResponse) else failed
    return failed
