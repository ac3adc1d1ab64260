"""The sign that a character is writing: typing in the room. It knows no text.

Rule: nobody waits for it, and it fails no walk. Typing is counted by no limit, but each time costs everybody in the room a
message: it is renewed as seldom as it may be.
"""

import asyncio
import logging
import math
from dataclasses import dataclass, field

from adapters.matrix.errors import Attempt
from adapters.matrix.line import Line
from adapters.matrix.posting.asking import ask
from adapters.matrix.words import room_of
from bot.errors import CourierError
from bot.ids import Place
from bot.ports.clock import Clock

log = logging.getLogger(__name__)

EVERY = 20.0
"""Seconds between two signs."""

SHOWN_FOR = 30.0
"""Seconds for which one of them shows: long enough that a late one leaves no gap."""

BELIEVED = 120.0
"""Seconds for which a character is taken to be writing that nothing more is heard of: a long prompt takes its time."""

TYPING = Attempt(act="show that somebody writes", changes=False)


@dataclass(slots=True, eq=False)
class _Room:
    """Until when (in ticks) somebody writes in each of a room's places, and what the room was told last."""

    until: dict[Place, float] = field(default_factory=dict)
    told_at: float = -math.inf
    is_told: bool = False
    bell: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class WritingSigns:
    """The signs of all rooms. A room's sign stands as long as anybody writes in one of its places."""

    line: Line
    clock: Clock
    _rooms: dict[str, _Room] = field(default_factory=dict)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def writing(self, place: Place) -> None:
        """A character writes there. Returns at once."""
        name = room_of(place)
        room = self._rooms.setdefault(name, _Room())
        room.until[place] = self.clock.ticks() + BELIEVED
        if name not in self._tasks:
            self._tasks[name] = asyncio.create_task(self._serve(name, room), name=f"typing in {name}")

    def resting(self, place: Place) -> None:
        """Nobody writes there any more. Returns at once."""
        room = self._rooms.get(room_of(place))
        if room is not None and room.until.pop(place, None) is not None:
            room.bell.set()

    async def settled(self, place: Place) -> None:
        """Return when nobody writes in a place's room and it is told so."""
        while (task := self._tasks.get(room_of(place))) is not None:
            await asyncio.wait([task])

    async def close(self) -> None:
        """Show nothing more. What shows goes away by itself."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, name: str, room: _Room) -> None:
        try:
            while (end := max(room.until.values(), default=-math.inf)) > self.clock.ticks():
                if room.told_at + EVERY <= self.clock.ticks():
                    await self._tell(name, room, is_writing=True)
                await self._wait(room.bell, min(room.told_at + EVERY, end) - self.clock.ticks())
                room.bell.clear()
            if room.is_told:
                await self._tell(name, room, is_writing=False)
        finally:
            # Whoever began to write while the end was told begins anew.
            self._tasks.pop(name, None)
            self._rooms.pop(name, None)

    async def _tell(self, name: str, room: _Room, *, is_writing: bool) -> None:
        room.told_at, room.is_told = self.clock.ticks(), is_writing
        wish = {"typing": True, "timeout": int(SHOWN_FOR * 1000)} if is_writing else {"typing": False}
        try:
            client = self.line.client
            await ask(client, TYPING, "PUT", "rooms", name, "typing", client.user_id, body=wish)
        except CourierError as error:
            log.debug("a sign of writing could not be shown: %s", error, extra={"action": "show_no_sign"})

    async def _wait(self, bell: asyncio.Event, seconds: float) -> None:
        """Until the time has come, or there is news."""
        waits = asyncio.ensure_future(self.clock.sleep(seconds)), asyncio.ensure_future(bell.wait())
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
