"""Deals with what came from a room, in its order: tells the listener, and lets go of what is done.

Rule 1: an encrypted event without its key holds its room up for some seconds, for the key is often just behind it. Then it is
put aside.
Rule 2: only a session's first such event holds the room up, and of one person's in a minute only one: neither a broken device
nor somebody who makes up sessions must slow down everybody.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from adapters.matrix.ears.around import Around
from adapters.matrix.ears.arriving import TOMBSTONE, Came, Gap, Gone, Invited, Item, came, kept, name_of
from adapters.matrix.ears.aside import Aside
from adapters.matrix.ears.attending import Step, step
from adapters.matrix.ears.deciphering import Sealed, session_of, understood
from adapters.matrix.ears.gaps import Gaps
from adapters.matrix.ears.keys import Keys
from adapters.matrix.ears.lanes import Lanes
from adapters.matrix.ears.members import Members
from adapters.matrix.ears.reading import sent_at
from adapters.matrix.ears.synced import Event, content_of, is_room, is_state
from adapters.matrix.heard import Heard
from adapters.matrix.words import MATRIX
from bot.ids import EventId

log = logging.getLogger(__name__)

HELD_UP = 10.0
"""Seconds for which a room waits for the key of an event, from when that was sent."""

SESSIONS = 1000
"""How many sessions are remembered whose keys did not come in time, and how many people."""

NOT_AGAIN = 60.0
"""Seconds for which a person holds the room up no more, after a key of theirs did not come in time."""

Tell = Callable[[str, str], Awaitable[None]]
"""Says a sentence in a room, as well as it can. Never raises."""


@dataclass(frozen=True, slots=True)
class Again:
    """Look at what was put aside."""


@dataclass(slots=True)
class Hearing:
    """Hears rooms. `put` in what came and was stored, `open` once there is a client, tell of `keys_came`, and `close` it."""

    around: Around
    keys: Keys
    gaps: Gaps
    members: Members
    tell: Tell | None = None
    _lanes: Lanes[Item | Again] = field(init=False)
    _aside: Aside = field(init=False)
    _late: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _slow: OrderedDict[tuple[str, str], float] = field(default_factory=OrderedDict)
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._lanes = Lanes(self._deal)
        self._aside = Aside(self.around, self.keys, self._let_go, self._look)

    @property
    def is_idle(self) -> bool:
        """Whether everything that came was dealt with, or lies aside."""
        return self._lanes.is_idle

    def put(self, item: Item) -> None:
        """Something came from a room, and is kept in the store."""
        self._lanes.put(item.room, item)

    def holds(self, room: str) -> bool:
        """Whether something older of a room is not dealt with yet."""
        return self._lanes.is_busy(room) or self._aside.holds(room)

    def open(self) -> None:
        """Begin to deal with it."""
        self._lanes.open()

    def keys_came(self) -> None:
        """What could not be read may be readable now."""
        self._came.set()
        self._came = asyncio.Event()
        self._aside.keys_came()

    async def close(self) -> None:
        """Stop. What is not dealt with comes again from the store."""
        await self._lanes.close()
        await self._aside.close()

    def _look(self, room: str) -> None:
        # A room that is busy is looked at by and by: what is due stays so.
        if not self._lanes.is_busy(room):
            self._lanes.put(room, Again())

    async def _deal(self, room: str, thing: Item | Again) -> None:
        match thing:
            case Again():
                await self._aside.look_at(room)
                return
            case Came():
                if not await self._is_done(thing):
                    await self._aside.put(thing)
                    return
            case Gap():
                for event in await self.gaps.read(thing):
                    await self._missed(room, event)
            case Invited():
                await self.members.invited(room, thing.inviter)
            case Gone():
                await self._gone(room)
        await self._let_go(name_of(thing))

    async def _missed(self, room: str, event: Event) -> None:
        """An event of a gap. The store keeps the gap, not what is in it; what is put aside is kept for itself."""
        item = came(room, event, self.around.me)
        if item is None or not await self._matters(item) or await self._is_done(item):
            return
        # What was kept before a crash already comes in its turn.
        if await self.around.patiently(lambda: self.around.inbox.take_in([kept(item)])):
            await self._aside.put(item)

    async def _matters(self, item: Came) -> bool:
        try:
            heard = understood(self.around, item.room, item.event)
        except Sealed:
            return True
        return heard is None or await self.around.patiently(lambda: self.around.listener.concerns(heard))

    async def _is_done(self, item: Came) -> bool:
        """Deal with an event. Returns whether that was possible. A defect met in it is logged, and counts as dealt with."""
        try:
            await self._event(item)
        except Sealed:
            return False
        except Exception:
            self.around.metrics.count("matrix_defects")
            log.exception("an event could not be heard", extra={"action": "fail", "place": item.room})
        return True

    async def _event(self, item: Came) -> None:
        around = self.around
        if step(item.event, around.me, is_there=True) is Step.WENT:
            await self._gone(item.room)
        elif is_state(item.event, TOMBSTONE, ""):
            await self._replaced(item)
        elif heard := item.heard or await self._understood(item):
            await around.patiently(lambda: around.listener.heard(heard))

    async def _understood(self, item: Came) -> Heard | None:
        """What an event means; its key is waited for, where that is worth it. Raises Sealed."""
        patience = self._patience(item)
        until = self.around.clock.ticks() + patience
        while True:
            await self.around.until_connected()
            came = self._came
            try:
                return understood(self.around, item.room, item.event)
            except Sealed:
                left = until - self.around.clock.ticks()
                if left <= 0:
                    self._note_late(item, has_held_up=patience > 0)
                    raise
            await self._either(came, left)

    def _patience(self, item: Came) -> float:
        session = session_of(item.event)
        is_slow = self._slow.get(_whose(item), 0.0) > self.around.clock.ticks()
        if is_slow or session in self._late or self.keys.withheld(item.room, session):
            return 0.0
        return HELD_UP - min(max(self.around.clock.now() - sent_at(item.event), 0.0), HELD_UP)

    def _note_late(self, item: Came, *, has_held_up: bool) -> None:
        self._late[session_of(item.event)] = None
        if has_held_up:
            self._slow[_whose(item)] = self.around.clock.ticks() + NOT_AGAIN
            self._slow.move_to_end(_whose(item))
        for remembered in (self._late, self._slow):
            while len(remembered) > SESSIONS:
                remembered.popitem(last=False)

    async def _either(self, came: asyncio.Event, seconds: float) -> None:
        """Wait for keys, but not for longer than this."""
        waits = [asyncio.ensure_future(came.wait()), asyncio.ensure_future(self.around.clock.sleep(seconds))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _replaced(self, item: Came) -> None:
        """A room has a successor, or is closed for good."""
        successor, sender = content_of(item.event).get("replacement_room"), str(item.event.get("sender"))
        if isinstance(successor, str) and is_room(successor):
            said = await self.members.follow(item.room, successor, sender)
            if said and self.tell is not None:
                await self.tell(item.room, said)
        await self._gone(item.room)

    async def _gone(self, room: str) -> None:
        await self._aside.forget(room)
        await self.around.patiently(lambda: self.around.listener.gone(room))

    async def _let_go(self, event: EventId) -> None:
        await self.around.patiently(lambda: self.around.store.let_go(MATRIX, event))


def _whose(item: Came) -> tuple[str, str]:
    return item.room, str(item.event.get("sender"))
