"""Counts and durations of what happens."""

import pytest

from bot.metrics import BOUNDS, LABELS, OTHER, Metrics


def test_a_duration_is_counted_in_the_first_bound_that_it_does_not_pass() -> None:
    metrics = Metrics()
    for seconds in (0.0, 0.001, 0.0011, 600.0, 602.0):
        metrics.took("step", seconds, "first")
    spread = metrics.durations["step", "first"]
    assert (spread.counts[0], spread.counts[1], spread.counts[len(BOUNDS) - 1], spread.counts[-1]) == (2, 1, 1, 1)
    assert sum(spread.counts) == 5
    assert spread.seconds == pytest.approx(1202.0021)


def test_the_total_of_a_counter_is_that_of_all_its_labels() -> None:
    metrics = Metrics()
    metrics.count("turns", "end", 2)
    metrics.count("turns", "stop")
    metrics.count("other")
    assert metrics.total("turns") == 3


def test_labels_that_others_choose_do_not_grow_without_end() -> None:
    metrics = Metrics()
    for number in range(LABELS + 10):
        metrics.count("errors", f"M_{number}")
    metrics.count("errors", "M_0")
    metrics.count("turns", "end")
    assert len(metrics.counts) == LABELS + 2
    assert (metrics.counts["errors", OTHER], metrics.counts["errors", "M_0"]) == (10, 2)
