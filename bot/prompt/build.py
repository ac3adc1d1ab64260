"""From a stored session to the prompt that the model reads: a pure function. It counts no tokens and drops no turns.

Rule 1: only the format's own strings are trusted; whatever people or the model wrote is not, nor are words that hold it.
Rule 2: a segment never begins with a newline and never ends with a space, so that tokenising segment by segment gives the
tokens of the whole: what tokenisers join stays in one segment.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.cleaning import one_line
from bot.ports.engine import Segment
from bot.prompt.format import PromptFormat
from bot.prompt.guard import neutralise
from bot.story.session import Session
from bot.story.settings import Length
from bot.story.turn import Role, Turn, Variant

NOBODY_YET = "User"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt in its parts: what never changes, the finished turns by number, and what opens the reply (or nothing).

    A finished turn with no words at all is left out.
    """

    head: tuple[Segment, ...]
    turns: tuple[tuple[int, tuple[Segment, ...]], ...]
    tail: tuple[Segment, ...] = ()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments in order, as the engine reads them: the first of each part is marked as one that opens it."""
        parts = (self.head, *(turn for _, turn in self.turns), self.tail)
        return tuple(replace(segment, opens=not place) for part in parts for place, segment in enumerate(part))


def build(session: Session, fmt: PromptFormat) -> Prompt:
    """The prompt of a session. The turn that is being written becomes the tail; with none, the tail is empty.

    The prompt then ends where the model writes on: after `Name:`, or after what the reply already says.
    """
    writing = session.writing
    finished = session.turns[:-1] if writing else session.turns
    return Prompt(
        head=_head(session, fmt),
        turns=tuple((turn.number, _turn(turn, fmt)) for turn in finished if turn.text.strip()),
        tail=_reply(writing, fmt, writing.variant.length) if writing else (),
    )


def _head(session: Session, fmt: PromptFormat) -> tuple[Segment, ...]:
    words = neutralise(fmt.between_blocks.join(_blocks(session, fmt)), fmt)
    return (*_template(fmt.system_before), *_words(words, fmt.system_after))


def _blocks(session: Session, fmt: PromptFormat) -> Iterator[str]:
    character = session.character
    described = [(character.name, character.description), *((each.name, each.description) for each in session.personas)]
    for name, description in described:
        if text := description.strip():
            yield fmt.persona.format(name=_name(name, fmt), text=text)
    if scenario := session.scenario.strip():
        yield fmt.scenario.format(text=scenario)
    if fmt.rule:
        players = tuple(dict.fromkeys(_name(persona.name, fmt) for persona in session.personas))
        yield fmt.rule.format(character=_name(character.name, fmt), players=_listed(players or (NOBODY_YET,)))


def _listed(names: tuple[str, ...]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _turn(turn: Turn, fmt: PromptFormat) -> tuple[Segment, ...]:
    if turn.role is Role.PLAYER:
        name = f"{_name(turn.name, fmt)}: " if fmt.names else ""
        words = name + neutralise(turn.text.strip(), fmt, mid_line=fmt.names)
        return (*_template(fmt.player_before), *_words(words, fmt.player_after))
    *before, last = _reply(turn, fmt, turn.variant.length if fmt.keeps_old_modifiers else None)
    if last.token_ids:
        return (*before, last, *_template(fmt.character_after))
    return (*before, *_words(last.text, fmt.character_after))


def _reply(turn: Turn, fmt: PromptFormat, length: Length | None) -> tuple[Segment, ...]:
    """A reply's header, its name and what it says so far, with nothing after."""
    modified = fmt.character_before_with_length if length else None
    header = modified.format(length=length) if modified else fmt.character_before
    name = (Segment(f"{_name(turn.name, fmt)}:"),) if fmt.names else ()
    return (*_template(header), *name, *_said(turn.variant, fmt))


def _said(variant: Variant, fmt: PromptFormat) -> tuple[Segment, ...]:
    """What a reply says: by the model's own ids, where they still spell what is read; nothing when it says nothing yet."""
    lead = " " if fmt.names else ""
    safe = neutralise(variant.text, fmt, mid_line=fmt.names)
    if variant.token_ids and fmt.names and safe == variant.text:
        return (Segment(lead + safe, token_ids=variant.token_ids),)
    return (Segment(lead + stripped),) if (stripped := safe.strip()) else ()


def _name(name: str, fmt: PromptFormat) -> str:
    return neutralise(one_line(name), fmt)


def _template(text: str) -> tuple[Segment, ...]:
    return (Segment(text, trusted=True),) if text else ()


def _words(text: str, after: str) -> tuple[Segment, ...]:
    """Words of the story and the template's ending, whose first newlines tokenisers may join to the words."""
    rest = after.lstrip("\n")
    return (Segment(text + after[: len(after) - len(rest)]), *_template(rest))
