"""Whether a day left more behind in a bot than it found, and the names of what grew. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.gauges import Reading

MOST = 1.05
"""What memory may be at the end, in parts of what it was after the first while."""

FEW = 100
"""Entries by which anything may grow, however few places there are."""

A_FEW = 3
"""Files, threads and tasks more than there ever were before, that are in use just then; what leaks does so in every round."""

WHOLE_DAY = 23.9
"""Hours; sums of many steps are not exact."""

NAMED = 8
MIB = 2**20


@dataclass(slots=True)
class Soak:
    """What came of a day. `early` and `late` are readings; `seconds` are real ones, and `hours` those that seemed to pass."""

    turns: int = 0
    places: int = 0
    hours: float = 0.0
    seconds: float = 0.0
    failures: int = 0
    faults: int = 0
    done: dict[str, int] = field(default_factory=dict)
    early: list[Reading] = field(default_factory=list)
    late: list[Reading] = field(default_factory=list)

    @classmethod
    def read(cls, told: Mapping[str, object]) -> "Soak":
        """What a process told of its day, as JSON has it."""
        soak = cls(**told)  # type: ignore[arg-type]  # as it was written
        for which in (soak.early, soak.late):
            which[:] = [Reading(**each) for each in which]  # type: ignore[arg-type]  # as it was written
        return soak

    @property
    def memory(self) -> tuple[float, float]:
        """Bytes in memory after the first while, and at the end: the middle one of the readings."""
        early, late = (median(each.resident for each in which) for which in (self.early, self.late))
        return early, late

    @property
    def growth(self) -> float:
        """Memory at the end, in parts of what it was."""
        early, late = self.memory
        return late / early


def complaints(soak: Soak) -> Sequence[str]:
    """What is wrong, each in a sentence."""
    return [*_of_memory(soak), *_of_counts(soak), *_of_containers(soak), *_of_the_day(soak)]


def _of_memory(soak: Soak) -> Iterator[str]:
    if soak.growth > MOST:
        early, late = (each / MIB for each in soak.memory)
        first, last = soak.early[-1], soak.late[-1]
        named = [*_grown(first.gathered, last.gathered)[:NAMED], *_grown(first.kinds, last.kinds)[:NAMED]]
        yield f"memory grew from {early:.1f} to {late:.1f} MiB; what grew most: {', '.join(named)}"


def _of_counts(soak: Soak) -> Iterator[str]:
    for name in ("files", "threads", "tasks"):
        early, late = ([getattr(each, name) for each in which] for which in (soak.early, soak.late))
        most, last = max(map(_number, early)), median(map(_number, late))
        if last > most + A_FEW:
            grown = "" if name == "threads" else f": {', '.join(_grown(early[-1], late[-1]))}"
            yield f"there were at most {most} {name} after the first while, and {last:g} at the end{grown}"


def _number(held: int | Mapping[str, int]) -> int:
    return held if isinstance(held, int) else sum(held.values())


def _of_containers(soak: Soak) -> Iterator[str]:
    """What holds something for each place there ever was grows by more than there are at a time."""
    first, last = soak.early[-1].gathered, soak.late[-1].gathered
    for name, length in last.items():
        if length - first.get(name, 0) > max(soak.places, FEW):
            yield f"{name} grew from {first.get(name, 0)} to {length} entries"


def _of_the_day(soak: Soak) -> Iterator[str]:
    if soak.failures:
        yield f"{soak.failures} things failed inside: see the log"
    if soak.hours < WHOLE_DAY:
        yield f"only {soak.hours:.1f} hours passed"


def _grown(first: Mapping[str, int], last: Mapping[str, int]) -> list[str]:
    grown = sorted(((length - first.get(name, 0), name) for name, length in last.items()), reverse=True)
    return [f"{name} (+{by})" for by, name in grown if by > 0]
