"""Figures in Prometheus' text format, and back."""

from adapters.metrics.exposition import page, process, read
from adapters.metrics.figures import Figure, Kind, Reading
from bot.metrics import Durations

TURNS = Figure("understudy_turns_total", Kind.COUNTER, "Replies.", ("outcome",))
SLOTS = Figure("understudy_slots", Kind.GAUGE, 'A "gauge"\nwith a \\ in its meaning.')
WALK = Figure("understudy_walk_seconds", Kind.HISTOGRAM, "Seconds.", ("station",))


def test_counters_and_gauges_come_back_as_they_were_written() -> None:
    readings = (TURNS.by({"end": 3, 'a "label"\nof others \\': 1}), SLOTS.now(4.5))
    assert read(page(readings).decode()) == readings


def test_half_a_letter_in_a_label_does_not_cost_the_page() -> None:
    assert read(page([TURNS.by({"a \ud83d b": 1})]).decode()) == (TURNS.by({"a ? b": 1}),)


def test_a_histogram_is_counts_up_to_each_bound() -> None:
    spread = Durations()
    for seconds in (0.0005, 0.7, 0.7, 1000.0):
        spread.add(seconds)
    text = page([Reading(WALK, durations={("decided",): spread})]).decode()
    assert "# TYPE understudy_walk_seconds histogram\n" in text
    for bound, count in (("0.001", 1), ("0.5", 1), ("1", 3), ("600", 3), ("+Inf", 4)):
        assert f'understudy_walk_seconds_bucket{{le="{bound}",station="decided"}} {count}.0\n' in text
    assert 'understudy_walk_seconds_count{station="decided"} 4.0\n' in text
    assert 'understudy_walk_seconds_sum{station="decided"} 1001.4005\n' in text


def test_the_process_is_told_of_under_our_own_name() -> None:
    names = {each.figure.name for each in process("understudy")}
    assert {"understudy_process_resident_memory_bytes", "understudy_process_open_fds"} <= names
    assert "understudy_process_cpu_seconds_total" in names
