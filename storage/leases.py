"""Which of several processes on one PostgreSQL works on a place; on SQLite there is one. It knows no work.

Rule 1: a place is its holder's until they give it back or count as dead, by the database's clock. Rule 2: whoever stores work
on a place locks its lease in the same transaction, so that nobody can take it over in between. Rule 3: a lease that is locked
is not waited for but left for later: its holder is alive, or the server is about to give that step up.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Double, Select, cast, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import LeaseLost
from bot.ids import ChannelKey, Place, Platform
from bot.ports.leases import LEASE_SECONDS, Lease
from storage import inbox, outbox, sessions
from storage.dialects import Database, insert_new
from storage.steps import Steps, whole
from storage.tables import leases, processes
from storage.tables import outbox as wishes

FORGOTTEN_AFTER = 3600.0
"""Seconds after which a dead process is forgotten."""

NOW = cast(func.extract("epoch", func.clock_timestamp()), Double)
ALIVE = exists().where(processes.c.id == leases.c.holder, processes.c.until > NOW)


class Leased(Steps):
    """The store's part that says who works where. `holder` names this process among those of its database."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self.holder = uuid4().hex

    @property
    def is_shared(self) -> bool:
        """Whether several processes can share the store."""
        return self._database.is_shared

    @whole
    async def beat(self) -> None:
        """This process is alive."""
        if self.is_shared:
            async with self._database.pulsing() as connection:
                await live_on(connection, self.holder)

    @whole
    async def lease(self, place: Place) -> Lease:
        """Work on a place from now on, if nobody who is alive does."""
        if not self.is_shared:
            return Lease.OURS
        async with self._database.writing() as connection:
            return await take(connection, place, self.holder)

    @whole
    async def give_back(self, place: Place) -> None:
        """Work on a place no longer."""
        if self.is_shared:
            async with self._database.writing() as connection:
                await connection.execute(delete(leases).where(_at(place), leases.c.holder == self.holder))

    async def unattended(self, now: float) -> tuple[Place, ...]:
        """The places where something is left to do and nobody who is alive works on it."""
        async with self._database.reading() as connection:
            left = await outbox.places(connection, now if self.is_shared else None)
            left += await sessions.unfinished_places(connection) + await inbox.places(connection)
            held = await attended(connection) if left and self.is_shared else frozenset()
        return tuple(place for place in dict.fromkeys(left) if place not in held)

    @whole
    async def retire(self) -> None:
        """This process works on nothing any more."""
        if self.is_shared:
            async with self._database.pulsing() as connection:
                await connection.execute(delete(leases).where(leases.c.holder == self.holder))
                await connection.execute(delete(processes).where(processes.c.id == self.holder))

    @asynccontextmanager
    async def _working_on(self, place: Place | None) -> AsyncIterator[AsyncConnection]:
        """A writing transaction of whoever works on a place; None: of anybody. Raises LeaseLost."""
        async with self._database.writing() as connection:
            if place is not None and self.is_shared:
                await _hold(connection, select(leases.c.holder).where(_at(place), leases.c.holder == self.holder))
            yield connection

    @asynccontextmanager
    async def _bringing(self, delivery: int) -> AsyncIterator[AsyncConnection]:
        """A writing transaction of whoever works on the place of an open wish. Raises LeaseLost."""
        async with self._database.writing() as connection:
            if self.is_shared:
                there = (leases.c.platform == wishes.c.platform) & (leases.c.channel == wishes.c.channel)
                is_open = (wishes.c.id == delivery) & wishes.c.reason.is_(None)
                query = select(leases.c.holder).join(wishes, there).where(is_open, leases.c.holder == self.holder)
                await _hold(connection, query)
            yield connection


async def live_on(connection: AsyncConnection, holder: str) -> None:
    """A process is alive; those that have been dead for long are forgotten."""
    until = NOW + LEASE_SECONDS
    row = insert(processes).values(id=holder, until=until)
    is_new = (await connection.execute(update(processes).where(processes.c.id == holder).values(until=until))).rowcount == 0
    if is_new:
        await connection.execute(row.on_conflict_do_nothing())
        await connection.execute(delete(processes).where(processes.c.until < NOW - FORGOTTEN_AFTER))


async def take(connection: AsyncConnection, place: Place, holder: str) -> Lease:
    """A place becomes a process's, unless another that is alive works there."""
    row = {"platform": place.platform, "channel": place.channel, "holder": holder}
    if (await connection.execute(insert_new(connection, leases).values(row))).rowcount == 1:
        return Lease.OURS
    free = select(leases.c.holder).where(_at(place), (leases.c.holder == holder) | ~ALIVE)
    former = await connection.scalar(free.with_for_update(skip_locked=True))
    if former in {None, holder}:
        return Lease.OURS if former else Lease.THEIRS
    await connection.execute(update(leases).where(_at(place)).values(holder=holder))
    return Lease.INHERITED


async def attended(connection: AsyncConnection) -> frozenset[Place]:
    """The places that somebody who is alive works on."""
    rows = await connection.execute(select(leases.c.platform, leases.c.channel).where(ALIVE))
    return frozenset(Place(Platform(row.platform), ChannelKey(row.channel)) for row in rows)


async def _hold(connection: AsyncConnection, query: Select[Any]) -> None:
    if await connection.scalar(query.with_for_update(read=True, of=leases)) is None:
        raise LeaseLost("Another process works on this place by now.")


def _at(place: Place) -> ColumnElement[bool]:
    return (leases.c.platform == place.platform) & (leases.c.channel == place.channel)
