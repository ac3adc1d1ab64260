"""A clock that stands still until a test moves it. It never reads the real time."""

import asyncio


class FrozenClock:
    """Tells the time it was given; `move` lets time pass and wakes the sleepers whose time has come."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._ticks = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._now

    def ticks(self) -> float:
        return self._ticks

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        sleeper = (self._ticks + seconds, asyncio.get_running_loop().create_future())
        self._sleepers.append(sleeper)
        try:
            await sleeper[1]
        finally:
            self._sleepers.remove(sleeper)

    def move(self, seconds: float) -> None:
        """Let this many seconds pass at once."""
        self._now += seconds
        self._ticks += seconds
        for due, sleeper in self._sleepers:
            if due <= self._ticks and not sleeper.done():
                sleeper.set_result(None)

    @property
    def sleeping(self) -> tuple[float, ...]:
        """How many seconds each sleeper still has to wait, the shortest first."""
        return tuple(sorted(due - self._ticks for due, _ in self._sleepers))
