"""The fake store's library, default personas, reports, and notes of what engines must forget."""

from collections.abc import Callable
from dataclasses import replace

from bot.ids import AuthorId, CardId, Place, SessionId
from bot.ports.privacy import Unforgotten
from bot.ports.reports import KeptReport, Report
from bot.story.library import CardTitle, LibraryCard
from bot.story.persona import Persona
from tests.fakes.copying import copied


class MemoryLibrary:
    """The parts of the store port that have to do with no session, over dictionaries."""

    def __init__(self) -> None:
        self._cards: dict[CardId, LibraryCard] = {}
        self._personas: dict[AuthorId, Persona] = {}
        self._reports: dict[int, Report] = {}
        self._last_report = 0
        self._unforgotten: list[Unforgotten] = []
        self._last_note = 0

    async def unforgotten(self) -> tuple[Unforgotten, ...]:
        return tuple(self._unforgotten)

    async def engine_forgot(self, which: Unforgotten) -> None:
        self._unforgotten = [each for each in self._unforgotten if each.session != which.session or each.number > which.number]

    def _note_unforgotten(self, session: SessionId, place: Place) -> None:
        self._last_note += 1
        self._unforgotten.append(Unforgotten(self._last_note, session, place))

    async def keep_card(self, entry: LibraryCard) -> None:
        self._cards[entry.id] = copied(entry)

    async def library(self) -> tuple[CardTitle, ...]:
        titles = (CardTitle(each.id, each.owner, each.card.name, each.card.rating) for each in self._cards.values())
        return tuple(sorted(titles, key=lambda title: (title.name, title.id)))

    async def card(self, card: CardId) -> LibraryCard | None:
        return copied(self._cards.get(card))

    async def drop_card(self, card: CardId) -> None:
        self._cards.pop(card, None)

    async def keep_default_persona(self, persona: Persona) -> None:
        self._personas[persona.author] = copied(persona)

    async def default_persona(self, author: AuthorId) -> Persona | None:
        return copied(self._personas.get(author))

    async def drop_default_persona(self, author: AuthorId) -> None:
        self._personas.pop(author, None)

    async def keep_report(self, report: Report) -> int:
        self._last_report += 1
        self._reports[self._last_report] = copied(report)
        return self._last_report

    async def reports(self) -> tuple[KeptReport, ...]:
        return tuple(KeptReport(number, copied(report)) for number, report in self._reports.items())

    async def drop_report(self, number: int) -> None:
        self._reports.pop(number, None)

    def _cards_of(self, author: AuthorId) -> tuple[LibraryCard, ...]:
        return tuple(copied(each) for each in sorted(self._cards.values(), key=lambda each: each.id) if each.owner == author)

    def _clear_reports(self, place: Place, fill: Callable[[str], str]) -> None:
        for number, each in self._reports.items():
            if each.place == place:
                self._reports[number] = replace(each, reason=fill(each.reason), context=fill(each.context))

    def _forget_library(self, author: AuthorId) -> None:
        self._cards = {key: each for key, each in self._cards.items() if each.owner != author}
        self._personas.pop(author, None)
        self._reports = {number: each for number, each in self._reports.items() if each.author != author}
