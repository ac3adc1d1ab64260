"""When to stop asking: after failures in a row, until one probe succeeds. Pure; the caller tells the time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CircuitRules:
    """Open after `failures` in a row; `rest` seconds after the last one, a single probe may go through."""

    failures: int = 6
    rest: float = 10.0


class Circuit:
    """Counts outcomes. Closed: everything goes. Open: nothing goes. Rested: the first one goes, as a probe, then nobody.

    Every time is in seconds of a clock that never jumps. A probe that is never answered is given up after another rest.
    """

    def __init__(self, rules: CircuitRules) -> None:
        self._rules = rules
        self._failures = 0
        self._since = 0.0

    @property
    def is_open(self) -> bool:
        """Whether so many calls failed in a row that it is not worth asking."""
        return self._failures >= self._rules.failures

    def rest(self, now: float) -> float:
        """Seconds until a call may go through; 0 when one may now."""
        return max(0.0, self._since + self._rules.rest - now) if self.is_open else 0.0

    def enter(self, now: float) -> bool:
        """Whether a call may go through now. When it is the probe, others are held back for another rest."""
        if self.rest(now) > 0:
            return False
        self._since = now
        return True

    def succeeded(self) -> None:
        """A call was answered."""
        self._failures = 0

    def failed(self, now: float) -> None:
        """A call was not answered."""
        self._failures += 1
        self._since = now
