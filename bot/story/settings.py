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


class TurnPolicy(StrEnum):
    """When the model writes.

    After every post; when a character is addressed; after all players have posted, in any order or in that of the personas;
    or only when a player asks for it.
    """

    EVERY_POST = "every_post"
    ADDRESSED = "addressed"
    ALL_POSTED = "all_posted"
    IN_ORDER = "in_order"
    ON_CONTINUE = "on_continue"


class SpeakerPolicy(StrEnum):
    """Which of several characters answers: the one whose name was said last, the next by turn, or whom the players name."""

    BY_NAME = "by_name"
    BY_TURN = "by_turn"
    BY_PLAYERS = "by_players"


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Choices of one session.

    `length` None leaves the modifier out and the length to the model; with `matches_length` it follows the length of the
    newest post instead. `adapter` names the LoRA adapter of the engine's that it is written with (empty: none); the prompt
    is the same with any. After `nudge_seconds` without the post of the player whose turn it is, they are reminded (None:
    never). With `summarises`, what leaves the window is summed up by the model.
    """

    length: Length | None = Length.MEDIUM
    adapter: str = ""
    matches_length: bool = False
    turns: TurnPolicy = TurnPolicy.EVERY_POST
    speakers: SpeakerPolicy = SpeakerPolicy.BY_NAME
    nudge_seconds: int | None = None
    summarises: bool = False
