"""What the people at the table agreed on beside the story: what the model is told of it, and how they play."""

from dataclasses import dataclass
from enum import StrEnum

from bot.ids import AuthorId, Place, SessionId
from bot.story.lorebook import Lorebook

NOTE_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Memory:
    """What the model is told beside cards, personas, scenario and posts.

    The author's note stands before the newest `note_depth` turns. `facts` are pinned: they stay in the head of the prompt.
    `summary` tells of the turns before number `summary_until`, which have left the window. `lore` are the session's own
    lorebooks, beside those of its characters. `source` is what another program kept with the story as a whole: it is never
    told to the model, and goes back with the story.
    """

    note: str = ""
    note_depth: int = NOTE_DEPTH
    facts: tuple[str, ...] = ()
    summary: str = ""
    summary_until: int = 0
    lore: tuple[Lorebook, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """How the people play. `lines` never happen in the story; `veils` happen out of sight. `removed` players are not heard.

    While it is `paused`, no reply is written and no post joins the story. `owner` is who began the session.
    `impersonations` counts how often the model began to speak for a player and was stopped.
    `next_speaker` is the name of the character whom the players asked to answer next (empty: nobody).
    """

    lines: tuple[str, ...] = ()
    veils: tuple[str, ...] = ()
    paused: bool = False
    removed: tuple[AuthorId, ...] = ()
    owner: AuthorId | None = None
    impersonations: int = 0
    next_speaker: str = ""


class LinkKind(StrEnum):
    """How two sessions hang together."""

    BRANCH = "branch"
    PART = "part"


@dataclass(frozen=True, slots=True)
class Link:
    """Another session that this one came from or goes on in, and the turn where they part, as the older one counts."""

    kind: LinkKind
    session: SessionId
    place: Place
    turn: int
