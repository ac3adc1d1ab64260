"""What a session says, as texts that can be judged: as they were written, and as the model is told them. It judges nothing."""

from collections.abc import Iterable, Iterator
from itertools import chain

from bot.cards.macros import Names, fill, has_macros, may_become
from bot.posts import Command, Edited, Inbound, InboundPost
from bot.prompt.decorators import read_decorators
from bot.prompt.head import NOBODY_YET, names, seed_of
from bot.story.card import CharacterCard
from bot.story.lorebook import Lorebook
from bot.story.session import Session
from bot.story.turn import Role, Turn

CONTEXT = 400
"""Characters of the turn before that a post is read after, so that an answer is understood."""

LIMITS = frozenset({"lines add", "veils add"})
"""Commands that name what shall not happen: to name it is what they are for."""

Named = tuple[str, str]
"""What a text is, in words for a sentence, and the text."""


def around(session: Session) -> tuple[object, ...]:
    """All that the texts of a session beside its posts hang on: while it is the same, so are they."""
    return session.cast, session.personas, session.scenario, session.memory


def texts_in(session: Session) -> Iterator[Named]:
    """What the model is told beside the posts, but for lines and veils. A name comes before what is called by it."""
    seed, known = seed_of(session), names(session, session.character)
    for card in session.cast:
        yield from (("name of a character", name) for name in _names_of(card))
        for text in _written(card):
            yield from ((f"card of {card.name}", each) for each in _readings(text, names(session, card), seed))
    yield from (("name of a persona", persona.name) for persona in session.personas)
    yield from ((f"persona {persona.name}", persona.description) for persona in session.personas)
    yield "scenario", session.scenario
    memory = session.memory
    yield from (("author's note", memory.note), ("summary", memory.summary))
    yield from (("pinned facts", fact) for fact in memory.facts)
    for book in (*(card.book for card in session.cast if card.book), *memory.lore):
        for text in _lore(book):
            yield from (("lore", each) for each in _readings(text, known, seed))


def limits_in(session: Session) -> Iterator[Named]:
    """The lines and veils: what shall not happen, or not in sight."""
    yield from (("lines", text) for text in session.table.lines)
    yield from (("veils", text) for text in session.table.veils)


def texts_of(card: CharacterCard) -> Iterator[str]:
    """All that a card may come to say in any session: names, texts, lore."""
    known = Names(card.spoken_name, NOBODY_YET)
    yield from _names_of(card)
    for text in chain(_written(card), _lore(card.book) if card.book else ()):
        yield from _readings(text, known)


def words_of(session: Session, event: Inbound) -> tuple[str, ...]:
    """What an event would bring into a session; the name of who gives a command only where it would become a part's name."""
    match event:
        case InboundPost():
            return event.author_name, event.text
        case Edited():
            return (event.text,)
        case Command():
            name = () if session.persona_of(event.author) else (event.author_name,)
            return (*name, *(value for value in event.values.values() if isinstance(value, str)))
        case _:
            return ()


def text_before(session: Session, event: Inbound) -> str:
    """What an event's words follow, as far as the session itself says. An edit follows what it is handled beside."""
    is_edit = isinstance(event, Edited) or (isinstance(event, Command) and event.name == "edit")
    return "" if is_edit else end_of(session.turns)


def end_of(turns: Iterable[Turn]) -> str:
    """The end of the last words of a story: of its newest post that has any, and is no aside and not being written."""
    told = [turn for turn in turns if _is_told(turn)]
    return told[-1].text[-CONTEXT:] if told else ""


def in_order(turns: Iterable[Turn]) -> Iterator[tuple[Turn, str]]:
    """Each turn, and the end of the words before it."""
    before = ""
    for turn in turns:
        yield turn, before
        before = turn.text[-CONTEXT:] if _is_told(turn) else before


def shown(turn: Turn) -> tuple[str, ...]:
    """What a turn shows now: its words, and the dice that were rolled with them."""
    return turn.text, *(roll.sentence for roll in turn.rolls)


def shown_ever(turn: Turn) -> tuple[str, ...]:
    """The same of all its variants."""
    return *(variant.text for variant in turn.variants), *shown(turn)[1:]


def _is_told(turn: Turn) -> bool:
    return turn.role is not Role.ASIDE and not turn.is_writing and bool(turn.text.strip())


def _names_of(card: CharacterCard) -> tuple[str, ...]:
    return card.name, card.nickname


def _written(card: CharacterCard) -> tuple[str, ...]:
    # Description and personality are one block of the prompt, so that what is random in them is drawn in one row.
    described = "\n".join(text for each in (card.description, card.personality) if (text := each.strip()))
    told = (card.scenario, card.examples, card.system_prompt, card.post_history)
    return (described, *told, card.greeting, *card.alternate_greetings)


def _lore(book: Lorebook) -> Iterator[str]:
    yield book.name
    for entry in book.entries:
        yield from (entry.content, entry.name, *entry.keys, *entry.secondary_keys)
        if entry.content.lstrip().startswith("@@"):
            yield read_decorators(entry.content)[1]


def _readings(text: str, known: Names, seed: int | None = None) -> Iterable[str]:
    """A text as it was written, as its macros fill it in, and as they might."""
    if not has_macros(text):
        return (text,)
    drawn = () if seed is None else (fill(text, known, seed, ""),)
    return dict.fromkeys((text, *drawn, *may_become(text, known)))
