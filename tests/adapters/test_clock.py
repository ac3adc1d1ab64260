"""The real clock keeps the promises of the port."""

import time

from adapters.clock import SystemClock
from bot.ports.clock import Clock


async def test_the_real_clock_is_a_clock() -> None:
    clock: Clock = SystemClock()
    assert abs(clock.now() - time.time()) < 60
    before = clock.ticks()
    await clock.sleep(0)
    assert clock.ticks() >= before
