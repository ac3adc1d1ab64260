"""One lane per place: what happens in a place happens in order, and places do not wait for each other.

Rule 1: only a place's lane changes its session. Rule 2: work that fails is the work's own matter; the lane goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bot.ids import Place

Result = TypeVar("Result")
Work = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Lanes:
    """Runs work per place, first come first served."""

    _queues: dict[Place, asyncio.Queue[Work]] = field(default_factory=dict)
    _runners: dict[Place, asyncio.Task[None]] = field(default_factory=dict)
    _asked: set[asyncio.Future[Any]] = field(default_factory=set)

    def put(self, place: Place, work: Work) -> None:
        """Queue work for a place; it must not raise."""
        if place not in self._queues:
            self._queues[place] = asyncio.Queue()
            self._runners[place] = asyncio.create_task(self._run(self._queues[place]), name=f"lane {place.channel}")
        self._queues[place].put_nowait(work)

    async def run(self, place: Place, work: Callable[[], Awaitable[Result]]) -> Result:
        """Have work done in a place's lane, when its turn comes, and return what came of it; raises what it raises."""
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

        async def turn() -> None:
            try:
                result = await work()
            except Exception as error:  # noqa: BLE001 - it is raised where the work was asked for
                if not done.done():
                    done.set_exception(error)
            else:
                if not done.done():
                    done.set_result(result)

        self._asked.add(done)
        done.add_done_callback(self._asked.discard)
        self.put(place, turn)
        return await done

    @property
    def waiting(self) -> int:
        """How much work waits for its turn in all places."""
        return sum(queue.qsize() for queue in self._queues.values())

    async def settled(self, place: Place) -> None:
        """Return when nothing is queued or running in a place."""
        if place in self._queues:
            await self._queues[place].join()

    async def close(self) -> None:
        """End all lanes at once; what was not finished is taken up from the store by the next start."""
        for runner in self._runners.values():
            runner.cancel()
        await asyncio.gather(*self._runners.values(), return_exceptions=True)
        for asked in tuple(self._asked):
            asked.cancel()
        self._runners.clear()
        self._queues.clear()

    @staticmethod
    async def _run(queue: asyncio.Queue[Work]) -> None:
        while True:
            work = await queue.get()
            try:
                await work()
            finally:
                queue.task_done()
