"""Numbers that the parts of the bot keep and operators read. It knows no format in which they are shown."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

BOUNDS = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0),
)
"""Seconds at which durations are divided: from what an event loop may take to what a long reply takes on a slow machine."""


LABELS, OTHER = 64, "other"
"""How many labels a counter has at most, and how all that come later are called: some labels are words of other programs."""


@dataclass(slots=True)
class Durations:
    """How often something took how long: one count for each of BOUNDS, one for what took longer, and the sum in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one that took so long."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds


@dataclass(slots=True)
class Metrics:
    """Counts of what happened, and how long it took, by name and label. Not shared between threads."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    durations: dict[tuple[str, str], Durations] = field(default_factory=dict)

    def count(self, name: str, label: str = "", by: int = 1) -> None:
        """Add `by` to the counter `name` with this label, or with OTHER where it would be one label too many."""
        key = (name, label)
        if key not in self.counts and sum(counter == name for counter, _ in self.counts) >= LABELS:
            key = (name, OTHER)
        self.counts[key] += by

    def took(self, name: str, seconds: float, label: str = "") -> None:
        """Count that something took so long."""
        self.durations.setdefault((name, label), Durations()).add(seconds)

    def total(self, name: str) -> int:
        """The sum of a counter over its labels."""
        return sum(value for (counter, _), value in self.counts.items() if counter == name)


@dataclass(frozen=True, slots=True)
class Vitals:
    """What the walk is busy with at this moment.

    `writing` replies are being written, `queued` events wait in their places' lanes, and the post that has been the oldest of
    its place for longest has been so for `oldest_delivery` seconds (0: none waits).
    """

    writing: int = 0
    queued: int = 0
    oldest_delivery: float = 0.0
