"""What the people at a table agree on, act by act: notes, facts, lines and veils, pauses, who plays. Pure, as all acts are."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal, TypeVar

from bot.errors import Refused
from bot.ids import AuthorId
from bot.story.card import CharacterCard
from bot.story.lorebook import Lorebook, LoreEntry
from bot.story.session import Session

MOST_FACTS = 20
MOST_LIMITS = 30
MOST_BOOKS = 5
MOST_CAST = 8
MOST_ENTRIES = 200
OWN_BOOK = "Written here"

Limits = Literal["lines", "veils"]
Kept = TypeVar("Kept")


def with_note(session: Session, text: str, depth: int) -> Session:
    """The session with this author's note before its newest `depth` turns; an empty text takes it away."""
    return replace(session, memory=replace(session.memory, note=text.strip(), note_depth=depth))


def pin(session: Session, fact: str) -> Session:
    """The session with one more fact that the model is always told."""
    if len(session.memory.facts) >= MOST_FACTS:
        raise Refused(f"At most {MOST_FACTS} facts can be pinned; unpin one first.")
    return replace(session, memory=replace(session.memory, facts=(*session.memory.facts, fact.strip())))


def unpin(session: Session, number: int) -> Session:
    """The session without pinned fact `number`, counted from 1."""
    return replace(session, memory=replace(session.memory, facts=_less(session.memory.facts, number, "pinned fact")))


def with_summary(session: Session, text: str, until: int) -> Session:
    """The session with what the model is told of the turns before number `until`."""
    return replace(session, memory=replace(session.memory, summary=text.strip(), summary_until=until))


def add_lore(session: Session, book: Lorebook) -> Session:
    """The session with one more lorebook of its own."""
    if len(session.memory.lore) >= MOST_BOOKS:
        raise Refused(f"A session can have at most {MOST_BOOKS} lorebooks; remove one first.")
    return replace(session, memory=replace(session.memory, lore=(*session.memory.lore, book)))


def add_entry(session: Session, entry: LoreEntry) -> Session:
    """The session with one more entry of lore, in the book that the table writes itself."""
    books = session.memory.lore
    own = next((book for book in books if book.name == OWN_BOOK), None)
    if own is None:
        return add_lore(session, Lorebook((entry,), OWN_BOOK))
    if len(own.entries) >= MOST_ENTRIES:
        raise Refused(f"At most {MOST_ENTRIES} entries of lore can be added here; remove one first.")
    grown = replace(own, entries=(*own.entries, entry))
    lore = tuple(grown if book is own else book for book in books)
    return replace(session, memory=replace(session.memory, lore=lore))


def remove_entry(session: Session, number: int) -> Session:
    """The session without entry `number` of its own lorebooks, counted from 1 through all of them."""
    left, lore = number, []
    for book in session.memory.lore:
        if 1 <= left <= len(book.entries):
            book = replace(book, entries=_less(book.entries, left, "entry"))  # noqa: PLW2901 - the one that is changed
            left = 0
        elif left:
            left -= len(book.entries)
        lore.append(book)
    if left:
        raise Refused(f"There is no entry of lore number {number} in this story.")
    return replace(session, memory=replace(session.memory, lore=tuple(book for book in lore if book.entries)))


def add_limit(session: Session, kind: Limits, text: str) -> Session:
    """The session with one more line or veil."""
    limits = session.table.lines if kind == "lines" else session.table.veils
    if len(limits) >= MOST_LIMITS:
        raise Refused(f"There can be at most {MOST_LIMITS} {kind}; remove one first.")
    return _with_limits(session, kind, (*limits, text.strip()))


def remove_limit(session: Session, kind: Limits, number: int) -> Session:
    """The session without line or veil `number`, counted from 1."""
    limits = session.table.lines if kind == "lines" else session.table.veils
    return _with_limits(session, kind, _less(limits, number, kind.removesuffix("s")))


def pause(session: Session, *, paused: bool) -> Session:
    """The session at rest, or taken up again."""
    if session.table.paused == paused:
        raise Refused("The story is paused already." if paused else "The story is not paused.")
    return replace(session, table=replace(session.table, paused=paused))


def remove_player(session: Session, author: AuthorId) -> Session:
    """The session in which this player is no longer heard; what they wrote stays, and so does their part."""
    if author == session.table.owner:
        raise Refused("Who began the story cannot be removed from it.")
    if author in session.table.removed:
        raise Refused("That player was removed already.")
    return replace(session, table=replace(session.table, removed=(*session.table.removed, author)))


def allow_player(session: Session, author: AuthorId) -> Session:
    """The session in which this player is heard again."""
    if author not in session.table.removed:
        raise Refused("That player was not removed.")
    kept = tuple(each for each in session.table.removed if each != author)
    return replace(session, table=replace(session.table, removed=kept))


def add_character(session: Session, card: CharacterCard) -> Session:
    """The session with one more character in its cast."""
    if len(session.cast) >= MOST_CAST:
        raise Refused(f"At most {MOST_CAST} characters can play in one story; take one out first.")
    names = [each.name.casefold() for each in session.cast] + [each.name.casefold() for each in session.personas]
    if card.name.casefold() in names:
        raise Refused(f"There is a {card.name} in this story already; give the new one another name first.")
    return replace(session, others=(*session.others, card))


def remove_character(session: Session, name: str) -> Session:
    """The session without this character, who is not its first one."""
    kept = tuple(each for each in session.others if each.name.casefold() != name.casefold())
    if len(kept) == len(session.others):
        others = ", ".join(each.name for each in session.others) or "nobody"
        raise Refused(f"Only further characters can leave the story: {others}.")
    return replace(session, others=kept)


def _with_limits(session: Session, kind: Limits, limits: tuple[str, ...]) -> Session:
    changed = replace(session.table, lines=limits) if kind == "lines" else replace(session.table, veils=limits)
    return replace(session, table=changed)


def _less(things: Iterable[Kept], number: int, what: str) -> tuple[Kept, ...]:
    held = tuple(things)
    if not 1 <= number <= len(held):
        have = f"there are {len(held)}" if held else "there is none"
        raise Refused(f"There is no {what} number {number}; {have}.")
    return (*held[: number - 1], *held[number:])
