"""Whether a step takes words away that the model may have read. Pure; what is to be done about it is not known here."""

from collections.abc import Iterator

from bot.story.session import Session
from bot.story.turn import Role, Turn


def loses_words(before: Session, after: Session) -> bool:
    """Whether anything that the model was told of `before` is not in `after` any more. Text that only grew is still there.

    Both hold the same window: what moved out of it was not lost. Versions of a reply that are not shown are still there.
    """
    kept = {turn.number: turn for turn in after.turns}
    if any(_is_lost(turn, kept.get(turn.number)) for turn in before.turns if turn.role is not Role.ASIDE):
        return True
    return not {text for text in _told(before) if text.strip()} <= set(_told(after))


def _is_lost(was: Turn, now: Turn | None) -> bool:
    if now is None or now.role is not was.role or len(now.variants) < len(was.variants):
        return True
    return any(not new.text.startswith(old.text) for old, new in zip(was.variants, now.variants, strict=False))


def _told(session: Session) -> Iterator[str]:
    """What the model is told beside the story, text by text."""
    memory = session.memory
    yield from (session.scenario, memory.note, memory.summary, *memory.facts)
    yield from (*session.table.lines, *session.table.veils)
    for persona in session.personas:
        yield from (persona.name, persona.description)
    for card in session.cast:
        yield from (card.name, card.description)
    yield from (entry.content for book in memory.lore for entry in book.entries)
