"""Where on Matrix stories are played, kept in memory so that chatter elsewhere costs nothing. It changes no story.

Rule: what is kept may lack a place only while something opens one beside whoever listens; then the store is asked each time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from adapters.matrix.words import MATRIX, room_of
from bot.errors import StoreUnavailable
from bot.ids import Place
from bot.ports.clock import Clock
from bot.ports.store import Store
from bot.posts import Command, Inbound

log = logging.getLogger(__name__)

OPENS_PLACES = frozenset({"branch", "part"})
"""Commands that open a place of their own when their turn in their lane has come."""

STORE_PATIENCE = 2.0
"""Seconds between tries while the store is away."""


@dataclass(slots=True)
class Played:
    """Knows the places that hold a story. All but `close` may raise StoreUnavailable. `settled` waits for a place's lane."""

    store: Store
    clock: Clock
    settled: Callable[[Place], Awaitable[None]]
    _places: frozenset[Place] | None = None
    _rooms: frozenset[str] = frozenset()
    _opening: set[asyncio.Task[None]] = field(default_factory=set)

    async def holds(self, place: Place) -> bool:
        """Whether a story is played in a place."""
        if place in await self._known():
            return True
        return bool(self._opening) and place in await self.refresh()

    async def in_room(self, room: str) -> tuple[Place, ...]:
        """The places of a room where stories are played: its main timeline, threads."""
        known = await (self.refresh() if self._opening else self._known())
        return tuple(sorted(place for place in known if room_of(place) == room)) if room in self._rooms else ()

    async def refresh(self) -> frozenset[Place]:
        """Read them anew."""
        places = frozenset(place for place in await self.store.places() if place.platform == MATRIX)
        self._places, self._rooms = places, frozenset(map(room_of, places))
        return places

    def received(self, event: Inbound) -> None:
        """An event was handed in: where it opens a place, that is known once its turn has come."""
        if isinstance(event, Command) and event.name in OPENS_PLACES:
            task = asyncio.create_task(self._wait_for(event.place), name=f"opening beside {event.place.channel}")
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def close(self) -> None:
        """Wait for nothing any more."""
        tasks = tuple(self._opening)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _known(self) -> frozenset[Place]:
        if self._places is not None:
            return self._places
        # What a run before this one took in and did not carry out opens its place only now.
        for event in await self.store.waiting():
            if event.place.platform == MATRIX:
                self.received(event)
        return await self.refresh()

    async def _wait_for(self, place: Place) -> None:
        await self.settled(place)
        while True:
            try:
                await self.refresh()
            except StoreUnavailable as error:
                log.warning("where stories are played is not known: %s", error, extra={"action": "look_later", "place": place})
                await self.clock.sleep(STORE_PATIENCE)
            else:
                return
