"""The head of a prompt: who plays, what the world is, and what the table agreed on. It changes only when one of these does.

Rule: what a player or a card wrote is data: the builder neutralises all of it at once.
"""

from collections.abc import Iterator

from bot.prompt.format import PromptFormat
from bot.prompt.guard import neutralise, one_line
from bot.story.card import CharacterCard
from bot.story.session import Session

NOBODY_YET = "User"


def blocks(session: Session, fmt: PromptFormat) -> Iterator[str]:
    """The blocks of the head in order, none of them empty."""
    for card in session.cast:
        yield from _character(card, fmt)
    for persona in session.personas:
        yield from _block(fmt.persona, persona.description, name=clean(persona.name, fmt))
    yield from _block(fmt.scenario, session.scenario or session.character.scenario)
    for card in session.cast:
        yield from _block(fmt.examples, card.examples, name=clean(card.name, fmt))
    yield from _block(fmt.facts, "\n".join(session.memory.facts))
    yield from _block(fmt.summary, session.memory.summary)
    yield from _block(fmt.lines, "; ".join(session.table.lines))
    yield from _block(fmt.veils, "; ".join(session.table.veils))
    yield from _rule(session, fmt)


def _character(card: CharacterCard, fmt: PromptFormat) -> Iterator[str]:
    described = "\n".join(text for each in (card.description, card.personality) if (text := each.strip()))
    yield from _block(fmt.persona, described, name=clean(card.name, fmt))


def _rule(session: Session, fmt: PromptFormat) -> Iterator[str]:
    """The sentence that tells the model what to do, or what the card has in its place."""
    players = tuple(dict.fromkeys(clean(persona.name, fmt) for persona in session.personas))
    characters = tuple(dict.fromkeys(clean(card.name, fmt) for card in session.cast))
    rule = fmt.rule.format(character=_listed(characters), players=_listed(players or (NOBODY_YET,))) if fmt.rule else ""
    own = session.character.system_prompt.strip()
    yield from _block("{text}", own.replace("{{original}}", rule) if own else rule)


def _block(template: str, text: str, **names: str) -> Iterator[str]:
    if stripped := text.strip():
        yield template.format(text=stripped, **names)


def _listed(names: tuple[str, ...]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def clean(name: str, fmt: PromptFormat) -> str:
    """A name as it stands in a prompt."""
    return neutralise(one_line(name), fmt)
