"""Which lore a session's next prompt tells: the pure decision, with the sizes of entries asked of the engine once."""

from collections import OrderedDict
from dataclasses import dataclass, field

from bot.ports.engine import Engine, Segment
from bot.prompt.head import seed_of
from bot.prompt.keys import Names
from bot.prompt.lore import Told, tell
from bot.story.lorebook import Lorebook
from bot.story.session import Session
from bot.story.turn import Role

SHARE_OF_CONTEXT = 4
"""All lore together takes at most one part in so many of the context."""

CHARACTERS = 3
"""Characters of a token at least, for what is not measured as it stands: a text without its decorators."""

REMEMBERED = 20_000
"""Texts whose sizes are remembered: some large lorebooks' worth."""


@dataclass(slots=True)
class LoreTeller:
    """Tells the lore of any session."""

    engine: Engine
    _sizes: OrderedDict[str, int] = field(default_factory=OrderedDict)

    async def told(self, session: Session) -> Told:
        """What is told now. Raises EngineError."""
        books = books_of(session)
        if not books:
            return Told()
        await self._measure(books)
        posts = [turn.text for turn in session.turns if turn.role is not Role.ASIDE and not turn.is_writing]
        context = (await self.engine.capabilities()).context
        cast = tuple(dict.fromkeys(name for card in session.cast for name in (card.name, card.nickname) if name))
        names = Names(cast, tuple(persona.name for persona in session.personas))
        return tell(
            books,
            posts,
            turn_count=session.next_number,
            seed=seed_of(session),
            size=self.size,
            budget=context // SHARE_OF_CONTEXT,
            names=names,
        )

    def size(self, text: str) -> int:
        """The tokens of an entry, as far as they were measured."""
        return self._sizes.get(text, len(text) // CHARACTERS)

    async def _measure(self, books: tuple[Lorebook, ...]) -> None:
        unknown = [
            text for text in dict.fromkeys(entry.content for book in books for entry in book.entries) if text not in self._sizes
        ]
        if unknown:
            counts = await self.engine.count([Segment(text) for text in unknown])
            self._sizes.update(zip(unknown, counts, strict=True))
        while len(self._sizes) > REMEMBERED:
            self._sizes.popitem(last=False)


def books_of(session: Session) -> tuple[Lorebook, ...]:
    """The lorebooks of its characters, then its own."""
    return (*(card.book for card in session.cast if card.book), *session.memory.lore)
