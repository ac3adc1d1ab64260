"""The loop with memory behind its slots: what a session left there is found again, and nothing wrong ever is."""

from dataclasses import replace

import pytest

from bot.engine.memory import StateMemory
from bot.errors import RunnerFailed
from bot.ids import SessionId
from bot.ports.runner import SlotState
from bot.ports.shelf import KeptState
from tests.engine.stage import LONG, MIRA, RAIN, TOBIAS, a_job, a_loop, a_warm_up, finish_of, ids_of, run_out, text_of
from tests.fakes.runner import CountingRunner
from tests.fakes.shelf import MemoryShelf

PLENTY = 10_000_000


def a_state(size: int = 100, tokens: tuple[int, ...] = (1, 2)) -> KeptState:
    return KeptState("counting", "", tokens, (len(tokens),), memoryview(bytes(size)))


def test_the_longest_unused_states_move_to_the_shelf_when_memory_is_full() -> None:
    shelf = MemoryShelf()
    memory = StateMemory(300, shelf)
    for session in (MIRA, TOBIAS, RAIN):
        memory.keep(session, a_state())
    assert [shelf.holds(session) for session in (MIRA, TOBIAS, RAIN)] == [True, False, False]
    ram, disk = memory.statistics()
    assert (ram.entries, ram.dropped, disk.entries) == (2, 1, 1)
    assert ram.bytes == 2 * a_state().size <= 300


def test_a_state_is_in_one_place_at_a_time() -> None:
    shelf = MemoryShelf()
    memory = StateMemory(0, shelf)
    memory.keep(MIRA, a_state())
    memory.send_for(MIRA)
    assert memory.is_away(MIRA)
    memory.receive({MIRA})
    assert not memory.is_away(MIRA)
    assert memory.take(MIRA) == a_state()
    assert not shelf.holds(MIRA)
    assert memory.take(MIRA) is None


def test_what_was_sent_for_and_is_not_wanted_any_more_is_kept_like_any_other() -> None:
    shelf = MemoryShelf()
    memory = StateMemory(0, shelf)
    memory.keep(MIRA, a_state())
    memory.send_for(MIRA)
    memory.receive(set())
    assert shelf.holds(MIRA)


def test_a_forgotten_session_is_nowhere() -> None:
    shelf = MemoryShelf()
    memory = StateMemory(150, shelf)
    memory.keep(MIRA, a_state())
    memory.keep(TOBIAS, a_state())
    for session in (MIRA, TOBIAS):
        memory.forget(session)
        assert memory.take(session) is None
        assert not shelf.holds(session)
    assert memory.statistics()[0].bytes == 0


@pytest.mark.parametrize("limit", [PLENTY, 0], ids=["in memory", "on the shelf"])
def test_a_session_that_lost_its_slot_goes_on_without_reading_its_story_again(limit: int) -> None:
    loop = a_loop(CountingRunner(slots=1), memory_bytes=limit, shelf=MemoryShelf())
    loop.submit(a_job(1, MIRA, max_tokens=5))
    reply = ids_of(run_out(loop))
    loop.submit(a_job(2, TOBIAS, LONG[7:], max_tokens=5))
    run_out(loop)
    loop.submit(a_job(3, MIRA, (*LONG, *reply, 7, 8, 9), max_tokens=1))
    assert finish_of(run_out(loop), 3).usage.prefilled_tokens == 4
    assert (loop.statistics.evictions, loop.statistics.slot_hits) == (2, 0)
    loop.submit(a_job(4, MIRA, (*LONG, *reply, 7, 8, 9), max_tokens=1))
    run_out(loop)
    assert (loop.statistics.evictions, loop.statistics.slot_hits) == (2, 1)


def test_without_memory_and_shelf_nothing_is_saved() -> None:
    runner = CountingRunner(slots=1)
    loop = a_loop(runner)

    def refused(slot: int) -> SlotState:
        raise AssertionError(f"slot {slot} was saved")

    runner.save = refused  # type: ignore[method-assign]  # nothing may call it
    for ticket, session in ((1, MIRA), (2, TOBIAS)):
        loop.submit(a_job(ticket, session))
    run_out(loop)
    loop.close()


def test_the_reply_is_the_same_from_memory_after_a_restart_and_without_both() -> None:
    told = (*LONG, 7, 8, 9)
    borders = (40, 120, len(LONG))
    texts: list[str] = []
    for way in ("never left", "from memory", "after a restart", "read anew"):
        shelf = MemoryShelf()
        runner = CountingRunner(slots=1, chunk=16)
        loop = a_loop(runner, memory_bytes=PLENTY, shelf=shelf)
        loop.warm(a_warm_up(borders=borders))
        run_out(loop)
        if way == "from memory":
            loop.submit(a_job(1, TOBIAS, LONG[9:]))
            run_out(loop)
        if way in ("after a restart", "read anew"):
            loop.close()
            shelf = shelf.reopened() if way == "after a restart" else MemoryShelf()
            loop = a_loop(CountingRunner(slots=1, chunk=16), memory_bytes=PLENTY, shelf=shelf)
        loop.submit(a_job(2, MIRA, told, borders=borders, max_tokens=20))
        events = run_out(loop)
        texts.append(text_of(events, 2))
        assert finish_of(events, 2).usage.prefilled_tokens == (len(told) if way == "read anew" else 3)
    assert len(set(texts)) == 1


def test_a_reply_that_was_written_is_kept_as_it_was_written_through_a_restart() -> None:
    texts: list[str] = []
    for restarts in (False, True):
        shelf = MemoryShelf()
        loop = a_loop(CountingRunner(slots=1, chunk=16), shelf=shelf)
        loop.submit(a_job(1, MIRA, max_tokens=20))
        reply = ids_of(run_out(loop))
        if restarts:
            loop.close()
            loop = a_loop(CountingRunner(slots=1, chunk=16), shelf=shelf.reopened())
        told = (*LONG, *reply, 7, 8)
        loop.submit(a_job(2, MIRA, told, borders=(len(told) - 2,), max_tokens=20))
        events = run_out(loop)
        assert finish_of(events, 2).usage.prefilled_tokens == 3
        texts.append(text_of(events, 2))
    assert texts[0] == texts[1]


def test_a_state_of_another_model_is_not_even_tried(caplog: pytest.LogCaptureFixture) -> None:
    shelf = MemoryShelf()
    loop = a_loop(CountingRunner(slots=1), shelf=shelf)
    loop.warm(a_warm_up())
    run_out(loop)
    loop.close()
    other = a_loop(CountingRunner(slots=1, identity="another model"), shelf=shelf.reopened())
    other.submit(a_job(1, max_tokens=1))
    assert finish_of(run_out(other)).usage.cached_tokens == 0
    assert caplog.text == ""


def test_a_state_that_cannot_be_restored_costs_reading_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    runner = CountingRunner(slots=1)
    loop = a_loop(runner, memory_bytes=PLENTY)
    for ticket, session in ((1, MIRA), (2, TOBIAS)):
        loop.submit(a_job(ticket, session, max_tokens=1))
        run_out(loop)

    def broken(slot: int, state: SlotState, length: int) -> bool:
        raise RunnerFailed(f"slot {slot} takes no {length} tokens of {state.nbytes} bytes")

    runner.restore = broken  # type: ignore[method-assign]  # the one thing that breaks in this test
    loop.submit(a_job(3, MIRA, max_tokens=1))
    assert finish_of(run_out(loop), 3).usage.cached_tokens == 0
    assert "could not be restored" in caplog.text


def test_a_state_that_cannot_be_saved_costs_reading_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    runner = CountingRunner(slots=1)
    loop = a_loop(runner, memory_bytes=PLENTY)

    def broken(slot: int) -> SlotState:
        raise RunnerFailed(f"slot {slot} cannot be saved")

    runner.save = broken  # type: ignore[method-assign]  # the one thing that breaks in this test
    for ticket, session in ((1, MIRA), (2, TOBIAS), (3, MIRA)):
        loop.submit(a_job(ticket, session, max_tokens=1))
    assert finish_of(run_out(loop), 3).usage.cached_tokens == 0
    assert "could not be saved" in caplog.text


def test_a_damaged_state_costs_reading_and_nothing_else() -> None:
    shelf = MemoryShelf()
    loop = a_loop(CountingRunner(slots=1), shelf=shelf)
    for ticket, session in ((1, MIRA), (2, TOBIAS)):
        loop.submit(a_job(ticket, session, max_tokens=1))
        run_out(loop)
    shelf.damage(MIRA)
    loop.submit(a_job(3, MIRA, max_tokens=1))
    assert finish_of(run_out(loop), 3).usage.cached_tokens == 0
    assert loop.statistics.disk.damaged == 1


def test_a_state_too_large_for_memory_pushes_nobody_out() -> None:
    shelf = MemoryShelf()
    memory = StateMemory(500, shelf)
    memory.keep(MIRA, a_state())
    memory.keep(TOBIAS, a_state(size=5_000))
    assert memory.take(MIRA) == a_state()
    assert shelf.holds(TOBIAS)


def test_a_state_that_was_brought_for_a_reply_that_is_cancelled_is_not_lost() -> None:
    shelf = MemoryShelf()
    loop = a_loop(CountingRunner(slots=1), shelf=shelf)
    for ticket, session in ((1, MIRA), (2, TOBIAS)):
        loop.submit(a_job(ticket, session, max_tokens=1))
    run_out(loop)
    loop.submit(a_job(3, TOBIAS, max_tokens=50))
    loop.submit(a_job(4, MIRA, max_tokens=1))
    for _ in range(3):
        loop.step()
    assert not shelf.holds(MIRA)
    loop.cancel(4)
    assert shelf.holds(MIRA)


def test_no_more_states_are_brought_than_could_have_a_slot() -> None:
    shelf = MemoryShelf()
    loop = a_loop(CountingRunner(slots=2), shelf=shelf)
    sessions = [SessionId(f"session {number}") for number in range(8)]
    for ticket, session in enumerate(sessions):
        loop.submit(a_job(ticket, session, max_tokens=1))
    run_out(loop)
    loop.close()
    shelf = shelf.reopened()
    loop = a_loop(CountingRunner(slots=2), shelf=shelf)
    for ticket, session in enumerate(sessions):
        loop.submit(a_job(ticket, session, max_tokens=3))
    loop.step()
    assert sum(shelf.holds(session) for session in sessions) >= 6
    assert all(finish_of(run_out(loop), ticket).usage.cached_tokens > 0 for ticket in (7,))


def test_a_story_that_was_divided_otherwise_is_read_anew() -> None:
    texts: list[str] = []
    shelf = MemoryShelf()
    loop = a_loop(CountingRunner(slots=1, chunk=8), shelf=shelf)
    loop.warm(a_warm_up(borders=(50, len(LONG))))
    run_out(loop)
    loop.close()
    for kept in (shelf.reopened(), MemoryShelf()):
        loop = a_loop(CountingRunner(slots=1, chunk=16), shelf=kept)
        loop.submit(a_job(1, prompt=(*LONG, 1, 2), borders=(50, len(LONG)), max_tokens=20))
        texts.append(text_of(run_out(loop)))
    assert texts[0] == texts[1]


def test_a_session_that_changes_its_adapter_is_read_anew() -> None:
    runner = CountingRunner(slots=2, adapters=("noir",))
    loop = a_loop(runner, memory_bytes=PLENTY)
    loop.submit(a_job(1, MIRA, max_tokens=1))
    run_out(loop)
    loop.submit(a_job(2, MIRA, max_tokens=1, adapter="noir"))
    assert finish_of(run_out(loop), 2).usage.cached_tokens == 0


def test_what_is_not_to_be_kept_leaves_nothing_behind() -> None:
    runner = CountingRunner(slots=1)
    shelf = MemoryShelf()
    loop = a_loop(runner, memory_bytes=PLENTY, shelf=shelf)
    loop.submit(a_job(1, MIRA, keeps=False))
    loop.submit(a_job(2, TOBIAS, keeps=False, max_tokens=400))
    while loop.statistics.finished < 1 or loop.statistics.writing < 1:
        loop.step()
    loop.cancel(2)
    assert runner.held(0) == ()
    loop.close()
    assert not shelf.holds(MIRA)
    assert not shelf.holds(TOBIAS)


def test_a_session_waits_for_its_own_state_only() -> None:
    shelf = MemoryShelf()
    loop = a_loop(CountingRunner(slots=2), shelf=shelf)
    loop.submit(a_job(1, MIRA, max_tokens=1))
    run_out(loop)
    loop.close()
    shelf = shelf.reopened()
    runner = CountingRunner(slots=2)
    loop = a_loop(runner, shelf=shelf)
    shelf.holds_back = True
    loop.submit(a_job(2, MIRA, max_tokens=1))
    loop.submit(a_job(3, TOBIAS, (1, 2, 3), max_tokens=1))
    loop.step()
    assert loop.statistics.finished == 1
    assert loop.is_idle
    shelf.holds_back = False
    assert finish_of(run_out(loop), 2).usage.cached_tokens > 0


def test_reading_ahead_goes_on_from_what_was_kept() -> None:
    shelf = MemoryShelf()
    loop = a_loop(CountingRunner(slots=1), shelf=shelf)
    loop.warm(a_warm_up())
    run_out(loop)
    loop.close()
    runner = CountingRunner(slots=1)
    loop = a_loop(runner, shelf=shelf.reopened())
    loop.warm(a_warm_up(tokens=(*LONG, 5, 6), borders=(len(LONG),)))
    run_out(loop)
    assert (runner.held(0), loop.statistics.warmed_tokens) == ((*LONG, 5, 6), 2)


def test_many_sessions_over_few_slots_read_every_token_once() -> None:
    runner = CountingRunner(slots=3, chunk=16, batch=64)
    loop = a_loop(runner, memory_bytes=5_000, shelf=MemoryShelf())
    stories = {SessionId(f"session {number}"): LONG[number:] for number in range(12)}
    fresh = 0
    for turn in range(3):
        for number, (session, story) in enumerate(stories.items()):
            borders = tuple(len(LONG) - number + 3 * each for each in range(turn + 1))
            told = (*story, 9, 9, 9)
            loop.submit(replace(a_job(100 * turn + number, session, told, max_tokens=2), borders=borders))
            stories[session] = told
            fresh += len(told) if turn == 0 else 3
        run_out(loop)
    assert loop.statistics.prefilled_tokens == fresh
