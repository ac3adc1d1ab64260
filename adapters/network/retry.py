"""When to try again: waits that grow and differ, within a patience. Pure; it neither waits nor tells the time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits between tries: `first` seconds, then `factor` times longer each, at most `longest`; all within `patience` seconds.

    Half of a wait is fixed and half is drawn, so that many callers who failed together do not come back together.
    """

    first: float = 0.25
    factor: float = 2.0
    longest: float = 10.0
    patience: float = 60.0

    def wait(self, failures: int, spent: float, draw: float, asked: float = 0.0) -> float | None:
        """Seconds to wait after this many failures (from 1), `spent` seconds after the first try; None to give up.

        `draw` is a random number from 0 to 1. `asked` is how long the other side asked to wait: never less than that.
        """
        # A thousand failures would be a number too large to compute, long after it no longer matters.
        usual = min(self.longest, self.first * self.factor ** min(failures - 1, 64))
        seconds = max(usual * (1 + draw) / 2, asked)
        return seconds if spent + seconds <= self.patience else None
