import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

from bot.errors import LeaseLost
from bot.flow.lanes import Lanes
from bot.ids import ChannelKey, Place, Platform
from tests.builders import HERE

THERE = Place(Platform("test"), ChannelKey("thread-2"))


async def test_work_in_one_place_runs_in_order_and_places_do_not_wait_for_each_other() -> None:
    lanes, done, go = Lanes(), list[str](), asyncio.Event()

    async def slow() -> None:
        await go.wait()
        done.append("here 1")

    async def quick(name: str) -> None:
        done.append(name)

    lanes.put(HERE, slow)
    lanes.put(HERE, lambda: quick("here 2"))
    lanes.put(THERE, lambda: quick("there"))
    await lanes.settled(THERE)
    assert done == ["there"]
    go.set()
    await lanes.settled(HERE)
    assert done == ["there", "here 1", "here 2"]
    await lanes.close()


async def test_what_is_put_first_runs_before_all_that_waits_and_in_its_own_order() -> None:
    lanes, done = Lanes(), list[str]()

    async def quick(name: str) -> None:
        done.append(name)

    lanes.put(HERE, lambda: quick("third"))
    lanes.put_first(HERE, [lambda: quick("first"), lambda: quick("second")])
    await lanes.settled(HERE)
    assert done == ["first", "second", "third"]
    await lanes.close()


async def test_work_that_lost_its_place_is_done_again_once_the_place_is_held_again() -> None:
    held, done = list[str](), list[str]()

    @asynccontextmanager
    async def hold(place: Place) -> AsyncIterator[None]:
        held.append(str(place.channel))
        yield

    async def work(name: str) -> str:
        done.append(name)
        if len(held) == 1:
            raise LeaseLost("Another process works on this place by now.")
        return name

    lanes = Lanes(hold)
    asked = asyncio.ensure_future(lanes.run(HERE, lambda: work("one")))
    await asyncio.sleep(0)
    lanes.put(HERE, lambda: _forgetting(work("two")))
    assert await asked == "one"
    await lanes.settled(HERE)
    assert done == ["one", "one", "two"]
    assert held == [HERE.channel] * 2
    await lanes.close()


async def _forgetting(work: Awaitable[str]) -> None:
    await work
