"""Counters that the parts of the bot keep and operators read. It knows no format in which they are shown."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Metrics:
    """Counts of what happened, by name and label. Not shared between threads."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, name: str, label: str = "", by: int = 1) -> None:
        """Add `by` to the counter `name` with this label."""
        self.counts[(name, label)] += by

    def total(self, name: str) -> int:
        """The sum of a counter over its labels."""
        return sum(value for (counter, _), value in self.counts.items() if counter == name)
