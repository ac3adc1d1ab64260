import pytest

from tests.engine.stage import LONG, TOBIAS, a_job, a_loop, a_warm_up, ends, finish_of, run_out, text_of
from tests.fakes.runner import CountingRunner


def test_reading_ahead_makes_the_next_reply_start_at_once() -> None:
    loop = a_loop(CountingRunner())
    loop.warm(a_warm_up())
    run_out(loop)
    loop.submit(a_job(prompt=(*LONG, 1, 2, 3), borders=(len(LONG),), max_tokens=1))
    assert finish_of(run_out(loop)).usage.prefilled_tokens == 3
    assert (loop.statistics.warmed_tokens, loop.statistics.prefilled_tokens) == (200, 3)


def test_what_was_read_ahead_gives_the_same_reply_as_what_is_read_when_it_is_needed() -> None:
    told = (*LONG, 1, 2, 3)
    texts: list[str] = []
    for ahead in (True, False):
        loop = a_loop(CountingRunner(chunk=16))
        if ahead:
            loop.warm(a_warm_up(borders=(30, 150)))
            run_out(loop)
        loop.submit(a_job(prompt=told, borders=(30, 150, len(LONG)), max_tokens=9))
        texts.append(text_of(run_out(loop)))
    assert texts[0] == texts[1]


def test_reading_ahead_gives_way_to_a_reply_keeps_what_it_read_and_goes_on_later() -> None:
    runner = CountingRunner(batch=128, chunk=64)
    loop = a_loop(runner)
    loop.warm(a_warm_up())
    loop.step()
    assert runner.held(0) == LONG[:64]
    loop.submit(a_job(1, TOBIAS, (5, 6), max_tokens=2))
    while not ends(list(loop.step())):
        assert runner.held(0) == LONG[:64]
    run_out(loop)
    assert runner.held(0) == LONG


def test_a_reply_ends_the_reading_ahead_for_its_own_session() -> None:
    loop = a_loop(CountingRunner())
    loop.warm(a_warm_up(tokens=(9, *LONG)))
    loop.submit(a_job(prompt=(1, 2, 3), max_tokens=1))
    run_out(loop)
    assert loop.statistics.warmed_tokens == 0


def test_a_newer_reading_ahead_replaces_an_older_one() -> None:
    runner = CountingRunner()
    loop = a_loop(runner)
    loop.warm(a_warm_up())
    loop.warm(a_warm_up(tokens=(1, 2, 3)))
    run_out(loop)
    assert runner.held(0) == (1, 2, 3)


def test_reading_ahead_never_costs_another_session_its_cache() -> None:
    runner = CountingRunner(slots=1)
    loop = a_loop(runner, memory_bytes=1_000_000)
    loop.submit(a_job(max_tokens=1))
    run_out(loop)
    loop.warm(a_warm_up(TOBIAS, (4, 5, 6)))
    run_out(loop)
    assert runner.held(0) == LONG


def test_what_was_taken_back_from_the_story_is_gone_from_the_model_once_the_story_is_read_ahead() -> None:
    runner = CountingRunner()
    loop = a_loop(runner)
    loop.warm(a_warm_up(borders=(50,)))
    run_out(loop)
    loop.warm(a_warm_up(tokens=LONG[:50]))
    run_out(loop)
    assert runner.held(0) == LONG[:50]


def test_a_prompt_that_cannot_fit_is_not_read_ahead() -> None:
    loop = a_loop(CountingRunner(context=100))
    loop.warm(a_warm_up())
    assert not loop.has_work


@pytest.mark.parametrize("step", [2, 7], ids=["in the middle", "in the last step"])
def test_a_failure_while_reading_ahead_is_logged_and_forgotten(caplog: pytest.LogCaptureFixture, step: int) -> None:
    runner = CountingRunner(fails_at=step)
    loop = a_loop(runner)
    loop.warm(a_warm_up())
    run_out(loop)
    assert "reading ahead failed" in caplog.text
    assert runner.held(0) == ()
    loop.submit(a_job(max_tokens=1))
    assert finish_of(run_out(loop)).usage.cached_tokens == 0
