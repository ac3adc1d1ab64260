"""The store port over a database: every method is one transaction. How rows lie is the business of its neighbours."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from bot.ids import EventId, MessageId, Place
from bot.ports.store import Change, Delivery, StoryPage, Wish
from bot.posts import Inbound
from bot.story.session import Session
from storage import inbox, outbox, reader, sessions
from storage.dialects import Database, sqlite_file, sqlite_url
from storage.migrate import bring_up_to_date

__all__ = ["SqlStore", "open_store", "sqlite_file", "sqlite_url"]

log = logging.getLogger(__name__)

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


async def open_store(url: str) -> "SqlStore":
    """Open a database and bring its schema up to date; safe when several processes do it at once.

    `url` is what `sqlite_url` makes of a path (the file is made when it is not there, its folder is not) or
    `postgresql+asyncpg://user:password@host/database`. Raises StoreUnavailable when it cannot be used.
    """
    database = Database(url)
    try:
        async with database.writing() as connection:
            await database.lock_schema(connection)
            await connection.run_sync(bring_up_to_date)
    except BaseException:
        await database.close()
        raise
    return SqlStore(database)


def whole(
    step: Callable[Concatenate["SqlStore", Asked], Awaitable[Answer]],
) -> Callable[Concatenate["SqlStore", Asked], Coroutine[Any, Any, Answer]]:
    """A step that runs to its end even when its caller is cancelled: given up half-way, it would keep the database locked."""

    @wraps(step)
    async def run(store: "SqlStore", /, *args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
        task = asyncio.ensure_future(step(store, *args, **kwargs))
        store.running.add(task)
        task.add_done_callback(store.running.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_log_failure)
            raise

    return run


def _log_failure(task: "asyncio.Future[Answer]") -> None:
    if not task.cancelled() and (error := task.exception()):
        log.warning("a step of the store failed after its caller had left", exc_info=error, extra={"action": "lose_step"})


class SqlStore:
    """Remembers in SQLite or PostgreSQL. May be called from many tasks at once. `running` are the steps under way."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.running: set[asyncio.Future[Any]] = set()

    @whole
    async def receive(self, event: Inbound) -> bool:
        """Keep an inbound event until it is handled. False when it was kept before."""
        async with self._database.writing() as connection:
            return await inbox.keep(connection, event)

    async def waiting(self) -> tuple[Inbound, ...]:
        """The events that are kept and not handled, in order."""
        async with self._database.reading() as connection:
            return await inbox.unhandled(connection)

    @whole
    async def dismiss(self, place: Place, event: EventId, wishes: Sequence[Wish] = ()) -> None:
        """An event is handled without changing the story. Raises AlreadyHandled."""
        async with self._database.writing() as connection:
            await inbox.mark_handled(connection, place, event)
            await outbox.queue(connection, wishes)

    async def session_at(self, place: Place) -> Session | None:
        """The session of a place with the turns of its window."""
        async with self._database.reading() as connection:
            return await sessions.at(connection, place)

    async def places(self) -> tuple[Place, ...]:
        """The places that hold a session, in the order in which these began."""
        async with self._database.reading() as connection:
            return await sessions.places(connection)

    @whole
    async def save(self, change: Change) -> Session:
        """Store a change, all of it or nothing. Raises AlreadyHandled, and StaleSession when the story moved on."""
        async with self._database.writing() as connection:
            if change.handled is not None:
                await inbox.mark_handled(connection, change.after.place, change.handled)
            saved = await sessions.write(connection, change.before, change.after)
            await outbox.queue(connection, change.wishes)
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
        async with self._database.writing() as connection:
            await outbox.try_begins(connection, delivery)

    @whole
    async def settle(self, delivery: int, message: MessageId | None) -> None:
        """The wish has come true: `message` stands at its position now."""
        async with self._database.writing() as connection:
            await outbox.settle(connection, delivery, message)

    @whole
    async def postpone(self, delivery: int, until: float, *, uncertain: bool) -> None:
        """The try failed; the wish is due again at `until`."""
        async with self._database.writing() as connection:
            await outbox.change(connection, delivery, due=until, uncertain=uncertain)

    @whole
    async def abandon(self, delivery: int, reason: str) -> None:
        """The wish will never come true; its reason stays, its text does not."""
        async with self._database.writing() as connection:
            await outbox.change(connection, delivery, reason=reason, text="")

    async def close(self) -> None:
        """Give back the connections, once the steps under way have ended."""
        await asyncio.gather(*self.running, return_exceptions=True)
        await self._database.close()
