"""A SillyTavern chat as a value: turns of our own, and beside them whatever else the file held. It reads and writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.story.session import Session
from bot.story.table import NOTE_DEPTH
from bot.story.turn import Role, Turn

Json = dict[str, object]

NO_HEADER = "null"
"""The header text of a file that had none: group chats of older builds begin with their first message."""

UNNAMED = "unused"
"""What newer builds write into the header where older ones had the names."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What a file held that no turn has a place for, so that it goes back without loss: JSON texts, not understood here.

    `header` is the whole first line; empty for a chat that began here. `lines` has one text for each turn that came from a
    file, by the turn's number: its line's object, in order, but null for what the turn itself holds, and for `mes`, `swipes`
    and `swipe_id` what tells whether that has changed since (a checksum, a count, a number).
    """

    header: str = ""
    lines: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chat:
    """One chat. `user` and `character` are empty where the file does not tell them.

    `note` is the author's note and stands before the newest `note_depth` turns; `scenario` is not empty where the chat has
    another one than its character's card.
    """

    user: str
    character: str
    turns: tuple[Turn, ...]
    note: str = ""
    note_depth: int = NOTE_DEPTH
    scenario: str = ""
    extras: Extras = field(default_factory=Extras)

    @property
    def characters(self) -> tuple[str, ...]:
        """Everyone who speaks and is no player, in the order of their first words; in a group chat, several."""
        return tuple(dict.fromkeys(turn.name for turn in self.turns if turn.role is Role.CHARACTER))


@dataclass(frozen=True, slots=True)
class ReadChat:
    """What was read of a file: the chat, when each of its turns was sent as far as that is understood, and what was left out.

    `notes` are whole sentences for the person who brought the file.
    """

    chat: Chat
    sent: tuple[datetime | None, ...] = ()
    notes: tuple[str, ...] = ()


def chat_of(session: Session, turns: Sequence[Turn], extras: Extras | None = None) -> Chat:
    """A session with all of its turns (those that have left the window too) as a chat to be written."""
    is_own = session.scenario.strip() != session.character.scenario.strip()
    return Chat(
        user=session.personas[0].name if session.personas else "",
        character=session.character.name,
        turns=tuple(turns),
        note=session.memory.note,
        note_depth=session.memory.note_depth,
        scenario=session.scenario if is_own else "",
        extras=extras or Extras(),
    )
