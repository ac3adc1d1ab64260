import pytest

from bot.errors import EngineBusy, EngineUnavailable, RunnerFailed
from bot.ids import CommunityId, SessionId
from bot.ports.engine import Finished, FinishReason, TextDelta, Waiting
from tests.engine.stage import (
    LONG,
    MIRA,
    RAIN,
    TOBIAS,
    a_job,
    a_loop,
    a_warm_up,
    ends,
    finish_of,
    ids_of,
    run_out,
    text_of,
    waits,
)
from tests.fakes.runner import CountingRunner

GUILD, CLUB = CommunityId("guild"), CommunityId("club")


def test_a_prompt_is_read_in_stretches_no_longer_than_a_chunk_and_drawn_from_at_its_end() -> None:
    runner = CountingRunner(chunk=30)
    loop = a_loop(runner)
    loop.submit(a_job(max_tokens=1))
    finish = finish_of(run_out(loop))
    assert (finish.reason, finish.usage.completion_tokens) == (FinishReason.LENGTH, 1)
    assert [size for step in runner.sizes for _, size in step] == [30] * 6 + [20]
    assert runner.held(0) == LONG


def test_a_prompt_is_divided_where_its_parts_begin() -> None:
    runner = CountingRunner(chunk=30)
    loop = a_loop(runner)
    loop.submit(a_job(max_tokens=1, borders=(50, 90)))
    run_out(loop)
    assert [size for step in runner.sizes for _, size in step] == [30, 20, 30, 10, 30, 30, 30, 20]


def test_the_penalty_is_told_the_whole_prompt() -> None:
    runner = CountingRunner()
    loop = a_loop(runner)
    loop.submit(a_job())
    run_out(loop)
    assert runner.histories == [LONG]


def test_the_next_turn_of_a_session_reads_only_what_is_new() -> None:
    runner = CountingRunner()
    loop = a_loop(runner)
    loop.submit(a_job(max_tokens=6))
    first = run_out(loop)
    before = runner.handed
    loop.submit(a_job(2, prompt=(*LONG, *ids_of(first), 7, 8, 9), max_tokens=1))
    usage = finish_of(run_out(loop), 2).usage
    assert usage.cached_tokens == len(LONG) + 5  # the last token of a reply is drawn, not read
    assert usage.prefilled_tokens == 4
    assert runner.handed - before == 4


def test_a_reply_that_is_read_again_under_another_header_leaves_nothing_else_to_read_again() -> None:
    runner = CountingRunner(chunk=16, batch=64)
    loop = a_loop(runner)
    story = LONG[:120]
    loop.submit(a_job(prompt=(*story, 200, 201), borders=(50, 120), max_tokens=20))
    reply = ids_of(run_out(loop))
    told = (*story, 202, *reply)
    before = runner.handed
    loop.submit(a_job(2, prompt=(*told, 9, 9, 9, 200, 201), borders=(50, 120, len(told), len(told) + 3), max_tokens=1))
    finish = finish_of(run_out(loop), 2)
    assert finish.usage.cached_tokens == len(story)
    assert runner.handed - before == 1 + 20 + 3 + 2


def test_a_wholly_cached_prompt_has_only_its_last_part_read_again_to_draw_from() -> None:
    loop = a_loop(CountingRunner(batch=64))
    loop.submit(a_job(max_tokens=3, borders=(60, 190)))
    first = text_of(run_out(loop))
    loop.submit(a_job(2, max_tokens=3, borders=(60, 190)))
    second = run_out(loop)
    assert text_of(second, 2) == first
    assert finish_of(second, 2).usage.prefilled_tokens == 10


def test_where_numbers_depend_on_the_neighbours_anyway_no_token_is_read_for_exactness_sake() -> None:
    loop = a_loop(CountingRunner(batch=64, exact=False))
    for ticket in (1, 2):
        loop.submit(a_job(ticket, max_tokens=3, borders=(60, 190)))
    assert finish_of(run_out(loop), 2).usage.prefilled_tokens == 1


def test_a_model_that_cannot_cut_its_cache_reads_the_whole_prompt_again() -> None:
    loop = a_loop(CountingRunner(cuts=False))
    for ticket in (1, 2):
        loop.submit(a_job(ticket, max_tokens=3))
    events = run_out(loop)
    assert text_of(events, 1) == text_of(events, 2)
    assert finish_of(events, 2).usage.cached_tokens == 0


# Many at once.


def test_replies_of_different_sessions_are_written_side_by_side() -> None:
    runner = CountingRunner(slots=3)
    loop = a_loop(runner)
    for ticket, session in enumerate((MIRA, TOBIAS, RAIN), 1):
        loop.submit(a_job(ticket, session, (1, 2, 3), max_tokens=8))
    run_out(loop)
    assert sum(len(step) == 3 for step in runner.sizes) >= 7


def test_what_is_written_together_stands_side_by_side_where_that_pays() -> None:
    runner = CountingRunner(slots=6, neighbours=True)
    loop = a_loop(runner)
    for ticket in range(1, 7):
        loop.submit(a_job(ticket, SessionId(f"story {ticket}"), (ticket, 2, 3), max_tokens=1))
    run_out(loop)
    before = len(runner.sizes)
    for ticket in (1, 3, 6):
        loop.submit(a_job(ticket, SessionId(f"story {ticket}"), (ticket, 2, 3, 4, 5), max_tokens=8, borders=(3,)))
    events = run_out(loop)
    together = [sorted(slot for slot, _ in step) for step in runner.sizes[before:] if [size for _, size in step] == [1, 1, 1]]
    assert len(together) >= 7
    assert all(slots[2] - slots[0] == 2 for slots in together)
    assert all(finish_of(events, ticket).usage.cached_tokens == 3 for ticket in (1, 3, 6))


def test_a_reply_is_the_same_alone_and_among_seven_others_whoever_comes_and_goes() -> None:
    alone = a_loop(CountingRunner(slots=8, batch=64, chunk=16))
    alone.submit(a_job(1, max_tokens=30, borders=(40, 170)))
    wanted = text_of(run_out(alone))

    runner = CountingRunner(slots=8, batch=64, chunk=16)
    crowded = a_loop(runner)
    for ticket in range(2, 9):
        crowded.submit(a_job(ticket, SessionId(f"other {ticket}"), LONG[ticket:], max_tokens=20 * ticket, borders=(ticket,)))
    for _ in range(5):
        crowded.step()
    crowded.submit(a_job(1, max_tokens=30, borders=(40, 170)))
    crowded.submit(a_job(9, SessionId("late"), LONG[50:], max_tokens=9))
    crowded.cancel(4)
    assert text_of(run_out(crowded), 1) == wanted
    assert max(map(len, runner.sizes)) > 4


def test_a_long_prompt_never_keeps_the_others_from_writing() -> None:
    runner = CountingRunner(slots=2, batch=64, chunk=16, seconds=(0.01, 0.001))
    loop = a_loop(runner, step_seconds=0.1)
    loop.submit(a_job(1, MIRA, (1, 2, 3), max_tokens=60))
    for _ in range(5):
        loop.step()
    loop.submit(a_job(2, TOBIAS, LONG * 2, max_tokens=1))
    before = len(runner.sizes)
    run_out(loop)
    reading = [step for step in runner.sizes[before:] if any(slot == 1 and size > 1 for slot, size in step)]
    assert len(reading) > 3
    assert all((0, 1) in step for step in reading)


def test_a_step_with_a_long_prompt_in_it_takes_no_longer_than_the_target() -> None:
    runner = CountingRunner(slots=2, batch=256, context=4096, chunk=16, seconds=(0.01, 0.001))
    loop = a_loop(runner, step_seconds=0.1)
    loop.submit(a_job(1, MIRA, (1, 2, 3), max_tokens=200))
    for _ in range(5):
        loop.step()
    loop.submit(a_job(2, TOBIAS, LONG * 10, max_tokens=1))
    lasted: list[float] = []
    while loop.has_work:
        before = runner.now
        loop.step()
        lasted.append(runner.now - before)
    assert max(lasted) < 0.12
    assert sorted(lasted)[-10] > 0.05  # and it is used, once the pace is known


def test_of_prompts_that_come_together_the_short_one_is_read_first_and_one_after_the_other() -> None:
    runner = CountingRunner(slots=2, batch=17, chunk=16)
    loop = a_loop(runner)
    loop.submit(a_job(1, MIRA, LONG * 2, max_tokens=1))
    loop.submit(a_job(2, TOBIAS, LONG[:40], max_tokens=1))
    assert ends(run_out(loop)) == [2, 1]
    assert [slot for step in runner.sizes for slot, size in step if size > 1][:4] == [1, 1, 1, 0]


def test_more_sessions_than_slots_are_all_served_and_hear_where_they_stand() -> None:
    loop = a_loop(CountingRunner(slots=2))
    for ticket in range(1, 6):
        loop.submit(a_job(ticket, SessionId(f"session {ticket}"), (ticket, 2, 3), max_tokens=4 + ticket % 2))
    first = loop.step()
    assert waits(first) == [(3, 1), (4, 2), (5, 3)]
    events = [*first, *run_out(loop)]
    assert sorted(ends(events)) == [1, 2, 3, 4, 5]
    assert waits(events)[3:] == [(4, 1), (5, 2), (5, 1)]


def test_who_waits_is_told_for_how_long_about_once_the_pace_is_known() -> None:
    runner = CountingRunner(slots=1, seconds=(0.1, 0.0))
    loop = a_loop(runner)
    loop.submit(a_job(1, MIRA, (1, 2, 3), max_tokens=10))
    run_out(loop)
    loop.submit(a_job(2, MIRA, (1, 2, 3), max_tokens=10))
    loop.submit(a_job(3, TOBIAS, (1, 2, 3), max_tokens=10))
    (wait,) = (event.content for event in loop.step() if isinstance(event.content, Waiting))
    assert wait.seconds == pytest.approx(1.0, abs=0.2)


def test_a_busy_community_does_not_crowd_out_another() -> None:
    loop = a_loop(CountingRunner(slots=1))
    for ticket in range(1, 6):
        loop.submit(a_job(ticket, SessionId(f"channel {ticket}"), (1, 2, 3), community=GUILD))
    loop.submit(a_job(6, MIRA, (1, 2, 3), community=CLUB))
    assert ends(run_out(loop))[:2] == [1, 6]


def test_two_replies_of_one_session_are_written_one_after_the_other() -> None:
    runner = CountingRunner(slots=4)
    loop = a_loop(runner)
    for ticket in (1, 2):
        loop.submit(a_job(ticket, MIRA, (1, 2, 3), max_tokens=4))
    events = run_out(loop)
    assert ends(events) == [1, 2]
    assert {slot for step in runner.sizes for slot, _ in step} == {0}


# Adapters.


def test_sessions_of_different_adapters_share_neither_a_step_nor_what_was_read() -> None:
    runner = CountingRunner(slots=3, adapters=("noir", "verse"))
    loop = a_loop(runner)
    for ticket, (session, adapter) in enumerate(((MIRA, "noir"), (TOBIAS, ""), (RAIN, "noir")), 1):
        loop.submit(a_job(ticket, session, (1, 2, 3), max_tokens=6, adapter=adapter))
    run_out(loop)
    for step, adapter in zip(runner.sizes, runner.adapters_of_steps, strict=True):
        slots = {slot for slot, _ in step}
        assert slots <= ({0, 2} if adapter == "noir" else {1})
    loop.submit(a_job(4, MIRA, (1, 2, 3), max_tokens=1, adapter="verse"))
    assert finish_of(run_out(loop), 4).usage.cached_tokens == 0


def test_adapters_take_turns_so_that_none_waits_for_the_end_of_another() -> None:
    runner = CountingRunner(slots=2, adapters=("noir",))
    loop = a_loop(runner)
    loop.submit(a_job(1, MIRA, (1, 2, 3), max_tokens=20, adapter="noir"))
    loop.submit(a_job(2, TOBIAS, (1, 2, 3), max_tokens=20))
    run_out(loop)
    assert runner.adapters_of_steps[:6] in ([*["", "noir"] * 3], [*["noir", ""] * 3])


# Ends.


def test_a_cancelled_reply_frees_its_slot_and_leaves_what_was_read() -> None:
    loop = a_loop(CountingRunner(slots=1, batch=32))
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
    loop = a_loop(CountingRunner(slots=1))
    loop.submit(a_job(1))
    loop.submit(a_job(2, TOBIAS))
    loop.cancel(2)
    loop.cancel(77)
    assert {event.ticket for event in run_out(loop)} == {1}
    assert loop.statistics.cancelled == 1


def test_the_end_token_ends_a_reply_and_is_not_counted() -> None:
    loop = a_loop(CountingRunner(says="Yes."))
    loop.submit(a_job(max_tokens=50))
    events = run_out(loop)
    assert text_of(events) == "Yes."
    assert (finish_of(events).reason, finish_of(events).usage.completion_tokens) == (FinishReason.END, 4)


def test_a_reply_that_waits_past_its_deadline_is_asked_to_come_back() -> None:
    runner = CountingRunner(slots=1, seconds=(1.0, 0.0))
    loop = a_loop(runner)
    loop.submit(a_job(1, MIRA, (1, 2, 3), max_tokens=20))
    loop.submit(a_job(2, TOBIAS, (1, 2, 3), deadline=5.0))
    events = run_out(loop)
    (told,) = (event.content for event in events if event.ticket == 2 and not isinstance(event.content, Waiting))
    assert isinstance(told, EngineBusy)
    assert told.seconds > 0
    assert loop.statistics.refused == 1


def test_a_reply_past_its_deadline_ends_with_what_it_says_by_then() -> None:
    runner = CountingRunner(slots=1, seconds=(1.0, 0.0), says="A long story of rain.")
    loop = a_loop(runner)
    loop.submit(a_job(1, MIRA, (1, 2, 3), max_tokens=20, deadline=6.0, stop=("long sleep",)))
    events = run_out(loop)
    assert finish_of(events).reason is FinishReason.DEADLINE
    assert finish_of(events).usage.prefilled_tokens == 3
    assert text_of(events) == "A long"  # what was held back as the possible beginning of a stop text is part of it


def test_a_deadline_while_the_prompt_is_read_tells_what_was_read_and_spoils_no_estimate() -> None:
    runner = CountingRunner(slots=1, seconds=(1.0, 0.0), chunk=16)
    loop = a_loop(runner)
    loop.submit(a_job(1, MIRA, (1, 2, 3), max_tokens=10))
    run_out(loop)
    before = loop._pace.reply_tokens()
    loop.submit(a_job(2, TOBIAS, deadline=runner.now + 3.0))
    events = run_out(loop)
    assert finish_of(events, 2).usage.prefilled_tokens == 48
    assert loop._pace.reply_tokens() == before


def test_a_failed_step_ends_its_replies_clears_their_slots_and_lets_the_next_ones_work() -> None:
    loop = a_loop(CountingRunner(fails_at=3, slots=2))
    for ticket, session in ((1, MIRA), (2, TOBIAS), (3, RAIN), (4, MIRA)):
        loop.submit(a_job(ticket, session, (1, 2, 3)))
    events = run_out(loop)
    failures = {event.ticket: event.content for event in events if isinstance(event.content, EngineUnavailable)}
    assert set(failures) == {1, 2}
    assert "told to fail" in str(failures[1])
    assert ends(events) == [3, 4]
    assert finish_of(events, 4).usage.cached_tokens == 0
    assert loop.statistics.failed == 2


def test_a_reply_that_cannot_begin_ends_alone() -> None:
    loop = a_loop(CountingRunner())
    loop.submit(a_job(ticket=1, prompt=(1, 2, 31_999)))
    loop.submit(a_job(ticket=2, session=TOBIAS))
    events = run_out(loop)
    assert isinstance(events[0].content, EngineUnavailable)
    assert len(text_of(events, ticket=2)) == 5


def test_a_runner_that_cannot_even_clear_a_slot_is_given_up() -> None:
    runner = CountingRunner(fails_at=1)
    loop = a_loop(runner)

    def broken(slot: int, length: int) -> bool:
        raise RunnerFailed(f"slot {slot} cannot keep {length}")

    runner.keep = broken  # type: ignore[method-assign]  # the one thing that breaks in this test
    loop.submit(a_job())
    with pytest.raises(RunnerFailed):
        loop.step()


def test_the_statistics_add_up() -> None:
    runner = CountingRunner(seconds=(0.5, 0.0))
    loop = a_loop(runner)
    loop.warm(a_warm_up(TOBIAS, (1, 2, 3, 4)))
    loop.submit(a_job(1, max_tokens=4))
    loop.submit(a_job(2, max_tokens=4))
    events = run_out(loop)
    sums = loop.statistics
    assert sums.prompt_tokens == sums.cached_tokens + sums.prefilled_tokens == 400
    assert (sums.requests, sums.finished, sums.waiting, sums.writing, sums.slots) == (2, 2, 0, 0, 2)
    assert (sums.decode_tokens, sums.steps, sums.step_seconds) == (runner.handed, runner.steps, runner.now)
    # All that was handed over: prompts, what was read ahead, and each reply's tokens but its last.
    assert sums.decode_tokens == sums.prefilled_tokens + sums.warmed_tokens + sums.completion_tokens - 2
    assert len([event for event in events if isinstance(event.content, TextDelta)]) == sums.completion_tokens
    assert len([event for event in events if isinstance(event.content, Finished)]) == sums.finished
