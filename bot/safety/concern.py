"""What a judgement says: why, and where. It never holds the words themselves, so that it may be stored and logged."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a text may not be part of a story."""

    STATED_AGE = "stated_age"
    SCHOOL = "school"
    LIFE_STAGE = "life_stage"
    APPEARANCE = "appearance"
    RELATION = "relation"
    SLANG = "slang"
    DISGUISE = "disguise"
    BLOCKED = "blocked"
    ADULT = "adult"


@dataclass(frozen=True, slots=True)
class Concern:
    """A reason, and the place in the text that was judged: characters from `start` up to `end`."""

    reason: Reason
    start: int
    end: int


def first_beyond(concerns: Iterable[Concern], beyond: int) -> Concern | None:
    """The first of these that ends beyond an offset, counted from there; None where all end before it."""
    later = (each for each in concerns if each.end > beyond)
    first = min(later, key=lambda each: (each.start, each.end), default=None)
    return first and Concern(first.reason, max(0, first.start - beyond), first.end - beyond)
