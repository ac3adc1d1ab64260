"""How late the event loop is, and how much is done of late."""

import asyncio

import pytest

from adapters.metrics.pulse import BEAT, NOTED_EVERY, OVER, Pulse, Rates
from bot.metrics import Metrics
from tests.fakes.clock import FrozenClock


async def test_a_loop_that_is_late_shows_by_how_much() -> None:
    clock, metrics = FrozenClock(), Metrics()
    beating = asyncio.create_task(Pulse(clock, metrics).beat())
    for seconds in (BEAT, BEAT + 3):
        while not clock.sleeping:
            await asyncio.sleep(0)
        clock.move(seconds)
        while clock.sleeping and clock.sleeping[0] <= 0:
            await asyncio.sleep(0)
    while not clock.sleeping:
        await asyncio.sleep(0)
    beating.cancel()
    assert metrics.durations["event_loop_lag_seconds", ""].seconds == pytest.approx(3)
    assert sum(metrics.durations["event_loop_lag_seconds", ""].counts) == 2


def test_rates_are_those_of_the_last_minutes() -> None:
    clock, metrics = FrozenClock(), Metrics()
    pulse = Pulse(clock, metrics)
    assert pulse.rates == Rates()
    pulse.note()
    for _ in range(100):
        clock.move(NOTED_EVERY)
        metrics.count("turns", "end", 2)
        metrics.count("tokens", "written", 50)
        metrics.count("tokens", "prompt", 9999)
        pulse.note()
    assert pulse.rates == Rates(turns=12.0, tokens=5.0)
    assert len(pulse._notes) <= OVER / NOTED_EVERY + 1
    for _ in range(int(OVER / NOTED_EVERY)):
        clock.move(NOTED_EVERY)
        pulse.note()
    assert pulse.rates == Rates()
