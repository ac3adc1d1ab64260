import pytest

from bot.engine.pace import Pace


def a_pace(writing: float = 0.05, reading: float = 0.002, reply: int = 100) -> Pace:
    """A pace that measured 50 ms for a step of four rows, 2 ms for a token that is read, and replies of 100 tokens."""
    pace = Pace(target=0.2)
    pace.take(written=4, read=0, seconds=writing)
    pace.take(written=0, read=100, seconds=100 * reading)
    pace.take_reply(reply)
    return pace


def test_as_many_tokens_are_read_as_fit_into_the_target_beside_what_is_written() -> None:
    assert a_pace().room(rows=4, chunk=16, most=512) == 75  # (200 - 50) ms at 2 ms a token
    assert a_pace().room(rows=0, chunk=16, most=512) == 100


def test_a_stretch_is_always_read_however_slow_the_machine_is() -> None:
    assert a_pace(writing=5.0).room(rows=4, chunk=16, most=512) == 16
    assert a_pace(reading=1.0).room(rows=4, chunk=16, most=512) == 16


def test_no_more_is_read_than_a_step_takes() -> None:
    assert a_pace(reading=1e-6).room(rows=4, chunk=16, most=96) == 96


def test_before_anything_was_measured_one_stretch_is_read() -> None:
    assert Pace(target=0.2).room(rows=3, chunk=16, most=512) == 16


def test_what_a_mixed_step_took_beyond_its_writing_is_the_time_of_its_reading() -> None:
    pace = a_pace()
    for _ in range(60):
        pace.take(written=4, read=50, seconds=0.05 + 50 * 0.004)
    assert pace.room(rows=4, chunk=16, most=512) == pytest.approx(37, abs=1)


def test_a_machine_that_slows_down_is_noticed_within_some_steps() -> None:
    pace = a_pace()
    for _ in range(30):
        pace.take(written=4, read=0, seconds=0.1)
    assert pace.writing(4) == pytest.approx(0.1, rel=0.02)


def test_for_a_number_of_rows_that_was_never_measured_the_nearest_counts() -> None:
    pace = a_pace()
    pace.take(written=8, read=0, seconds=0.09)
    assert (pace.writing(3), pace.writing(7), pace.writing(0)) == (0.05, 0.09, 0.0)


def test_a_wait_is_the_time_of_reading_and_of_a_usual_reply() -> None:
    assert a_pace().reply_seconds(prompt=50, rows=4) == pytest.approx(50 * 0.002 + 100 * 0.05)
    assert Pace(target=0.2).reply_seconds(prompt=50, rows=4) is None
