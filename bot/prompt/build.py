"""From a stored session to the prompt that the model reads: a pure function. It counts no tokens and drops no turns.

Rule 1: only the format's own strings are trusted; whatever people or the model wrote is not, nor are words that hold it.
Rule 2: a segment never begins with a newline and never ends with a space, so that tokenising segment by segment gives the
tokens of the whole: what tokenisers join stays in one segment.
Rule 3: what is told in the middle of the story stands still for several turns, so that the prompt before it stays cached.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.cards.macros import fill
from bot.ports.engine import Segment
from bot.prompt.format import PromptFormat
from bot.prompt.guard import neutralise
from bot.prompt.head import blocks, clean, names, seed_of
from bot.prompt.lore import Told
from bot.story.session import Session
from bot.story.settings import Length
from bot.story.turn import Role, Turn, Variant

NOTHING = Told()
STILL = 4
"""For how many turns a note keeps its place, so that it is up to this many less one turns deeper than asked for."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt in its parts: what never changes, the finished turns by number, and what opens the reply (or nothing).

    A finished turn with no words at all is left out. A note stands at the beginning of the turn that follows it.
    """

    head: tuple[Segment, ...]
    turns: tuple[tuple[int, tuple[Segment, ...]], ...]
    tail: tuple[Segment, ...] = ()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments in order, as the engine reads them: the first of each part is marked as one that opens it."""
        parts = (self.head, *(turn for _, turn in self.turns), self.tail)
        return tuple(replace(segment, opens=not place) for part in parts for place, segment in enumerate(part))


def build(session: Session, fmt: PromptFormat, told: Told = NOTHING) -> Prompt:
    """The prompt of a session. The turn that is being written becomes the tail; with none, the tail is empty.

    `told` is the lore that the story touches: see `bot.prompt.lore`.

    The prompt then ends where the model writes on: after `Name:`, or after what the reply already says.
    """
    writing = session.writing
    finished = [turn for turn in session.turns if _is_told(turn)]
    notes = _notes(session, finished, fmt, told)
    return Prompt(
        head=_head(session, fmt, told),
        turns=tuple((turn.number, (*notes.get(place, ()), *_turn(turn, fmt))) for place, turn in enumerate(finished)),
        tail=(*notes.get(len(finished), ()), *_reply(writing, fmt, writing.variant.length)) if writing else (),
    )


def _is_told(turn: Turn) -> bool:
    return turn.role is not Role.ASIDE and not turn.is_writing and bool(turn.text.strip() or turn.rolls)


def _head(session: Session, fmt: PromptFormat, told: Told) -> tuple[Segment, ...]:
    words = neutralise(fmt.between_blocks.join(blocks(session, fmt, told)), fmt)
    return (*_template(fmt.system_before), *_words(words, fmt.system_after))


def _notes(session: Session, turns: Sequence[Turn], fmt: PromptFormat, told: Told) -> Mapping[int, tuple[Segment, ...]]:
    """What is told between turns, by the place of the turn it stands before (their number: before the reply)."""
    notes: dict[int, list[str]] = {}
    card = session.character
    known, seed = names(session, card), seed_of(session)
    for placed in told.near:
        notes.setdefault(max(0, len(turns) - placed.depth), []).append(fill(placed.entry.content, known, seed))
    if session.memory.note.strip():
        notes.setdefault(_place(turns, session.memory.note_depth), []).append(session.memory.note)
    if last_words := fill(card.post_history, known, seed, "").strip():
        notes.setdefault(len(turns), []).append(last_words)
    return {place: _note("\n\n".join(text.strip() for text in texts), fmt) for place, texts in notes.items()}


def _place(turns: Sequence[Turn], depth: int) -> int:
    """Before which turn a note of this depth stands: the first of the group of `STILL` numbers that the asked one is in."""
    place = max(0, len(turns) - depth)
    while 0 < place < len(turns) and turns[place - 1].number // STILL == turns[place].number // STILL:
        place -= 1
    return place


def _note(text: str, fmt: PromptFormat) -> tuple[Segment, ...]:
    return (*_template(fmt.note_before), *_words(neutralise(text, fmt), fmt.note_after))


def _turn(turn: Turn, fmt: PromptFormat) -> tuple[Segment, ...]:
    if turn.role is Role.PLAYER:
        name = f"{clean(turn.name, fmt)}: " if fmt.names else ""
        words = name + neutralise(_with_rolls(turn), fmt, mid_line=fmt.names)
        return (*_template(fmt.player_before), *_words(words, fmt.player_after))
    *before, last = _reply(turn, fmt, turn.variant.length if fmt.keeps_old_modifiers else None)
    if last.token_ids:
        return (*before, last, *_template(fmt.character_after))
    return (*before, *_words(last.text, fmt.character_after))


def _with_rolls(turn: Turn) -> str:
    """A player's words, and the dice that were rolled with them as facts."""
    rolled = "\n".join(f"[{roll.sentence}]" for roll in turn.rolls)
    return "\n\n".join(text for text in (turn.text.strip(), rolled) if text)


def _reply(turn: Turn, fmt: PromptFormat, length: Length | None) -> tuple[Segment, ...]:
    """A reply's header, its name and what it says so far, with nothing after."""
    modified = fmt.character_before_with_length if length else None
    header = modified.format(length=length) if modified else fmt.character_before
    name = (Segment(f"{clean(turn.name, fmt)}:"),) if fmt.names else ()
    return (*_template(header), *name, *_said(turn.variant, fmt))


def _said(variant: Variant, fmt: PromptFormat) -> tuple[Segment, ...]:
    """What a reply says: by the model's own ids, where they still spell what is read; nothing when it says nothing yet."""
    lead = " " if fmt.names else ""
    safe = neutralise(variant.text, fmt, mid_line=fmt.names)
    if variant.token_ids and fmt.names and safe == variant.text:
        return (Segment(lead + safe, token_ids=variant.token_ids),)
    return (Segment(lead + stripped),) if (stripped := safe.strip()) else ()


def _template(text: str) -> tuple[Segment, ...]:
    return (Segment(text, trusted=True),) if text else ()


def _words(text: str, after: str) -> tuple[Segment, ...]:
    """Words of the story and the template's ending, whose first newlines tokenisers may join to the words."""
    rest = after.lstrip("\n")
    return (Segment(text + after[: len(after) - len(rest)]), *_template(rest))
