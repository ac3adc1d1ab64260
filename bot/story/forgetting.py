"""Taking one player out of a stored session: their part, their words, and quotes of them. It knows no store and asks nobody.

Rule 1: it errs towards forgetting: what might be the player's goes, and others keep their stories with gaps in them.
Rule 2: a quote is what the player wrote first. Where they repeat what others wrote before, the others keep it.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TypeVar

from bot.ids import AuthorId
from bot.story.session import Session
from bot.story.table import Memory, Table
from bot.story.turn import Turn, Variant

RUN = 5
"""So many words in a row are a quote: shorter runs ("at the end of") come about in any two texts, longer ones seldom."""
WHOLE_POST = 4
"""A post of just so many words is too short for a run, but a quote where it stands as a whole."""
FIGURE = 6
"""A word of so many letters with a digit in it (a telephone number, a password) is a quote by itself."""
NAME = 4
"""A part of a name ("Vane" of "Tobias Vane") counts as the name from this length on; shorter parts ("the", "von") do not."""
SHORTEST_NAME = 3
"""A whole name that is shorter cannot be told from other words, and is left where others wrote it."""

# A script without spaces has no words to see: there each character counts as one.
ALONE = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
WORD = re.compile(rf"[{ALONE}]|[^\W_{ALONE}]+(?:['\u2019][^\W_{ALONE}]+)*")

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Gap:
    """What stands in the gaps: a sentence in the place of a text, and a name that is nobody's."""

    text: str
    name: str


@dataclass(frozen=True, slots=True)
class Known:
    """What a player wrote in any session, and what their parts were called."""

    texts: tuple[str, ...]
    names: tuple[str, ...]


def texts_of(session: Session, author: AuthorId) -> Known:
    """What a player wrote in a session that was read with all its turns."""
    turns = [turn for turn in session.turns if turn.author == author]
    personas = [persona for persona in session.personas if persona.author == author]
    texts = [persona.description for persona in personas] + [each.text for turn in turns for each in turn.variants]
    names = [persona.name for persona in personas] + [turn.name for turn in turns]
    return Known(tuple(texts), tuple(dict.fromkeys(names)))


def take_out(session: Session, author: AuthorId, elsewhere: Known, gap: Gap) -> tuple[Session, Callable[[str], str]]:
    """The session, which must hold all its turns, without a player; and what cleans other texts that belong to it.

    Their part goes. A turn of theirs keeps its number and nothing else. In all else, a name of theirs becomes that of the
    gap; a text that quotes them becomes the gap's sentence, and a fact, a note or the like nothing at all. From the first
    turn on that changed, no reply keeps the ids of its tokens. Where nobody else plays, scenario, memory, lines and veils
    are the player's too. Cards stay: they are characters, and were given to the table. A session where they never
    played, but which hangs together with one, is cleaned of what they wrote `elsewhere`.
    """
    own = texts_of(session, author)
    plays = bool(own.names)
    spared = _names_of_others(session, author)
    found = _Search(own if plays else elsewhere, gap, everything=not plays, spared=spared)
    turns = tuple(_turn(turn, author, found) for turn in session.turns)
    others = [each for each in session.personas if each.author != author]
    alone = plays and not others and not any(turn.author not in {None, author} for turn in session.turns)
    table = replace(session.table, owner=None if session.table.owner == author else session.table.owner)
    cleared = replace(
        session,
        personas=tuple(others),
        turns=_without_ids(session.turns, turns),
        scenario="" if alone else found.clean(session.scenario),
        memory=Memory(note_depth=session.memory.note_depth) if alone else _cleaned(session.memory, found.clean),
        table=replace(table, lines=(), veils=()) if alone else _cleaned_table(table, found),
    )
    return cleared, found.fill


def changed(before: Session, after: Session) -> tuple[int, ...]:
    """The numbers of the turns whose shown text is another one."""
    return tuple(new.number for old, new in zip(before.turns, after.turns, strict=True) if old.text != new.text)


class _Search:
    """Looks for a player's words and names. `everything`: all that is known was written before what is looked through."""

    def __init__(self, known: Known, gap: Gap, *, everything: bool, spared: Iterable[str]) -> None:
        self.gap = gap
        self._theirs = {mark for text in known.texts for mark in _own_marks(text)}
        self._said = set(self._theirs) if everything else set()
        self._others: set[int] = set()
        self._names = _pattern(known.names, spared)

    def hear(self, text: str) -> None:
        """The player writes this next."""
        self._said |= set(_own_marks(text)) - self._others

    def is_quoted_in(self, text: str) -> bool:
        """Whether somebody else's text, the next one, repeats what the player wrote before."""
        marks = self._theirs.intersection(_marks(text))
        if not marks.isdisjoint(self._said):
            return True
        self._others |= marks
        return False

    def clean(self, text: str) -> str:
        """The text without the player; nothing at all where it quotes them."""
        return "" if self.is_quoted_in(text) else self._unnamed(text)

    def fill(self, text: str) -> str:
        """Likewise, but with the sentence of the gap where it quotes them."""
        return self.gap.text if self.is_quoted_in(text) else self._unnamed(text)

    def _unnamed(self, text: str) -> str:
        return self._names.sub(lambda _: self.gap.name, text) if self._names else text


def _turn(turn: Turn, author: AuthorId, found: _Search) -> Turn:
    blank = ("",) * len(turn.posts)
    if turn.author == author:
        for variant in turn.variants:
            found.hear(variant.text)
        return Turn(turn.number, turn.role, found.gap.name, (Variant(found.gap.text),), posts=blank)
    variants = tuple(replace(each, text=found.fill(each.text)) for each in turn.variants)
    rolls, extras = _cleaned(turn.rolls, found.clean), found.clean(turn.extras)
    cleared = replace(turn, variants=variants, rolls=rolls, extras=extras)
    return replace(cleared, posts=turn.posts if cleared.text == turn.text else blank)


def _without_ids(old: tuple[Turn, ...], new: tuple[Turn, ...]) -> tuple[Turn, ...]:
    first = next((now.number for was, now in zip(old, new, strict=True) if was != now), None)
    if first is None:
        return new
    return tuple(
        turn if turn.number < first else replace(turn, variants=tuple(replace(each, token_ids=()) for each in turn.variants))
        for turn in new
    )


def _cleaned_table(table: Table, found: _Search) -> Table:
    return replace(table, lines=_cleaned(table.lines, found.clean), veils=_cleaned(table.veils, found.clean))


def _cleaned(value: Value, clean: Callable[[str], str]) -> Value:
    """A value with every text in it cleaned; in lists of texts, those of which nothing is left are left out."""
    if type(value) is str:
        return clean(value)  # type: ignore[return-value, arg-type]  # it is a str
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _cleaned(getattr(value, each.name), clean) for each in fields(value)})
    if isinstance(value, tuple):
        pairs = [(each, _cleaned(each, clean)) for each in value]
        return tuple(new for was, new in pairs if new != "" or was == "")  # type: ignore[return-value]  # it is a tuple
    return value


def _names_of_others(session: Session, author: AuthorId) -> list[str]:
    names = [card.name for card in session.cast] + [card.nickname for card in session.cast]
    names += [persona.name for persona in session.personas if persona.author != author]
    return names + [turn.name for turn in session.turns if turn.author != author]


def _pattern(names: Iterable[str], spared: Iterable[str]) -> re.Pattern[str] | None:
    """What finds the names, their longer parts, and either in capitals; nothing that is somebody else's name too."""
    kept = {form for name in spared for form in _forms(name)}
    forms = {form for name in names for form in _forms(name)} - kept
    if not forms:
        return None
    longest_first = sorted(forms, key=lambda form: (-len(form), form))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")


def _forms(name: str) -> Iterator[str]:
    whole = [name] if len(name) >= SHORTEST_NAME else []
    for form in (*whole, *(part for part in WORD.findall(name) if len(part) >= NAME)):
        yield from (form, form.upper())


def _own_marks(text: str) -> Iterator[int]:
    """What a text is known by: its runs (itself, if it is short), and the words in it that are known by themselves."""
    words = _words(text)
    yield from _runs(words, RUN if len(words) != WHOLE_POST else WHOLE_POST)
    yield from _figures(words)


def _marks(text: str) -> Iterator[int]:
    """Whatever another text may be known by."""
    words = _words(text)
    yield from _runs(words, RUN)
    yield from _runs(words, WHOLE_POST)
    yield from _figures(words)


def _words(text: str) -> list[str]:
    return WORD.findall(text.casefold().replace("\u2019", "'"))


def _runs(words: list[str], length: int) -> Iterator[int]:
    return (hash(tuple(words[at : at + length])) for at in range(len(words) - length + 1))


def _figures(words: list[str]) -> Iterator[int]:
    return (hash(word) for word in words if len(word) >= FIGURE and any(letter.isdigit() for letter in word))
