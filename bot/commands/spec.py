"""What a command is, as data that every platform makes its own form of. It knows no single command and no platform."""

from dataclasses import dataclass
from enum import StrEnum

NAME_LENGTH = 80
TEXT_LENGTH = 500
STORY_LENGTH = 20_000


class OptionKind(StrEnum):
    """What an option holds. A turn is meant by its number, a file by whatever the platform calls the file that it took in."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    CHOICE = "choice"
    TURN = "turn"
    CHARACTER = "character"
    PLAYER = "player"
    FILE = "file"

    @property
    def is_free(self) -> bool:
        """Whether its values are free text, which may hold blanks."""
        return self in (OptionKind.TEXT, OptionKind.LONG_TEXT, OptionKind.CHARACTER, OptionKind.PLAYER)

    @property
    def is_whole(self) -> bool:
        """Whether its values are whole numbers."""
        return self in (OptionKind.NUMBER, OptionKind.TURN)


class Who(StrEnum):
    """Who may use a command, from the widest circle to the narrowest; whoever is in one may do what those before may.

    A player has a part in the session. The table is the session's owner and the moderators of its place. Operators run
    the program.
    """

    ANYONE = "anyone"
    PLAYER = "player"
    TABLE = "table"
    OPERATOR = "operator"

    def may(self, needed: "Who") -> bool:
        """Whether somebody of this circle may use what needs that one."""
        circles = list(Who)
        return circles.index(self) >= circles.index(needed)


class Topic(StrEnum):
    """What a command is about: the parts of the overview."""

    STORY = "Story"
    REPLIES = "Replies"
    POSTS = "Posts"
    CAST = "Characters and parts"
    MEMORY = "What the model is told"
    TABLE = "At the table"
    YOU = "You"


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that a command is told.

    `choices` are for choices only; `least` and `most` bound numbers and turns, `most_length` (in characters) texts and
    names; a platform whose options hold less takes less. An option that is `by_name` is never read from its place in a
    line of text, only from its name: what is seldom said, or would be taken for the beginning of a text.
    """

    name: str
    help: str
    kind: OptionKind
    required: bool = False
    choices: tuple[str, ...] = ()
    most_length: int = NAME_LENGTH
    least: int = 0
    most: int = 999_999_999
    by_name: bool = False


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """One command: a name of one word, or of a group's and its own, and what it is about.

    One that `is_story` changes the story and waits for its turn in its place; any other is answered at once. The answer
    of a `private` one is for the caller alone. `examples` are whole lines without a platform's prefix.
    """

    name: str
    help: str
    topic: Topic
    who: Who
    options: tuple[Option, ...] = ()
    is_story: bool = False
    private: bool = False
    examples: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The group that it belongs to; empty when it stands alone."""
        return self.name.partition(" ")[0] if " " in self.name else ""

    @property
    def placed(self) -> tuple[Option, ...]:
        """The options that a line of text gives by their place, in order."""
        return tuple(each for each in self.options if not each.by_name and each.kind is not OptionKind.FILE)

    @property
    def rest(self) -> Option | None:
        """The option that takes what is left of a line of text, blanks included: the last placed one, if it is free text."""
        return self.placed[-1] if self.placed and self.placed[-1].kind.is_free else None


def usage(spec: CommandSpec) -> str:
    """How a command is written: `<so>` is needed, `[so]` may be left out."""
    return " ".join([spec.name, *(_usage(option) for option in spec.options)])


def _usage(option: Option) -> str:
    if option.kind is OptionKind.FILE:
        shown = "with a file"
        return f"({shown})" if option.required else f"[{shown}]"
    shown = f"{option.name}:…" if option.by_name else option.name
    return f"<{shown}>" if option.required else f"[{shown}]"
