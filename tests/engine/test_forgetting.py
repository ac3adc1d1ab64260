"""A forgotten session is nowhere: not in a slot, not in memory, not on the shelf, not on its way, and not among known texts."""

import asyncio
import logging

import pytest

from bot.engine.threaded import SharingSettings, ThreadedEngine
from bot.engine.tokens import LONG_TEXT
from bot.errors import EngineUnavailable, RunnerFailed, StoryForgotten
from bot.ports.engine import Finished, GenerationRequest, Segment, StreamItem
from bot.sampling import SamplingSettings
from tests.engine.stage import MIRA, RAIN, TOBIAS, a_job, a_loop, a_warm_up, finish_of, run_out
from tests.fakes.runner import CountingRunner
from tests.fakes.shelf import MemoryShelf

PLENTY = 10_000_000
STORY = (Segment("A door stands open."),)


class Heard(list[bool]):
    """What `done` was called with."""

    def __call__(self, is_gone: bool) -> None:  # noqa: FBT001 - as the shelf tells it
        self.append(is_gone)


def a_request(segments: tuple[Segment, ...] = STORY) -> GenerationRequest:
    return GenerationRequest(MIRA, segments, 5, SamplingSettings(), seed=1)


async def ended(engine: ThreadedEngine, request: GenerationRequest) -> StreamItem:
    return [item async for item in engine.generate(request)][-1]


def test_what_a_slot_holds_is_forgotten() -> None:
    runner = CountingRunner(slots=1)
    loop = a_loop(runner)
    loop.submit(a_job())
    run_out(loop)
    heard = Heard()
    assert loop.forget(MIRA, heard) == ()
    assert heard == [True]
    assert runner.held(0) == ()
    loop.submit(a_job(2))
    assert finish_of(run_out(loop), 2).usage.cached_tokens == 0


@pytest.mark.parametrize("limit", [PLENTY, 0], ids=["in memory", "on the shelf"])
def test_what_is_kept_is_forgotten_and_others_keep_theirs(limit: int) -> None:
    shelf = MemoryShelf()
    loop = a_loop(CountingRunner(slots=1), memory_bytes=limit, shelf=shelf)
    for ticket, session in enumerate((MIRA, TOBIAS, RAIN), 1):
        loop.submit(a_job(ticket, session))
        run_out(loop)
    loop.forget(MIRA, Heard())
    loop.submit(a_job(4, MIRA))
    loop.submit(a_job(5, TOBIAS))
    events = run_out(loop)
    assert finish_of(events, 4).usage.cached_tokens == 0
    assert finish_of(events, 5).usage.cached_tokens > 0
    loop.forget(MIRA, Heard())
    loop.close()
    assert not shelf.reopened().holds(MIRA)


def test_what_is_on_its_way_from_the_shelf_is_forgotten() -> None:
    shelf = MemoryShelf()
    loop = a_loop(CountingRunner(slots=1), shelf=shelf)
    for ticket, session in enumerate((MIRA, TOBIAS), 1):
        loop.submit(a_job(ticket, session))
        run_out(loop)
    shelf.holds_back = True
    loop.submit(a_job(3, MIRA))
    loop.step()
    assert [type(event.content) for event in loop.forget(MIRA, Heard())] == [StoryForgotten]
    shelf.holds_back = False
    loop.submit(a_job(4, MIRA))
    assert finish_of(run_out(loop), 4).usage.cached_tokens == 0


def test_replies_that_wait_or_are_written_end_and_those_of_others_go_on() -> None:
    loop = a_loop(CountingRunner(slots=2))
    for ticket, session in enumerate((MIRA, MIRA, TOBIAS), 1):
        loop.submit(a_job(ticket, session, max_tokens=50))
    loop.step()
    ended = loop.forget(MIRA, Heard())
    assert {event.ticket for event in ended} == {1, 2}
    assert all(isinstance(event.content, StoryForgotten) for event in ended)
    assert {event.ticket for event in run_out(loop) if isinstance(event.content, Finished)} == {3}


def test_what_should_be_read_ahead_is_not_read() -> None:
    runner = CountingRunner()
    loop = a_loop(runner)
    loop.warm(a_warm_up())
    loop.step()
    loop.forget(MIRA, Heard())
    assert not loop.has_work
    assert runner.held(0) == ()


def test_a_shelf_that_cannot_let_go_is_told_of() -> None:
    shelf = MemoryShelf()
    shelf.sticks = True
    heard = Heard()
    a_loop(CountingRunner(), shelf=shelf).forget(MIRA, heard)
    assert heard == [False]


def test_a_slot_that_cannot_be_cleared_is_not_saved_either() -> None:
    shelf, runner = MemoryShelf(), CountingRunner(slots=1)
    loop = a_loop(runner, shelf=shelf)
    loop.submit(a_job())
    run_out(loop)

    def broken(slot: int, length: int) -> bool:
        raise RunnerFailed(f"slot {slot} cannot be cut to {length}")

    runner.keep = broken  # type: ignore[method-assign]  # the defect of this test
    with pytest.raises(RunnerFailed):
        loop.forget(MIRA, Heard())
    loop.close()
    assert not shelf.reopened().holds(MIRA)


async def test_no_text_is_known_any_more() -> None:
    runner = CountingRunner()
    engine = ThreadedEngine(runner, model="counting")
    await engine.count(STORY)
    await engine.forget(MIRA)
    before = runner.tokenized
    await engine.count(STORY)
    assert runner.tokenized == before + 1
    await engine.close()


async def test_a_reply_whose_prompt_is_still_being_tokenised_is_not_begun(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    runner = CountingRunner(context=2 * LONG_TEXT)
    engine = ThreadedEngine(runner, model="counting")
    long = (Segment("x" * LONG_TEXT),)
    asked = asyncio.ensure_future(ended(engine, a_request(long)))
    warming = asyncio.ensure_future(engine.warm(MIRA, long))
    await asyncio.sleep(0)
    await engine.forget(MIRA)
    with pytest.raises(StoryForgotten):
        await asked
    await warming
    assert "not read ahead" in caplog.text
    await engine.close()
    assert runner.handed == 0


async def test_it_is_an_error_when_nobody_knows_whether_all_is_gone() -> None:
    shelf = MemoryShelf()
    engine = ThreadedEngine(CountingRunner(), model="counting", sharing=SharingSettings(), shelf=shelf)
    shelf.sticks = True
    with pytest.raises(EngineUnavailable, match="could not be erased"):
        await engine.forget(MIRA)
    shelf.sticks = False
    await engine.forget(MIRA)
    await engine.close()
    with pytest.raises(EngineUnavailable, match="closed"):
        await engine.forget(MIRA)


async def test_an_engine_that_ends_meanwhile_leaves_nobody_waiting() -> None:
    class Silent(MemoryShelf):
        def erase(self, name: str, done: object) -> None:
            del name, done

    engine = ThreadedEngine(CountingRunner(), model="counting", shelf=Silent())
    forgetting = asyncio.ensure_future(engine.forget(MIRA))
    await asyncio.sleep(0)
    await engine.close()
    with pytest.raises(EngineUnavailable):
        await forgetting
