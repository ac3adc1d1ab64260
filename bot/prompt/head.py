"""The head of a prompt: who plays, what the world is, and what the table agreed on. It changes only when one of these does.

Rule: what a player or a card wrote is data: the builder neutralises all of it at once.
"""

import zlib
from collections.abc import Iterator, Sequence

from bot.cards.macros import Names, fill
from bot.cleaning import one_line
from bot.prompt.format import PromptFormat
from bot.prompt.guard import neutralise
from bot.prompt.lore import Told
from bot.story.card import CharacterCard
from bot.story.lorebook import LoreEntry
from bot.story.session import Session

NOBODY_YET = "User"


def blocks(session: Session, fmt: PromptFormat, told: Told) -> Iterator[str]:
    """The blocks of the head in order, none of them empty. `told` is the lore that the model is told."""
    seed = seed_of(session)
    yield from _block(fmt.lore, _lore(told.head_before, session))
    for card in session.cast:
        described = "\n".join(text for each in (card.description, card.personality) if (text := each.strip()))
        yield from _block(fmt.persona, fill(described, names(session, card), seed), name=clean(card.name, fmt))
    yield from _block(fmt.lore, _lore(told.head_after, session))
    for persona in session.personas:
        yield from _block(fmt.persona, persona.description, name=clean(persona.name, fmt))
    card = session.character
    yield from _block(fmt.scenario, session.scenario or fill(card.scenario, names(session, card), seed))
    for card in session.cast:
        yield from _block(fmt.examples, fill(card.examples, names(session, card), seed), name=clean(card.name, fmt))
    yield from _block(fmt.facts, "\n".join(session.memory.facts))
    yield from _block(fmt.summary, session.memory.summary)
    yield from _block(fmt.lines, "; ".join(session.table.lines))
    yield from _block(fmt.veils, "; ".join(session.table.veils))
    yield from _rule(session, fmt)


def names(session: Session, card: CharacterCard) -> Names:
    """Whom the macros of a card mean: its character, and the players."""
    players = tuple(dict.fromkeys(persona.name for persona in session.personas))
    return Names(card.spoken_name, _listed(players or (NOBODY_YET,)))


def seed_of(session: Session) -> int:
    """What the random macros of a session's cards are drawn by: the same for all of its life."""
    return zlib.crc32(session.id.encode())


def _lore(entries: Sequence[LoreEntry], session: Session) -> str:
    filled = (fill(entry.content, names(session, session.character), seed_of(session)) for entry in entries)
    return "\n".join(text.strip() for text in filled)


def _rule(session: Session, fmt: PromptFormat) -> Iterator[str]:
    """The sentence that tells the model what to do, or what the card has in its place."""
    players = tuple(dict.fromkeys(clean(persona.name, fmt) for persona in session.personas))
    characters = tuple(dict.fromkeys(clean(card.name, fmt) for card in session.cast))
    rule = fmt.rule.format(character=_listed(characters), players=_listed(players or (NOBODY_YET,))) if fmt.rule else ""
    own = fill(session.character.system_prompt, names(session, session.character), seed_of(session), rule).strip()
    yield from _block("{text}", own or rule)


def _block(template: str, text: str, **names: str) -> Iterator[str]:
    if stripped := text.strip():
        yield template.format(text=stripped, **names)


def _listed(names: tuple[str, ...]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def clean(name: str, fmt: PromptFormat) -> str:
    """A name as it stands in a prompt."""
    return neutralise(one_line(name), fmt)
