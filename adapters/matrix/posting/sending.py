"""The one way out of the account: events in the order in which they were asked for, each once, at the homeserver's pace.

Rule 1: each event has a transaction id that follows from its key, and bears it. By the id the homeserver shows it once, for
about a day and for this device; by the mark it is found after that, and by any other device.
Rule 2: nobody waits in here for the pace: who comes too early is told when to come back, and keeps their turn.
Rule 3: nothing goes in clear into a room that was ever encrypted, but reactions and redactions: Matrix does not encrypt them.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from nio import AsyncClient

from adapters.matrix.errors import FORBIDDEN, NOT_FOUND, PATIENCE, REST, SOON, Attempt, code_of, was_limited
from adapters.matrix.line import Line
from adapters.matrix.posting.asking import Content, ask, still, text_in
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
MESSAGE = "m.room.message"

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
        self._sealing = Sealing(self.line, self.clock)

    def remember(self, transaction: str, event: str) -> None:
        """The event of this transaction is known: it is not sent again."""
        self._sent[transaction] = event
        while len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)

    async def send(self, place: Place, kind: str, content: Content, *key: str, is_sign: bool = False) -> str:
        """Send an event to a place's room, once for each key; its id. What `is_sign` goes only where there is room to spare."""
        transaction, room = transaction_of(place, *key), room_of(place)
        marked = {**content, KEY: transaction}

        async def bring(client: AsyncClient) -> str:
            wire_kind, wire = await self._clothed(client, room, kind, marked)
            attempt = Attempt(act=ACTS.get(kind, POST))
            answer = await ask(
                still(self.line, client), attempt, "PUT", "rooms", room, "send", wire_kind, transaction, body=wire
            )
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

    def is_encrypted(self, room: str) -> bool:
        """Whether a room is encrypted, or ever was. Raises ChannelGone where the bot is not in it."""
        known = self.line.client.rooms.get(room)
        return self.rooms.of(room).is_encrypted or (known is not None and bool(known.encrypted))

    def known(self, place: Place, *key: str) -> str | None:
        """The event that was sent under a key, if this is remembered."""
        return self._sent.get(transaction_of(place, *key))

    def seconds_to_spare(self) -> float:
        """Seconds until the pace may have room for a sign; 0 when it has."""
        return self.pace.seconds_to_spare(self.clock.ticks())

    async def _in_turn(
        self, place: Place, transaction: str, kind: str, bring: Callable[[AsyncClient], Awaitable[str]], *, is_sign: bool
    ) -> str:
        """The event of a transaction, brought when its turn has come."""
        async with self._lock:
            if (known := self._sent.get(transaction)) is not None:
                return known
            client = self.line.client  # before its first sync no room is known, and none is gone
            room = self.rooms.of(room_of(place))
            self._admit(place, is_sign=is_sign)
            try:
                event = await bring(client)
            except TryLater as patience:
                self._note(place, patience)
                raise
            except PostRefused as refused:
                if code_of(refused) not in {FORBIDDEN, NOT_FOUND}:
                    raise
                raise await _why(client, room, kind, refused) from refused
            self.pace.sent(self.clock.ticks())
            self.turns.served(place)
            self.remember(transaction, event)
            return event

    def _admit(self, place: Place, *, is_sign: bool) -> None:
        """Raise TryLater where there is no room yet, or others have waited longer."""
        now = self.clock.ticks()
        if is_sign:
            ahead = self.turns.ahead_of(place, now)
            wait = max(self.pace.seconds_to_spare(now), self.pace.seconds_to_wait(now, ahead))
        else:
            wait = self.pace.seconds_to_wait(now, self.turns.ahead_of(place, now))
        if wait > 0:
            if not is_sign:
                self.turns.waits(place, now + wait)
            raise TryLater(wait)

    def _note(self, place: Place, patience: TryLater) -> None:
        """Learn from a refusal how fast the homeserver lets this account post."""
        if was_limited(patience):
            now = self.clock.ticks()
            self.pace.refused(now, patience.seconds)
            self.turns.waits(place, now + patience.seconds)

    async def _clothed(self, client: AsyncClient, room: str, kind: str, content: Content) -> tuple[str, Content]:
        """The event as it goes over the wire: encrypted, wherever the room ever was."""
        if kind == REACTION or not self.is_encrypted(room):
            return kind, content
        try:
            async with asyncio.timeout(PATIENCE):
                await self._sealing.prepare(client, room)
        except TimeoutError as slow:
            raise TryLater(SOON) from slow
        except PostRefused as refused:
            # That something on the way to the post was refused does not make the post one that cannot be sent.
            if code_of(refused) in {"", FORBIDDEN}:
                raise
            raise TryLater(REST) from refused
        except TryLater as patience:
            raise TryLater(patience.seconds) from None  # a limit of what is asked about keys is none of posts
        return ENCRYPTED, sealed(client, room, kind, content)


async def _why(client: AsyncClient, room: Room, kind: str, refused: PostRefused) -> CourierError:
    """Why the homeserver forbids it: the bot is there no longer, or has too little power."""
    try:
        path = ("rooms", room.id, "state", "m.room.member", client.user_id)
        is_there = (await ask(client, MEMBERSHIP, "GET", *path)).get("membership") == "join"
    except PostRefused:
        is_there = False
    if not is_there:
        return ChannelGone(OUT)
    own, needed = room.level_of(client.user_id), room.needs(ENCRYPTED if room.is_encrypted and kind == MESSAGE else kind)
    if code_of(refused) != FORBIDDEN or own >= needed:
        return refused
    return PostRefused(
        f"I cannot {ACTS.get(kind, POST)} here: that takes power level {needed:g}, and mine is {own:g};"
        " ask an administrator of the room to raise it."
    )
