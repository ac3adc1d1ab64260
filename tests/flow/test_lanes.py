import asyncio

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
