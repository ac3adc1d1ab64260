"""The wall to time."""

from typing import Protocol


class Clock(Protocol):
    """Tells and waits time. Tests use one that stands still until it is moved."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        ...

    def ticks(self) -> float:
        """Seconds of a clock that never jumps, for measuring durations only."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait this long; 0 only lets others run."""
        ...
