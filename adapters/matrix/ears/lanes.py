"""One lane for each room: what is put in is dealt with one after another, rooms side by side. It knows no item's meaning."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

Thing = TypeVar("Thing")


class Lanes(Generic[Thing]):
    """Lanes by the names of rooms. Nothing goes before they are `opened`. `deal` is given a room and what was put in."""

    def __init__(self, deal: Callable[[str, Thing], Awaitable[None]]) -> None:
        self._deal = deal
        self._queues: dict[str, deque[Thing]] = {}
        self._lives: dict[str, asyncio.Task[None]] = {}
        self._is_open = False

    @property
    def is_idle(self) -> bool:
        """Whether everything was dealt with."""
        return not self._queues

    def is_busy(self, room: str) -> bool:
        """Whether something of a room waits or is being dealt with."""
        return room in self._queues

    def put(self, room: str, thing: Thing) -> None:
        """Deal with this after all that was put in for this room."""
        self._queues.setdefault(room, deque()).append(thing)
        if self._is_open:
            self._go(room)

    def open(self) -> None:
        """From now on, things go."""
        self._is_open = True
        for room in tuple(self._queues):
            self._go(room)

    async def close(self) -> None:
        """Stop where everything stands, and forget the rest."""
        self._is_open = False
        lives = tuple(self._lives.values())
        for life in lives:
            life.cancel()
        await asyncio.gather(*lives, return_exceptions=True)
        self._queues.clear()
        self._lives.clear()

    def _go(self, room: str) -> None:
        if room not in self._lives:
            self._lives[room] = asyncio.get_running_loop().create_task(self._live(room), name=f"hearing {room}")

    async def _live(self, room: str) -> None:
        queue = self._queues[room]
        while queue:
            try:
                await self._deal(room, queue[0])
            except Exception:
                # A defect met in one event must not make a room deaf.
                log.exception("what came from a room could not be dealt with", extra={"action": "fail", "place": room})
            # It stays in the queue until then: a room is busy with it.
            queue.popleft()
        del self._queues[room], self._lives[room]
