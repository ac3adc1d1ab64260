"""Leases where only PostgreSQL can tell: steps under way, several heirs, machines that vanish."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import select, text, update

from bot.ports.leases import Lease
from storage.dialects import Database
from storage.leases import FORGOTTEN_AFTER
from storage.store import SqlStore, open_store
from storage.tables import processes
from tests.builders import HERE


@pytest.fixture
async def stores(migrated_postgres: str) -> AsyncGenerator[tuple[SqlStore, ...], None]:
    opened = tuple([await open_store(migrated_postgres) for _ in range(3)])
    for store in opened:
        await store.beat()
    yield opened
    for store in opened:
        await store.close()


@pytest.fixture
async def database(migrated_postgres: str) -> AsyncGenerator[Database, None]:
    database = Database(migrated_postgres)
    yield database
    await database.close()


async def last_beat(database: Database, store: SqlStore, ago: float) -> None:
    async with database.writing() as connection:
        until = processes.c.until - ago
        await connection.execute(update(processes).where(processes.c.id == store.holder).values(until=until))


async def test_a_step_that_is_under_way_keeps_its_place_and_is_not_waited_for(
    stores: tuple[SqlStore, ...], database: Database
) -> None:
    one, other, _ = stores
    await one.lease(HERE)
    async with one._working_on(HERE):
        await last_beat(database, one, ago=60.0)
        assert await asyncio.wait_for(other.lease(HERE), 5) is Lease.THEIRS
    assert await other.lease(HERE) is Lease.INHERITED


async def test_of_several_heirs_one_inherits(stores: tuple[SqlStore, ...], database: Database) -> None:
    one, *heirs = stores
    await one.lease(HERE)
    await last_beat(database, one, ago=60.0)
    leases = await asyncio.gather(*(heir.lease(HERE) for heir in heirs))
    assert sorted(lease.name for lease in leases) == ["INHERITED", "THEIRS"]


async def test_whoever_vanishes_in_the_middle_of_a_step_does_not_keep_its_rows_for_long(database: Database) -> None:
    async with database.writing() as connection:
        assert await connection.scalar(text("SHOW idle_in_transaction_session_timeout")) == "10s"


async def test_processes_that_have_been_dead_for_long_are_forgotten(stores: tuple[SqlStore, ...], database: Database) -> None:
    one, other, third = stores
    await last_beat(database, one, ago=FORGOTTEN_AFTER + 60)
    await last_beat(database, other, ago=60.0)
    await third.retire()
    await third.beat()
    async with database.reading() as connection:
        assert set(await connection.scalars(select(processes.c.id))) == {other.holder, third.holder}


async def test_a_process_is_alive_though_its_steps_are_stuck(stores: tuple[SqlStore, ...], database: Database) -> None:
    one, other, _ = stores
    await one.lease(HERE)
    async with one._working_on(None), one._working_on(None), one._working_on(None), one._working_on(None):
        await last_beat(database, one, ago=60.0)
        await asyncio.wait_for(one.beat(), 5)
    assert await other.lease(HERE) is Lease.THEIRS
