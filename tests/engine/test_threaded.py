import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

import pytest

from bot.engine.threaded import QUEUE_LIMIT, THREAD_NAME, ThreadedEngine
from bot.errors import EngineBusy, EngineUnavailable, PromptTooLong
from bot.ids import SessionId
from bot.ports.engine import Finished, FinishReason, GenerationRequest, Segment, StreamItem, TextDelta, Waiting
from bot.ports.runner import Stretch
from bot.sampling import SamplingSettings
from bot.story.policy import Rating
from tests.fakes.runner import CountingRunner
from tests.fakes.shelf import MemoryShelf

PROMPT = (Segment("A door stands open."),)


def a_request(session: str = "mira", max_tokens: int = 5, segments: tuple[Segment, ...] = PROMPT) -> GenerationRequest:
    return GenerationRequest(SessionId(session), segments, max_tokens, SamplingSettings(), seed=1)


async def written(stream: AsyncGenerator[StreamItem, None]) -> str:
    return "".join([each.text async for each in stream if isinstance(each, TextDelta)])


async def items(stream: AsyncGenerator[StreamItem, None]) -> list[StreamItem]:
    return [each async for each in stream]


class GatedRunner(CountingRunner):
    """A CountingRunner that waits before each step until it is let through."""

    def __init__(self, slots: int = 2) -> None:
        super().__init__(slots=slots)
        self.gate = threading.Semaphore(0)
        self.waiting = 0
        self.threads: set[str] = set()

    def step(self, stretches: Sequence[Stretch], adapter: str = "") -> tuple[int | None, ...]:
        self.waiting += 1
        self.gate.acquire()
        self.threads.add(threading.current_thread().name)
        return super().step(stretches, adapter)

    def let_through(self, steps: int) -> None:
        self.gate.release(steps)


class BrokenRunner(CountingRunner):
    """A CountingRunner whose step breaks in a way that no contract foresees."""

    def step(self, stretches: Sequence[Stretch], adapter: str = "") -> tuple[int | None, ...]:
        raise ZeroDivisionError(f"{len(stretches)} / 0 with {adapter!r}")


async def test_the_model_is_only_used_by_the_one_named_thread() -> None:
    runner = GatedRunner()
    runner.let_through(100)
    engine = ThreadedEngine(runner, model="counting")
    await written(engine.generate(a_request()))
    await engine.close()
    assert runner.threads == {THREAD_NAME}


async def test_it_tells_what_it_runs() -> None:
    engine = ThreadedEngine(CountingRunner(context=99), model="counting", rating=Rating.GENERAL)
    told = await engine.capabilities()
    assert (told.model, told.context, told.rating) == ("counting", 99, Rating.GENERAL)
    await engine.close()


async def test_the_event_loop_goes_on_while_the_model_thinks() -> None:
    runner = GatedRunner()
    engine = ThreadedEngine(runner, model="counting")
    reply = asyncio.ensure_future(written(engine.generate(a_request())))
    assert await engine.count(PROMPT) == (20,)
    assert not reply.done()
    runner.let_through(100)
    assert len(await reply) == 5
    await engine.close()


async def test_closing_a_stream_while_it_waits_takes_it_out_of_the_queue() -> None:
    runner = GatedRunner(slots=1)
    engine = ThreadedEngine(runner, model="counting")
    first = asyncio.ensure_future(written(engine.generate(a_request("mira"))))
    second = asyncio.ensure_future(written(engine.generate(a_request("tobias"))))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    runner.let_through(100)
    await first
    assert len(runner.histories) == 1
    await engine.close()


async def test_a_stream_closed_early_stops_the_work() -> None:
    runner = GatedRunner()
    engine = ThreadedEngine(runner, model="counting")
    runner.let_through(2)
    async with aclosing(engine.generate(a_request(max_tokens=400))) as stream:
        await anext(stream)
    runner.let_through(1000)
    await written(engine.generate(a_request(max_tokens=3)))
    await engine.close()
    assert runner.steps < 10


async def test_a_full_queue_asks_to_come_back_later() -> None:
    runner = GatedRunner()
    engine = ThreadedEngine(runner, model="counting")
    streams = [asyncio.ensure_future(written(engine.generate(a_request()))) for _ in range(QUEUE_LIMIT)]
    await asyncio.sleep(0)
    with pytest.raises(EngineBusy) as busy:
        await anext(engine.generate(a_request()))
    assert busy.value.seconds > 0
    runner.let_through(10_000)
    assert len(set(await asyncio.gather(*streams))) == 1
    await engine.close()


async def test_a_prompt_that_leaves_no_room_for_the_reply_is_refused() -> None:
    engine = ThreadedEngine(CountingRunner(context=30), model="counting")
    assert len(await written(engine.generate(a_request(max_tokens=10)))) == 10
    with pytest.raises(PromptTooLong) as refused:
        await anext(engine.generate(a_request(max_tokens=11)))
    assert (refused.value.tokens, refused.value.limit) == (20, 19)
    await engine.close()


async def test_an_empty_prompt_is_refused() -> None:
    engine = ThreadedEngine(CountingRunner(), model="counting")
    with pytest.raises(EngineUnavailable, match="empty"):
        await anext(engine.generate(a_request(segments=())))
    await engine.close()


async def test_a_failed_step_reaches_its_own_stream_only() -> None:
    engine = ThreadedEngine(CountingRunner(fails_at=3), model="counting")
    with pytest.raises(EngineUnavailable, match="told to fail"):
        await written(engine.generate(a_request()))
    assert len(await written(engine.generate(a_request()))) == 5
    await engine.close()


async def test_a_breakdown_ends_all_streams_and_is_logged_and_later_requests_are_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runner = BrokenRunner()
    engine = ThreadedEngine(runner, model="counting")
    outcomes = await asyncio.gather(
        *(written(engine.generate(a_request(name))) for name in ("mira", "tobias")), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [EngineUnavailable, EngineUnavailable]
    with pytest.raises(EngineUnavailable, match="must be started again"):
        await anext(engine.generate(a_request()))
    await engine.warm(SessionId("mira"), PROMPT)
    await engine.close()
    assert "ZeroDivisionError" in caplog.text
    assert runner.closed


async def test_closing_ends_streams_the_thread_and_the_runner_and_may_be_repeated() -> None:
    runner = GatedRunner()
    engine = ThreadedEngine(runner, model="counting")
    stream = asyncio.ensure_future(written(engine.generate(a_request())))
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(engine.close())
    await asyncio.sleep(0)
    runner.let_through(1)
    await closing
    await engine.close()
    with pytest.raises(EngineUnavailable, match="closed"):
        await stream
    with pytest.raises(EngineUnavailable, match="closed"):
        await anext(engine.generate(a_request()))
    assert runner.closed
    assert THREAD_NAME not in {thread.name for thread in threading.enumerate()}


async def test_an_idle_engine_reads_ahead() -> None:
    engine = ThreadedEngine(CountingRunner(), model="counting")
    await engine.warm(SessionId("mira"), PROMPT)
    while engine.statistics().warmed_tokens < 20:
        await asyncio.sleep(0)
    await written(engine.generate(a_request(max_tokens=1, segments=(*PROMPT, Segment("!", opens=True)))))
    assert engine.statistics().prefilled_tokens == 1
    await engine.close()


async def test_counting_old_turns_again_tokenises_nothing() -> None:
    runner = CountingRunner()
    engine = ThreadedEngine(runner, model="counting")
    turns = tuple(Segment(f"turn {number}") for number in range(100))
    first = await engine.count(turns)
    asked = runner.tokenized
    assert await engine.count((*turns, Segment("new"))) == (*first, 3)
    assert runner.tokenized == asked + 1
    await engine.close()


async def test_who_waits_hears_where_they_stand() -> None:
    runner = GatedRunner()
    engine = ThreadedEngine(runner, model="counting")
    replies = [asyncio.ensure_future(items(engine.generate(a_request(name)))) for name in ("mira", "tobias", "rain")]
    await asyncio.sleep(0)
    runner.let_through(100)
    heard = [[each.position for each in reply if isinstance(each, Waiting)] for reply in await asyncio.gather(*replies)]
    assert heard == [[], [], [1]]
    await engine.close()


async def test_a_deadline_counts_from_when_the_reply_was_asked_for() -> None:
    runner = CountingRunner(seconds=(1.0, 0.0))
    runner.now = 1_000.0
    engine = ThreadedEngine(runner, model="counting", ticks=runner.ticks)
    *_, finished = await items(engine.generate(replace(a_request(max_tokens=50), deadline=4.0)))
    assert isinstance(finished, Finished)
    assert finished.reason is FinishReason.DEADLINE
    await engine.close()


async def test_an_adapter_that_the_engine_does_not_have_is_refused_by_name() -> None:
    engine = ThreadedEngine(CountingRunner(adapters=("noir",)), model="counting")
    assert (await engine.capabilities()).adapters == ("noir",)
    assert len(await written(engine.generate(replace(a_request(), adapter="noir")))) == 5
    with pytest.raises(EngineUnavailable, match='no adapter "verse"; it has: noir'):
        await anext(engine.generate(replace(a_request(), adapter="verse")))
    await engine.warm(SessionId("mira"), PROMPT, "verse")
    await engine.close()


async def test_a_prompt_that_was_tokenised_before_is_read_as_it_is() -> None:
    engine = ThreadedEngine(CountingRunner(), model="counting")
    parts = await engine.tokenize(PROMPT)
    ids = tuple(Segment("", trusted=True, token_ids=part) for part in parts)
    assert await written(engine.generate(a_request(segments=ids))) == await written(engine.generate(a_request("tobias")))
    await engine.close()


async def test_a_closed_engine_leaves_what_it_read_for_the_next_one() -> None:
    shelf = MemoryShelf()
    engine = ThreadedEngine(CountingRunner(), model="counting", shelf=shelf)
    await written(engine.generate(a_request(max_tokens=3)))
    await engine.close()
    engine = ThreadedEngine(CountingRunner(), model="counting", shelf=shelf.reopened())
    await written(engine.generate(a_request(max_tokens=3, segments=(*PROMPT, Segment("!", opens=True)))))
    assert engine.statistics().prefilled_tokens == 1
    await engine.close()


async def test_a_state_that_comes_late_is_waited_for() -> None:
    shelf = MemoryShelf()
    engine = ThreadedEngine(CountingRunner(), model="counting", shelf=shelf)
    await written(engine.generate(a_request(max_tokens=3)))
    await engine.close()
    shelf = shelf.reopened()
    shelf.holds_back = True
    engine = ThreadedEngine(CountingRunner(), model="counting", shelf=shelf)
    reply = asyncio.ensure_future(written(engine.generate(a_request(max_tokens=3))))
    other = await written(engine.generate(a_request("tobias", max_tokens=3)))
    assert not reply.done()
    shelf.holds_back = False
    assert await reply == other
    await engine.close()


async def test_a_step_that_does_not_end_is_seen_from_outside() -> None:
    runner = GatedRunner()
    engine = ThreadedEngine(runner, model="counting", ticks=runner.ticks)
    assert engine.seconds_since_step() == 0.0
    reply = asyncio.ensure_future(written(engine.generate(a_request())))
    while runner.waiting == 0:
        await asyncio.sleep(0)
    runner.now += 500.0
    assert engine.seconds_since_step() == 500.0
    runner.let_through(100)
    await reply
    await engine.close()
    assert engine.seconds_since_step() == 0.0
