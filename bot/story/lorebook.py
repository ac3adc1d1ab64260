"""What a world knows: entries that the model is told when the story touches them. It decides nothing about when that is."""

from dataclasses import dataclass
from enum import StrEnum


class LorePosition(StrEnum):
    """On which side of the character's own description an entry stands."""

    BEFORE_CHARACTER = "before_char"
    AFTER_CHARACTER = "after_char"


@dataclass(frozen=True, slots=True)
class LoreEntry:
    """One entry of a lorebook, with the meanings of the character card specifications (V2 and V3).

    `content` may begin with decorator lines (`@@depth 4`). An entry is told when one of its `keys` stands in the posts
    that are looked through, and, where it is `selective`, one of its `secondary_keys` too; a `constant` one always. With
    `use_regex`, keys are regular expressions. Where all that is told does not fit, the lowest `priority` goes first; a
    lower `order` stands earlier in the prompt. `extensions` is JSON that other programs keep here: it is not understood.
    """

    content: str
    keys: tuple[str, ...] = ()
    secondary_keys: tuple[str, ...] = ()
    enabled: bool = True
    constant: bool = False
    selective: bool = False
    case_sensitive: bool = False
    use_regex: bool = False
    order: int = 100
    priority: int = 0
    position: LorePosition = LorePosition.BEFORE_CHARACTER
    name: str = ""
    comment: str = ""
    extensions: str = ""


@dataclass(frozen=True, slots=True)
class Lorebook:
    """Entries, how many of the newest posts are looked through for their keys, and the most tokens they may take.

    `recursive` says that what is told is looked through as well. None leaves a number to the program. `extensions` is
    JSON that other programs keep here: it is not understood.
    """

    entries: tuple[LoreEntry, ...] = ()
    name: str = ""
    description: str = ""
    scan_depth: int | None = None
    token_budget: int | None = None
    recursive: bool = False
    extensions: str = ""
