"""What every Engine promises when there is too much to do, or too little time: here and over HTTP."""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

import pytest

from adapters.clock import SystemClock
from adapters.remote import EngineServerSettings, RemoteEngine, RemoteSettings
from adapters.remote.server import serve
from bot.engine.threaded import SharingSettings, ThreadedEngine
from bot.errors import EngineBusy, EngineUnavailable, StoryForgotten
from bot.ids import SessionId
from bot.ports.engine import Engine, Finished, FinishReason, GenerationRequest, Segment, StreamItem, TextDelta, Waiting
from bot.ports.runner import Stretch
from bot.sampling import SamplingSettings
from tests.fakes.runner import CountingRunner

QUEUE = 2


class GatedRunner(CountingRunner):
    """A CountingRunner with one slot that waits before each step until it is let through."""

    def __init__(self) -> None:
        super().__init__(slots=1, says=None)
        self.gate = threading.Semaphore(0)

    def step(self, stretches: Sequence[Stretch], adapter: str = "") -> tuple[int | None, ...]:
        self.gate.acquire()
        return super().step(stretches, adapter)


@dataclass(slots=True)
class House:
    """An engine that writes one reply at a time, its runner, the engine behind it, and the time as that has it."""

    engine: Engine
    runner: GatedRunner
    local: ThreadedEngine
    now: list[float]

    def let_through(self, steps: int) -> None:
        self.runner.gate.release(steps)


@pytest.fixture(params=["here", "over HTTP"])
async def house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    runner, now = GatedRunner(), [0.0]
    local = ThreadedEngine(runner, model="gated", sharing=SharingSettings(queue_limit=QUEUE), ticks=lambda: now[0])
    async with serve(local, EngineServerSettings(port=0)) as address:
        remote = RemoteEngine(RemoteSettings(address), SystemClock())
        yield House(local if request.param == "here" else remote, runner, local, now)
        runner.gate.release(1000)
        await remote.close()


def a_request(session: str, max_tokens: int = 5, **changes: object) -> GenerationRequest:
    request = GenerationRequest(SessionId(session), (Segment("A door."),), max_tokens, SamplingSettings(), seed=1)
    return replace(request, **changes)  # type: ignore[arg-type] # any field


async def items_of(stream: AsyncGenerator[StreamItem, None]) -> list[StreamItem]:
    return [item async for item in stream]


async def until_taken(house: House, requests: int) -> None:
    async with asyncio.timeout(10):
        while len(house.local._streams) != requests:
            await asyncio.sleep(0)


async def test_a_full_queue_asks_to_come_back_and_says_when(house: House) -> None:
    taken = [asyncio.ensure_future(items_of(house.engine.generate(a_request(name)))) for name in ("one", "two")]
    await until_taken(house, QUEUE)
    with pytest.raises(EngineBusy) as busy:
        await items_of(house.engine.generate(a_request("three")))
    assert busy.value.seconds >= 0
    house.let_through(1000)
    assert all(isinstance(items[-1], Finished) for items in await asyncio.gather(*taken))


async def test_whoever_waits_is_told_the_place_in_line(house: House) -> None:
    first = asyncio.ensure_future(items_of(house.engine.generate(a_request("one"))))
    await until_taken(house, 1)
    second = asyncio.ensure_future(items_of(house.engine.generate(a_request("two"))))
    await until_taken(house, 2)
    house.let_through(1000)
    items = [*(await first), *(await second)]
    assert {item.position for item in items if isinstance(item, Waiting)} >= {1}


async def test_leaving_the_queue_makes_room_at_once(house: House) -> None:
    first = asyncio.ensure_future(items_of(house.engine.generate(a_request("one"))))
    second = asyncio.ensure_future(items_of(house.engine.generate(a_request("two"))))
    await until_taken(house, 2)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    await until_taken(house, 1)
    third = asyncio.ensure_future(items_of(house.engine.generate(a_request("three"))))
    await until_taken(house, 2)
    house.let_through(1000)
    await asyncio.gather(first, third)


async def test_leaving_a_reply_stops_the_work(house: House) -> None:
    house.let_through(3)
    async with aclosing(house.engine.generate(a_request("one", max_tokens=400))) as stream:
        while not isinstance(await anext(stream), TextDelta):
            pass
    await until_taken(house, 0)
    house.let_through(1000)
    await items_of(house.engine.generate(a_request("two")))
    assert house.runner.steps < 20


async def test_a_reply_that_is_being_written_at_its_deadline_ends_there(house: House) -> None:
    stream = house.engine.generate(a_request("one", max_tokens=400, deadline=60.0))
    house.let_through(2)
    while not isinstance(await anext(stream), TextDelta):
        pass
    house.now[0] = 100.0
    house.let_through(1000)
    *_, finished = await items_of(stream)
    assert isinstance(finished, Finished)
    assert finished.reason is FinishReason.DEADLINE
    assert finished.usage.completion_tokens < 400


async def test_a_reply_that_waits_at_its_deadline_is_refused(house: House) -> None:
    first = asyncio.ensure_future(items_of(house.engine.generate(a_request("one"))))
    await until_taken(house, 1)
    second = asyncio.ensure_future(items_of(house.engine.generate(a_request("two", deadline=60.0))))
    await until_taken(house, 2)
    house.now[0] = 100.0
    house.let_through(1000)
    await first
    with pytest.raises(EngineBusy):
        await second


async def test_an_adapter_that_is_not_there_is_refused(house: House) -> None:
    with pytest.raises(EngineUnavailable, match="no adapter"):
        await items_of(house.engine.generate(a_request("one", adapter="none")))


async def test_ids_that_are_none_of_the_models_are_refused_and_harm_nobody(house: House) -> None:
    house.let_through(1000)
    unknown = (Segment("", trusted=True, token_ids=(97, 4711)),)
    with pytest.raises(EngineUnavailable, match="4711"):
        await items_of(house.engine.generate(a_request("one", segments=unknown)))
    assert isinstance((await items_of(house.engine.generate(a_request("one"))))[-1], Finished)


async def forgotten(house: House, session: str) -> None:
    """Have it forgotten, which happens between two steps."""
    forgetting = asyncio.ensure_future(house.engine.forget(SessionId(session)))
    while not forgetting.done():
        house.let_through(1)
        await asyncio.sleep(0)
    await forgetting


async def test_forgetting_ends_the_replies_of_the_session_and_lets_the_others_go_on(house: House) -> None:
    written = asyncio.ensure_future(items_of(house.engine.generate(a_request("one", 400))))
    await until_taken(house, 1)
    waiting = asyncio.ensure_future(items_of(house.engine.generate(a_request("two"))))
    await until_taken(house, 2)
    await forgotten(house, "one")
    with pytest.raises(StoryForgotten):
        await written
    house.let_through(1000)
    assert isinstance((await waiting)[-1], Finished)
    finished = (await items_of(house.engine.generate(a_request("one"))))[-1]
    assert isinstance(finished, Finished)
    assert finished.usage.cached_tokens == 0


async def test_a_reply_that_nobody_reads_on_is_ended_all_the_same(house: House) -> None:
    house.let_through(5)
    async with aclosing(house.engine.generate(a_request("one", 400))) as stream:
        while not isinstance(await anext(stream), TextDelta):
            pass
        await forgotten(house, "one")
        with pytest.raises(StoryForgotten):
            await items_of(stream)
