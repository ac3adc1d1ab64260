"""What a figure is: its name, its meaning and its labels, and the values that it has now. It knows no format and no part."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.metrics import Durations

Labels = tuple[str, ...]


class Kind(StrEnum):
    """How a figure behaves: it only grows, it goes up and down, or it says how often something took how long."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. The name of a counter ends in `_total`; a histogram is read as its name with `_bucket`, `_sum`, `_count`.

    `known` are values of its one label that it has from the start: of what was not there before, no rate can be taken.
    """

    name: str
    kind: Kind
    help: str
    labels: Labels = ()
    known: Labels = ()

    def now(self, value: float) -> "Reading":
        """The figure, which has no labels, with this value."""
        return Reading(self, {(): value})

    def by(self, values: Mapping[str, float] | Iterable[tuple[str, float]]) -> "Reading":
        """The figure, which has one label, with these values."""
        shown = {**dict.fromkeys(self.known, 0.0), **dict(values)}
        return Reading(self, {(label,): value for label, value in shown.items()})


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure and what it shows, by the values of its labels."""

    figure: Figure
    values: Mapping[Labels, float] = field(default_factory=dict)
    durations: Mapping[Labels, Durations] = field(default_factory=dict)
