"""A day of a bot as it is wired, at once: `python -m tests.walks.soak 10000 300`.

What it holds is read after a while and at the end. Time is the clock that the house is given: it moves while nobody waits.
The store is SQLite in a folder, the engine is asked over HTTP, the page is a real one; the model and one of the two
platforms are played. It judges nothing.
"""

import asyncio
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

from adapters import faces
from adapters.config import Config, EngineConfig, defaults
from adapters.engines import served_to_parent
from adapters.remote.server import serve
from adapters.web.courier import WebCourier
from adapters.wiring import House, house
from bot.ids import SessionId
from tests.fakes.clock import FrozenClock
from tests.gauges import take
from tests.walks.day import Spot, Town
from tests.walks.day_parts import RoteEngine, TownCourier
from tests.walks.flat import Soak

TURNS, PLACES = 10_000, 300
DAY = 86_400.0
STRIDES = 24
"""Time goes in so many long steps: in each, all that is done now and then is done once."""

SIDE_BY_SIDE, SELDOM = 48, 4
"""How many places play at once, and in which round of all somebody looks at the page."""

POINTS = 5
"""Readings of which the middle one counts, a hundredth of the day apart."""

FIRST_WHILE = 0.3
"""How much of the day goes by before the first of them: caches that are full at some size fill meanwhile."""

NO_STORY = SessionId("one that never was")

GLANCE = 0.5
"""Seconds of real time for which what is under way is waited for before time goes on for it."""


@dataclass(slots=True)
class Day:
    """A running house, its people, and the time."""

    built: House
    web: WebCourier
    town: Town
    clock: FrozenClock
    turns: int
    soak: Soak = field(default_factory=Soak)
    _marks: list[float] = field(default_factory=list)
    _rounds: Iterator[int] = field(default_factory=count)

    async def run(self) -> None:
        """All of it; the connection to one platform begins anew now and then."""
        early = [FIRST_WHILE + 0.01 * point for point in range(POINTS)]
        late = [1.0 - 0.01 * point for point in reversed(range(POINTS))]
        self._marks = [*early, *late]
        await self._in_time(self.town.bring_cards())
        await self._in_time(self.town.fill())
        async with faces.served(self.built, self.web) as address:
            while self._written < self.turns:
                await self._side_by_side()
                await self._read_off()
                if next(self._rounds) % SELDOM == 0:
                    await self._look(address)
                    self.town.courier.restart()
        self.soak.turns, self.soak.hours = self._written, self.clock.ticks() / 3600
        self.soak.places, self.soak.done = len(self.town.live), dict(self.town.done)
        self.soak.failures, self.soak.faults = self.built.service.metrics.total("failures"), self.town.courier.faults

    @property
    def _written(self) -> int:
        return self.built.service.metrics.total("turns")

    async def _side_by_side(self) -> None:
        """Something happens in many places at once; time goes on meanwhile as it must, and afterwards to where it is due."""
        spots = self.town.chance.sample(self.town.live, min(SIDE_BY_SIDE, len(self.town.live)))
        await self._in_time(self._all(spots))
        await self._in_time(self.town.fill())
        due = DAY * min(1.0, self._written / self.turns) - self.clock.ticks()
        if due >= DAY / STRIDES or self._written >= self.turns:
            self.clock.move(max(due, 0.0))

    async def _all(self, spots: Sequence[Spot]) -> None:
        await asyncio.gather(*map(self.town.act, spots))

    async def _in_time(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait for something, with time going on where it waits for that."""
        task = asyncio.ensure_future(work)
        while not (await asyncio.wait([task], timeout=GLANCE))[0]:
            self.clock.move(1.0)
        await task

    async def _look(self, address: str) -> None:
        """An operator and a reader look at the page; somebody tries what is not there."""
        spot = self.town.chance.choice(self.town.live)
        async with aiohttp.ClientSession(address) as browser:
            for path in ("/metrics", "/healthz", "/", "/operator", "/new", f"/t/{spot.place.channel}", "/t/nowhere"):
                async with browser.get(path) as answer:
                    await answer.read()
            async with browser.get("/events") as stream:
                await stream.content.readany()

    async def _read_off(self) -> None:
        """Read what is held, if it is time: before anybody looks, as the page notices only later that they have left."""
        while self._marks and self._written >= self._marks[0] * self.turns:
            self._marks.pop(0)
            which = self.soak.early if len(self._marks) >= POINTS else self.soak.late
            if which:
                # Of all but the last one only the numbers count, and what lies here would count too.
                which[-1] = replace(which[-1], gathered={}, kinds={})
            # What its client remembers of texts goes with every story that is forgotten: how full it is tells the time since.
            await self.built.engine.forget(NO_STORY)
            which.append(take())


@asynccontextmanager
async def a_day(folder: Path, turns: int, places: int) -> AsyncIterator[Day]:
    """A house in a folder, on a clock that stands still."""
    chance, clock = Random(7), FrozenClock()  # noqa: S311  a test's dice
    engine, socket = RoteEngine(chance), folder / "engine"
    async with serve(engine, served_to_parent(socket)):
        config = _config(folder, f"unix:{socket}")
        web, courier = WebCourier(config.web.limits), TownCourier(chance)
        async with house(config, (web, courier), clock=clock) as built:
            town = Town(built, courier, chance, places)
            try:
                yield Day(built, web, town, clock, turns)
            finally:
                await town.close()


def _config(folder: Path, engine: str) -> Config:
    config = defaults({})
    storage, web = replace(config.storage, directory=str(folder)), replace(config.web, port=0)
    return replace(config, storage=storage, web=web, engine=EngineConfig(url=engine))


async def soaked(folder: Path, turns: int = TURNS, places: int = PLACES) -> Soak:
    """A day in a folder."""
    began = time.monotonic()
    async with a_day(folder, turns, places) as day:
        await day.run()
    day.soak.seconds = time.monotonic() - began
    return day.soak


def main() -> None:
    """Live through a day and write what came of it, as JSON, to standard output."""
    logging.basicConfig(level=logging.ERROR)
    # The event loop and SQLite's threads hand one lock to and fro: on two cores that takes a fifth longer.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        soak = asyncio.run(soaked(Path(folder), *map(int, sys.argv[1:])))
    print(json.dumps(asdict(soak)))  # noqa: T201  what the script is for


if __name__ == "__main__":
    main()
