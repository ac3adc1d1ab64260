from collections.abc import Sequence

import pytest

from bot.engine.loop import WARM_TOKENS, EngineLoop, Event, Job
from bot.errors import EngineUnavailable, RunnerFailed
from bot.ids import SessionId
from bot.ports.engine import Finished, FinishReason, TextDelta
from bot.sampling import SamplingSettings
from tests.fakes.runner import CountingRunner

MIRA, TOBIAS = SessionId("mira"), SessionId("tobias")
LONG = tuple(range(100)) + tuple(range(100))


def a_job(ticket: int = 1, session: SessionId = MIRA, prompt: Sequence[int] = LONG, max_tokens: int = 5, seed: int = 1) -> Job:
    return Job(ticket, session, tuple(prompt), max_tokens, SamplingSettings(), seed)


def run_out(loop: EngineLoop) -> list[Event]:
    """Step until nothing is left to do, with the slots checked after each step."""
    events: list[Event] = []
    while loop.has_work:
        events += loop.step()
        loop.check_integrity()
    return events


def text_of(events: list[Event], ticket: int = 1) -> str:
    return "".join(event.content.text for event in events if event.ticket == ticket and isinstance(event.content, TextDelta))


def finish_of(events: list[Event], ticket: int = 1) -> Finished:
    (finish,) = (event.content for event in events if event.ticket == ticket and isinstance(event.content, Finished))
    return finish


def test_a_prompt_is_read_in_stretches_no_longer_than_a_step_and_drawn_from_at_its_end() -> None:
    runner = CountingRunner(batch=32)
    loop = EngineLoop(runner)
    loop.submit(a_job(max_tokens=1))
    finish = finish_of(run_out(loop))
    assert (finish.reason, finish.usage.completion_tokens) == (FinishReason.LENGTH, 1)
    assert (runner.handed, runner.steps) == (200, 7)
    assert runner.held(0) == LONG


def test_the_penalty_is_told_the_whole_prompt() -> None:
    runner = CountingRunner()
    loop = EngineLoop(runner)
    loop.submit(a_job())
    run_out(loop)
    assert runner.histories == [LONG]


def test_the_next_turn_of_a_session_reads_only_what_is_new() -> None:
    runner = CountingRunner()
    loop = EngineLoop(runner)
    loop.submit(a_job(max_tokens=6))
    first = run_out(loop)
    ids = [token for event in first if isinstance(event.content, TextDelta) for token in event.content.token_ids]
    before = runner.handed
    loop.submit(a_job(2, prompt=(*LONG, *ids, 7, 8, 9), max_tokens=1))
    usage = finish_of(run_out(loop), 2).usage
    assert usage.cached_tokens == len(LONG) + 5  # the last token of a reply is drawn, not read
    assert usage.prefilled_tokens == 4
    assert runner.handed - before == 4


def test_a_prompt_that_is_wholly_cached_still_has_its_last_token_read_to_draw_from() -> None:
    runner = CountingRunner()
    loop = EngineLoop(runner)
    loop.submit(a_job(max_tokens=3))
    first = text_of(run_out(loop))
    loop.submit(a_job(2, max_tokens=3))
    second = run_out(loop)
    assert text_of(second, 2) == first
    assert finish_of(second, 2).usage.prefilled_tokens == 1


def test_a_model_that_cannot_cut_its_cache_reads_the_whole_prompt_again() -> None:
    loop = EngineLoop(CountingRunner(cuts=False))
    for ticket in (1, 2):
        loop.submit(a_job(ticket, max_tokens=3))
    events = run_out(loop)
    assert text_of(events, 1) == text_of(events, 2)
    assert finish_of(events, 2).usage.cached_tokens == 0


def test_replies_are_written_in_the_order_of_their_arrival() -> None:
    loop = EngineLoop(CountingRunner(slots=1))
    for ticket, session in ((1, MIRA), (2, TOBIAS), (3, MIRA)):
        loop.submit(a_job(ticket, session))
    ends = [event.ticket for event in run_out(loop) if isinstance(event.content, Finished)]
    assert ends == [1, 2, 3]


def test_a_cancelled_reply_frees_its_slot_and_leaves_what_was_read() -> None:
    runner = CountingRunner(slots=1, batch=32)
    loop = EngineLoop(runner)
    loop.submit(a_job(1))
    for _ in range(3):
        loop.step()
    loop.cancel(1)
    assert not loop.has_work
    loop.submit(a_job(2))
    events = run_out(loop)
    assert finish_of(events, 2).usage.cached_tokens == 96
    assert text_of(events, 1) == ""


def test_a_reply_cancelled_while_it_waits_is_never_written() -> None:
    loop = EngineLoop(CountingRunner())
    loop.submit(a_job(1))
    loop.submit(a_job(2, TOBIAS))
    loop.cancel(2)
    loop.cancel(77)
    assert {event.ticket for event in run_out(loop)} == {1}


def test_the_end_token_ends_a_reply_and_is_not_counted() -> None:
    loop = EngineLoop(CountingRunner(says="Yes."))
    loop.submit(a_job(max_tokens=50))
    events = run_out(loop)
    assert text_of(events) == "Yes."
    assert (finish_of(events).reason, finish_of(events).usage.completion_tokens) == (FinishReason.END, 4)


def test_a_failed_step_ends_its_reply_clears_its_slot_and_lets_the_next_one_work() -> None:
    runner = CountingRunner(fails_at=3)
    loop = EngineLoop(runner)
    loop.submit(a_job(1))
    loop.submit(a_job(2))
    events = run_out(loop)
    (failure,) = (event.content for event in events if event.ticket == 1)
    assert isinstance(failure, EngineUnavailable)
    assert "told to fail" in str(failure)
    assert finish_of(events, 2).usage.cached_tokens == 0


def test_a_reply_that_cannot_begin_ends_alone() -> None:
    loop = EngineLoop(CountingRunner())
    loop.submit(a_job(ticket=1, prompt=(1, 2, 31_999)))
    loop.submit(a_job(ticket=2, session=TOBIAS))
    events = run_out(loop)
    assert isinstance(events[0].content, EngineUnavailable)
    assert len(text_of(events, ticket=2)) == 5


def test_a_runner_that_cannot_even_clear_a_slot_is_given_up() -> None:
    runner = CountingRunner(fails_at=1)
    loop = EngineLoop(runner)

    def broken(slot: int, length: int) -> bool:
        raise RunnerFailed(f"slot {slot} cannot keep {length}")

    runner.keep = broken  # type: ignore[method-assign]  # the one thing that breaks in this test
    loop.submit(a_job())
    with pytest.raises(RunnerFailed):
        loop.step()


def test_reading_ahead_makes_the_next_reply_start_at_once() -> None:
    loop = EngineLoop(CountingRunner())
    loop.warm(MIRA, LONG)
    run_out(loop)
    loop.submit(a_job(prompt=(*LONG, 1, 2, 3), max_tokens=1))
    assert finish_of(run_out(loop)).usage.prefilled_tokens == 3
    assert (loop.statistics.warmed_tokens, loop.statistics.prefilled_tokens) == (200, 3)


def test_reading_ahead_gives_way_to_a_reply_keeps_what_it_read_and_goes_on_later() -> None:
    runner = CountingRunner(batch=128)
    loop = EngineLoop(runner)
    loop.warm(MIRA, LONG)
    loop.step()
    assert runner.held(0) == LONG[:WARM_TOKENS]
    loop.submit(a_job(1, TOBIAS, (5, 6), max_tokens=2))
    while not any(isinstance(event.content, Finished) for event in loop.step()):
        assert runner.held(0) == LONG[:WARM_TOKENS]
    run_out(loop)
    assert runner.held(0) == LONG


def test_a_reply_ends_the_reading_ahead_for_its_own_session() -> None:
    runner = CountingRunner()
    loop = EngineLoop(runner)
    loop.warm(MIRA, (9, *LONG))
    loop.submit(a_job(prompt=(1, 2, 3), max_tokens=1))
    run_out(loop)
    assert loop.statistics.warmed_tokens == 0


def test_a_newer_reading_ahead_replaces_an_older_one() -> None:
    runner = CountingRunner()
    loop = EngineLoop(runner)
    loop.warm(MIRA, LONG)
    loop.warm(MIRA, (1, 2, 3))
    run_out(loop)
    assert runner.held(0) == (1, 2, 3)


def test_reading_ahead_never_costs_another_session_its_cache() -> None:
    runner = CountingRunner(slots=1)
    loop = EngineLoop(runner)
    loop.submit(a_job(max_tokens=1))
    run_out(loop)
    loop.warm(TOBIAS, (4, 5, 6))
    run_out(loop)
    assert runner.held(0) == LONG


def test_reading_ahead_what_is_cached_already_cuts_nothing_off() -> None:
    runner = CountingRunner()
    loop = EngineLoop(runner)
    loop.warm(MIRA, LONG)
    run_out(loop)
    loop.warm(MIRA, LONG[:50])
    run_out(loop)
    assert runner.held(0) == LONG


def test_a_prompt_that_cannot_fit_is_not_read_ahead() -> None:
    loop = EngineLoop(CountingRunner(context=100))
    loop.warm(MIRA, LONG)
    assert not loop.has_work


def test_a_failure_while_reading_ahead_is_logged_and_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    runner = CountingRunner(fails_at=2)
    loop = EngineLoop(runner)
    loop.warm(MIRA, LONG)
    run_out(loop)
    assert "reading ahead failed" in caplog.text
    assert runner.held(0) == ()
    loop.submit(a_job(max_tokens=1))
    assert finish_of(run_out(loop)).usage.cached_tokens == 0


def test_the_statistics_add_up() -> None:
    runner = CountingRunner()
    loop = EngineLoop(runner)
    loop.warm(TOBIAS, (1, 2, 3, 4))
    loop.submit(a_job(1, max_tokens=4))
    loop.submit(a_job(2, max_tokens=4))
    run_out(loop)
    sums = loop.statistics
    assert (sums.decode_tokens, sums.steps) == (runner.handed, runner.steps)
    assert sums.prompt_tokens == sums.cached_tokens + sums.prefilled_tokens == 400
    # All that was handed over: prompts, what was read ahead, and each reply's tokens but its last.
    assert sums.decode_tokens == sums.prefilled_tokens + sums.warmed_tokens + sums.completion_tokens - 2
