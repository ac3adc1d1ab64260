"""One lane per place: what happens in a place happens in order, and places do not wait for each other.

Rule 1: only a place's lane changes its session. Rule 2: work that fails is the work's own matter; the lane goes on.
Rule 3: what a lane that rests does not begin any more is not lost: its event is stored, and taken up by the next start.
Rule 4: work that lost its place to another process while it ran is done again, once the place is ours again.
Rule 5: a lane is there as long as there is work in it: places come and go, and those that rest must not add up.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bot import texts
from bot.errors import LeaseLost, Refused
from bot.flow.tenure import Hold, alone
from bot.ids import Place

Result = TypeVar("Result")
Work = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class _Lane:
    """What waits in one place. It `rests` once nothing waits or runs."""

    waiting: deque[Work] = field(default_factory=deque)
    rests: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Lanes:
    """Runs work per place, first come first served. `hold` is entered while there is work in a place."""

    hold: Hold = alone
    _lanes: dict[Place, _Lane] = field(default_factory=dict)
    _runners: dict[Place, asyncio.Task[None]] = field(default_factory=dict)
    _asked: set[asyncio.Future[Any]] = field(default_factory=set)
    _in_line: set[asyncio.Future[Any]] = field(default_factory=set)
    _answering: set[Place] = field(default_factory=set)
    _is_resting: bool = False

    def put(self, place: Place, work: Work) -> None:
        """Queue work for a place; it must not raise, but for LeaseLost. While the lanes rest, it is left to the next start."""
        if not self._is_resting:
            self._lane(place).waiting.append(work)

    def put_first(self, place: Place, works: Iterable[Work]) -> None:
        """Queue work, in its order, before all that waits in a place."""
        if not self._is_resting:
            self._lane(place).waiting.extendleft(reversed(tuple(works)))

    async def run(self, place: Place, work: Callable[[], Awaitable[Result]]) -> Result:
        """Have work done in a place's lane, when its turn comes, and return what came of it; raises what it raises.

        Raises Refused when the lanes rest before its turn comes.
        """
        if self._is_resting:
            raise Refused(texts.ENDING)
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

        async def turn() -> None:
            self._in_line.discard(done)
            self._answering.add(place)
            try:
                result = await work()
            except LeaseLost:
                raise
            except Exception as error:  # noqa: BLE001 - it is raised where the work was asked for
                if not done.done():
                    done.set_exception(error)
            else:
                if not done.done():
                    done.set_result(result)
            finally:
                self._answering.discard(place)

        self._asked.add(done)
        self._in_line.add(done)
        done.add_done_callback(self._asked.discard)
        self.put(place, turn)
        return await done

    @property
    def waiting(self) -> int:
        """How much work waits for its turn in all places."""
        return sum(len(lane.waiting) for lane in self._lanes.values())

    async def settled(self, place: Place) -> None:
        """Return when nothing is queued or running in a place."""
        if place in self._lanes:
            await self._lanes[place].rests.wait()

    def rest(self, unless: Callable[[Place], bool]) -> None:
        """Begin nothing more, and break off what is under way where `unless` says no and nobody waits for its answer."""
        self._is_resting = True
        for asked in tuple(self._in_line):
            if not asked.done():
                asked.set_exception(Refused(texts.ENDING))
        for place, runner in self._runners.items():
            if place not in self._answering and not unless(place):
                runner.cancel()

    async def rested(self) -> None:
        """Return when nothing is under way any more, once the lanes rest."""
        await asyncio.gather(*self._runners.values(), return_exceptions=True)

    async def close(self) -> None:
        """End all lanes at once; what was not finished is taken up from the store by the next start."""
        for runner in self._runners.values():
            runner.cancel()
        await asyncio.gather(*self._runners.values(), return_exceptions=True)
        for asked in tuple(self._asked):
            asked.cancel()
        self._runners.clear()
        self._lanes.clear()

    def _lane(self, place: Place) -> _Lane:
        if place not in self._lanes:
            self._lanes[place] = _Lane()
            self._runners[place] = asyncio.create_task(self._run(place, self._lanes[place]), name=f"lane {place.channel}")
        return self._lanes[place]

    async def _run(self, place: Place, lane: _Lane) -> None:
        while not self._is_resting:
            with suppress(LeaseLost):
                async with self.hold(place):
                    await self._work_off(lane)
            if not lane.waiting:
                del self._lanes[place], self._runners[place]
                lane.rests.set()
                return

    async def _work_off(self, lane: _Lane) -> None:
        while lane.waiting and not self._is_resting:
            work = lane.waiting.popleft()
            try:
                await work()
            except LeaseLost:
                lane.waiting.appendleft(work)
                raise
