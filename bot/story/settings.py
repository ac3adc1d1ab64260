"""What the players of a session have chosen about how it is written."""

from dataclasses import dataclass
from enum import StrEnum


class Length(StrEnum):
    """The length modifiers of the LimaRP format, short to long. The model follows them on average only."""

    MICRO = "micro"
    TINY = "tiny"
    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"
    MASSIVE = "massive"
    HUGE = "huge"
    ENORMOUS = "enormous"
    HUMONGOUS = "humongous"
    UNLIMITED = "unlimited"


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Choices of one session.

    `length` None leaves the modifier out and the length to the model. `adapter` names the LoRA adapter of the engine's
    that it is written with (empty: none); the prompt is the same with any.
    """

    length: Length | None = Length.MEDIUM
    adapter: str = ""
