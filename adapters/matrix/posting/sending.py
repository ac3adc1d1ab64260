"""The one way out of the account: events in the order in which they were asked for, each once, at the homeserver's pace.

Rule 1: each event has a transaction id that follows from its key, and bears it: the homeserver shows it once for about a day and
for this device; after that, and for any other device, it is found by it.
Rule 2: nobody waits in here for the pace: who comes too early is told when to come back, and keeps their turn.
Rule 3: nothing goes in clear into a room that was ever encrypted, but for reactions and redactions, which Matrix does not encrypt.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from nio import AsyncClient

from adapters.matrix.errors import FORBIDDEN, NOT_FOUND, PATIENCE, REST, SOON, Attempt, code_of, said_by
from adapters.matrix.line import Line
from adapters.matrix.posting.asking import Content, ask, text_in
from adapters.matrix.posting.looking import Looking
from adapters.matrix.posting.pace import Pace, Turns
from adapters.matrix.posting.sealing import ENCRYPTED, OURS, Sealing, sealed
from adapters.matrix.rooms import Room, Rooms
from adapters.matrix.words import room_of
from bot.errors import ChannelGone, CourierError, PostRefused, TryLater
from bot.ids import Place
from bot.ports.clock import Clock

KEY = f"{OURS}key"
"""Where an event bears its transaction id."""

REMEMBERED = 1000
REDACTION = "m.room.redaction"
REACTION = "m.reaction"

ACTS = {REDACTION: "take a message away", REACTION: "react to a message"}
POST = "post"

MEMBERSHIP = Attempt(act="find out whether I am here", changes=False)
OUT = "I am not in this room any more; invite me again."


def transaction_of(place: Place, *key: str) -> str:
    """The transaction id of what is done under a key in a place: the same words are the same event."""
    return hashlib.sha256("\n".join([place.channel, *key]).encode()).hexdigest()[:32]


@dataclass(slots=True)
class Sending:
    """Sends what the account says. All methods raise the errors of a courier."""

    line: Line
    rooms: Rooms
    clock: Clock
    pace: Pace = field(default_factory=Pace)
    turns: Turns = field(default_factory=Turns)
    looking: Looking = field(init=False)
    _sealing: Sealing = field(init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _sent: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        self.looking = Looking(self.line)
        self._sealing = Sealing(self.clock)

    def remember(self, transaction: str, event: str) -> None:
        """The event of this transaction is known: it is not sent again."""
        self._sent[transaction] = event
        while len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)

    async def send(self, place: Place, kind: str, content: Content, *key: str, is_sign: bool = False) -> str:
        """Send an event to a place's room; its id. Once for each key. What `is_sign` goes only where the pace has room to spare."""
        transaction, room = transaction_of(place, *key), room_of(place)
        marked = {**content, KEY: transaction}

        async def bring(client: AsyncClient) -> str:
            wire_kind, wire = await self._clothed(client, room, kind, marked)
            attempt = Attempt(act=ACTS.get(kind, POST))
            answer = await ask(client, attempt, "PUT", "rooms", room, "send", wire_kind, transaction, body=wire)
            return text_in(answer, "event_id", attempt)

        return await self._in_turn(place, transaction, kind, bring, is_sign=is_sign)

    async def redact(self, place: Place, event: str, *key: str, is_sign: bool = False) -> None:
        """Take an event away. One that is gone already is no error."""
        transaction, room = transaction_of(place, "redact", event, *key), room_of(place)

        async def bring(client: AsyncClient) -> str:
            attempt = Attempt(act=ACTS[REDACTION])
            answer = await ask(client, attempt, "PUT", "rooms", room, "redact", event, transaction, body={})
            return text_in(answer, "event_id", attempt)

        try:
            await self._in_turn(place, transaction, REDACTION, bring, is_sign=is_sign)
        except PostRefused:
            if await self.looking.standing(room, event) is not None:
                raise

    def seconds_to_spare(self) -> float:
        """Seconds until the pace may have room for a sign; 0 when it has."""
        return self.pace.seconds_to_spare(self.clock.ticks())

    async def _in_turn(
        self, place: Place, transaction: str, kind: str, bring: Callable[[AsyncClient], Awaitable[str]], *, is_sign: bool
    ) -> str:
        async with self._lock:
            if (known := self._sent.get(transaction)) is not None:
                return known
            room, client = self.rooms.of(room_of(place)), self.line.client
            self._admit(place, is_sign=is_sign)
            try:
                event = await bring(client)
            except TryLater as patience:
                if patience.__cause__ is not None and code_of(patience) == LIMITED:
                    self.pace.refused(self.clock.ticks(), patience.seconds)
                    self.turns.waits(place, self.clock.ticks() + patience.seconds)
                raise
            except PostRefused as refused:
                if code_of(refused) not in {FORBIDDEN, NOT_FOUND}:
                    raise
                raise await self._why(client, room, kind, refused) from refused
            self.pace.sent(self.clock.ticks())
            self.turns.served(place)
            self.remember(transaction, event)
            return event
