"""What the store keeps beside the stories: characters and players' parts, reports, and how far platforms were read."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.errors import StoreUnavailable
from bot.ids import AuthorId, CardId, ChannelKey, EventId, Place, Platform
from bot.ports.arrivals import Arrival
from bot.ports.reports import KeptReport, Report
from bot.story.library import CardTitle, LibraryCard
from bot.story.persona import Persona
from storage import arrivals, bookmarks, library, reports, tables
from storage.dialects import Database
from storage.leases import Leased
from storage.steps import whole

log = logging.getLogger(__name__)


class Kept(Leased):
    """The store's part that belongs to no one story."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        super().__init__(database)
        self._now = now

    @whole
    async def keep_card(self, entry: LibraryCard) -> None:
        """Keep a character, in the place of the one with the same id."""
        async with self._database.writing() as connection:
            await library.keep_card(connection, entry)

    async def library(self) -> tuple[CardTitle, ...]:
        """What the library has, by name and then by id."""
        async with self._database.reading() as connection:
            return await library.titles(connection)

    async def card(self, card: CardId) -> LibraryCard | None:
        """One character with its face; None when the library does not have it."""
        async with self._database.reading() as connection:
            return await library.card(connection, card)

    @whole
    async def drop_card(self, card: CardId) -> None:
        """Take a character out of the library."""
        async with self._database.writing() as connection:
            await library.drop_card(connection, card)
        await self._cleared(self._database.empty_log())

    @whole
    async def keep_default_persona(self, persona: Persona) -> None:
        """Keep a player's part by default."""
        async with self._database.writing() as connection:
            await library.keep_persona(connection, persona)

    async def default_persona(self, author: AuthorId) -> Persona | None:
        """A player's part by default; None when they keep none."""
        async with self._database.reading() as connection:
            return await library.persona_of(connection, author)

    @whole
    async def drop_default_persona(self, author: AuthorId) -> None:
        """A player keeps no part by default any more."""
        async with self._database.writing() as connection:
            await library.drop_persona(connection, author)
        await self._cleared(self._database.empty_log())

    @whole
    async def keep_report(self, report: Report) -> int:
        """Keep a report; returns its number."""
        async with self._database.writing() as connection:
            return await reports.keep(connection, report)

    async def reports(self) -> tuple[KeptReport, ...]:
        """The reports that are kept, in order."""
        async with self._database.reading() as connection:
            return await reports.read(connection)

    @whole
    async def drop_report(self, number: int) -> None:
        """A report was dealt with."""
        async with self._database.writing() as connection:
            await reports.drop(connection, tables.reports.c.id == number)
        await self._cleared(self._database.empty_log())

    @whole
    async def bookmark(self, place: Place, mark: str) -> None:
        """Keep how far a place was read."""
        async with self._database.writing() as connection:
            await bookmarks.keep(connection, place, mark)

    async def bookmarks(self, platform: Platform) -> Mapping[ChannelKey, str]:
        """How far the places of a platform were read."""
        async with self._database.reading() as connection:
            return await bookmarks.read(connection, platform)

    @whole
    async def take_in(self, platform: Platform, mark: str, came: Sequence[Arrival]) -> tuple[Arrival, ...]:
        """Keep how far a platform was read, and what came up to there."""
        async with self._database.writing() as connection:
            return await arrivals.take_in(connection, platform, mark, came, self._now())

    async def arrived(self, platform: Platform) -> tuple[Arrival, ...]:
        """What was taken in and not let go."""
        async with self._database.reading() as connection:
            return await arrivals.kept(connection, platform)

    @whole
    async def let_go(self, platform: Platform, event: EventId) -> None:
        """An arrival needs nothing more."""
        async with self._database.writing() as connection:
            await arrivals.let_go(connection, platform, event, self._now())
        await self._cleared(self._database.empty_log())

    async def read_up_to(self, platform: Platform) -> str:
        """How far a platform was read."""
        async with self._database.reading() as connection:
            return await arrivals.mark_of(connection, platform)

    async def _cleared(self, clearing: Awaitable[None]) -> str:
        """Wait until files are cleared. What keeps them from it is logged and returned: the step itself is done."""
        try:
            await clearing
        except StoreUnavailable as error:
            log.warning("what was deleted may still be in the files", exc_info=error, extra={"action": "keep_deleted_bytes"})
            return str(error)
        return ""
