"""What somebody who looks into a part found: how it stands, and what to do. Values only."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How something stands."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """How something stands, and if it is not well, what to do: a sentence or two."""

    about: str
    grade: Grade
    sentence: str
