"""The store port over a database: every method is one transaction. How rows lie is the business of its neighbours."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement

from bot.ids import AuthorId, EventId, MessageId, Place, SessionId
from bot.limits import Limits
from bot.ports.bin import EndedSession
from bot.ports.ledger import Asked, Ruling
from bot.ports.overview import Inventory
from bot.ports.privacy import Forgotten, PlayerData, Unforgotten
from bot.ports.reports import Refusal
from bot.ports.store import Change, Delivery, StoryPage, Wish
from bot.posts import Inbound, OutboundPost
from bot.story.session import Session
from bot.story.turn import Turn
from storage import bin as ended_sessions
from storage import inbox, ledger, outbox, privacy, reader, sessions, tables, unforgotten
from storage import overview as counted
from storage import turns as told
from storage.dialects import Database, sqlite_file, sqlite_url
from storage.kept import Kept
from storage.migrate import bring_up_to_date
from storage.steps import whole

__all__ = ["SqlStore", "open_store", "sqlite_file", "sqlite_url"]

log = logging.getLogger(__name__)


async def open_store(url: str, now: Callable[[], float] = time.time) -> "SqlStore":
    """Open a database and bring its schema up to date; safe when several processes do it at once.

    `url` is what `sqlite_url` makes of a path (the file is made when it is not there, its folder is not) or
    `postgresql+asyncpg://user:password@host/database`. `now` tells the time in seconds since the epoch. Raises
    StoreUnavailable when the database cannot be used.
    """
    database = Database(url)
    try:
        async with database.writing() as connection:
            await database.lock_schema(connection)
            await connection.run_sync(bring_up_to_date)
    except BaseException:
        await database.close()
        raise
    return SqlStore(database, now)


class SqlStore(Kept):
    """Remembers in SQLite or PostgreSQL. May be called from many tasks at once."""

    @whole
    async def receive(self, event: Inbound) -> bool:
        """Keep an inbound event until it is handled. False when it was kept before."""
        async with self._database.writing() as connection:
            return await inbox.keep(connection, event)

    async def waiting(self, place: Place | None = None) -> tuple[Inbound, ...]:
        """The events that are kept and not handled, in order."""
        async with self._database.reading() as connection:
            return await inbox.unhandled(connection, place)

    @whole
    async def dismiss(self, place: Place, event: EventId, wishes: Sequence[Wish] = ()) -> None:
        """An event is handled without changing the story. Raises AlreadyHandled."""
        async with self._working_on(place) as connection:
            await inbox.mark_handled(connection, place, event)
            await ledger.dismiss(connection, place, event, self._now())
            await outbox.queue(connection, wishes)
        await self._cleared(self._database.empty_log())

    async def session_at(self, place: Place) -> Session | None:
        """The session of a place with the turns of its window."""
        async with self._database.reading() as connection:
            return await sessions.at(connection, place)

    async def widened(self, place: Place, back_to: int) -> Session | None:
        """The session of a place with its window begun at turn number `back_to`, if that is earlier."""
        async with self._database.reading() as connection:
            return await sessions.at(connection, place, back_to)

    async def turns(self, session: SessionId) -> tuple[Turn, ...]:
        """All turns of a session, in order."""
        async with self._database.reading() as connection:
            return await told.read(connection, session)

    async def turn_of(self, place: Place, event: EventId) -> int | None:
        """The number of the turn that a place's session made of this message of the platform."""
        async with self._database.reading() as connection:
            session = await sessions.id_at(connection, place)
            return None if session is None else await told.made_of(connection, session, event)

    async def post_shown_as(self, place: Place, message: MessageId) -> OutboundPost | None:
        """The post that this message of the platform shows for the session of a place."""
        async with self._database.reading() as connection:
            return await outbox.shown_as(connection, place, message)

    async def places(self) -> tuple[Place, ...]:
        """The places that hold a session, in the order in which these began."""
        async with self._database.reading() as connection:
            return await sessions.places(connection)

    async def reminding(self) -> tuple[Place, ...]:
        """The places whose session reminds whoever holds it up."""
        async with self._database.reading() as connection:
            return await sessions.reminding_places(connection)

    @whole
    async def save(self, change: Change) -> Session:
        """Store a change, all of it or nothing. Raises AlreadyHandled, LeaseLost, and StaleSession when the story moved on."""
        needs_lease = change.before is not None and not change.beside
        async with self._working_on(change.after.place if needs_lease else None) as connection:
            if change.handled is not None:
                await inbox.mark_handled(connection, change.after.place, change.handled)
            saved = await sessions.write(connection, change.before, change.after, self._now())
            await ledger.follow(connection, change, self._now())
            await outbox.queue(connection, change.wishes)
            if change.loses_words:
                await unforgotten.note(connection, saved.id, saved.place)
        if sessions.takes_text_away(change.before, change.after):
            await self._cleared(self._database.empty_log())
        return saved

    async def unfinished(self) -> tuple[Place, ...]:
        """The places whose session has a turn that is still being written."""
        async with self._database.reading() as connection:
            return await sessions.unfinished_places(connection)

    async def page(self, place: Place, *, before: int | None = None, limit: int = 50) -> StoryPage:
        """The newest `limit` turns of a story (older than turn number `before`), for people to read."""
        async with self._database.reading() as connection:
            return await reader.page(connection, place, before, limit)

    async def claim(self, place: Place, now: float) -> Delivery | None:
        """The oldest wish of a place, if its time has come."""
        async with self._database.reading() as connection:
            return await outbox.oldest(connection, place, now)

    async def outstanding(self) -> tuple[Place, ...]:
        """The places that have wishes which are not settled."""
        async with self._database.reading() as connection:
            return await outbox.places(connection)

    @whole
    async def attempt(self, delivery: int) -> None:
        """A try begins; its outcome is uncertain from now on."""
        async with self._bringing(delivery) as connection:
            await outbox.try_begins(connection, delivery)

    @whole
    async def settle(self, delivery: int, message: MessageId | None) -> None:
        """The wish has come true: `message` stands at its position now."""
        async with self._database.writing() as connection:
            replaced = await outbox.settle(connection, delivery, message)
        if replaced:
            await self._cleared(self._database.empty_log())

    @whole
    async def postpone(self, delivery: int, until: float, *, uncertain: bool) -> None:
        """The try failed; the wish is due again at `until`."""
        async with self._bringing(delivery) as connection:
            await outbox.change(connection, delivery, due=until, uncertain=uncertain)

    @whole
    async def abandon(self, delivery: int, reason: str) -> None:
        """The wish will never come true; its reason stays, its text does not."""
        async with self._bringing(delivery) as connection:
            await outbox.change(connection, delivery, reason=reason, text="")
        await self._cleared(self._database.empty_log())

    @whole
    async def end(self, place: Place, now: float) -> SessionId | None:
        """The session of a place leaves it for the bin. None when the place has none."""
        async with self._database.writing() as connection:
            ended = await ended_sessions.end(connection, place, now)
            # After the session, as `save` does: in another order, two steps could wait for each other.
            await ledger.end(connection, place, now)
            return ended

    async def ended(self, place: Place) -> tuple[EndedSession, ...]:
        """The sessions in the bin that had this place, the newest first."""
        async with self._database.reading() as connection:
            return await ended_sessions.ended(connection, place)

    async def ended_of(self, owner: AuthorId) -> tuple[EndedSession, ...]:
        """The sessions in the bin that a player began, the newest first."""
        async with self._database.reading() as connection:
            return await ended_sessions.ended_of(connection, owner)

    @whole
    async def resume(self, session: SessionId, place: Place) -> Session:
        """A session leaves the bin for a place. Raises Refused when it is not there or the place is taken."""
        async with self._database.writing() as connection:
            return await ended_sessions.resume(connection, session, place, self._now())

    @whole
    async def empty_bin(self, before: float) -> tuple[SessionId, ...]:
        """Delete for good what ended before a time."""
        return await self._delete(tables.sessions.c.ended < before)

    @whole
    async def delete_untouched(self, before: float) -> tuple[SessionId, ...]:
        """Delete for good what was changed before a time for the last time."""
        return await self._delete(tables.sessions.c.touched < before)

    @whole
    async def drop_handled(self, keep: int, of_place: int) -> int:
        """Drop the ids of old events that are handled."""
        async with self._database.writing() as connection:
            return await inbox.drop_old(connection, keep, of_place)

    async def _delete(self, which: ColumnElement[bool]) -> tuple[SessionId, ...]:
        async with self._database.writing() as connection:
            gone = await ended_sessions.delete_for_good(connection, which)
        if gone:
            await self._cleared(self._database.rebuild(tables.metadata.tables))
        return gone

    @whole
    async def refuse(self, event: EventId, place: Place, reason: str) -> bool:
        """An event is kept as handled, with the reason only. False when it was handled before."""
        async with self._database.writing() as connection:
            refused = await inbox.refuse(connection, event, place, reason)
            await ledger.dismiss(connection, place, event, self._now())
        await self._cleared(self._database.empty_log())
        return refused

    async def refusals(self, place: Place, limit: int = 10) -> tuple[Refusal, ...]:
        """What was refused in a place, the newest first."""
        async with self._database.reading() as connection:
            return await inbox.refusals(connection, place, limit)

    async def words_of(self, author: AuthorId) -> PlayerData:
        """All that is stored of a player."""
        async with self._database.reading() as connection:
            return await privacy.words_of(connection, author)

    @whole
    async def forget(self, author: AuthorId, answers: EventId | None = None) -> Forgotten:
        """Take a player's words out of everything, and out of the files."""
        async with self._database.writing() as connection:
            forgotten = await privacy.forget(connection, author, answers, self._now())
        leftovers = await self._cleared(self._database.rebuild(tables.metadata.tables))
        return replace(forgotten, leftovers=leftovers)

    async def unforgotten(self) -> tuple[Unforgotten, ...]:
        """What engines must still forget, the oldest first."""
        async with self._database.reading() as connection:
            return await unforgotten.read(connection)

    @whole
    async def engine_forgot(self, which: Unforgotten) -> None:
        """An engine has forgotten a session since it was noted."""
        async with self._database.writing() as connection:
            await unforgotten.drop(connection, which)

    async def inventory(self, newest: int = 0) -> Inventory:
        """How much there is of everything."""
        async with self._database.reading() as connection:
            return await counted.read(connection, newest)

    @whole
    async def ask(self, asked: Asked, limits: Limits) -> Ruling:
        """Count a reply that is asked for, unless a limit is reached."""
        async with self._database.writing() as connection:
            await self._database.lock_counts(connection, ledger.counters(asked, limits))
            return await ledger.ask(connection, asked, limits, self._now())

    @whole
    async def tell(self, wishes: Sequence[Wish]) -> None:
        """Keep wishes that belong to no change."""
        async with self._database.writing() as connection:
            await outbox.queue(connection, wishes)

    @whole
    async def drop_counts(self) -> None:
        """Drop what no limit asks for any more."""
        async with self._database.writing() as connection:
            await ledger.drop(connection, self._now())

    async def close(self) -> None:
        """Give back the connections, once the steps under way have ended."""
        await asyncio.gather(*self.running, return_exceptions=True)
        await self._database.close()
