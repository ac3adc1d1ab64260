"""The history of the schema equals the tables, is applied once, and old programs can live with additions."""

import asyncio
import re
import shutil
import sys
from asyncio.subprocess import PIPE
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select, text

import storage.migrations
from bot.errors import StoreUnavailable
from bot.ports.store import Change
from bot.story.settings import SessionSettings
from storage.dialects import Database
from storage.migrate import HISTORY, bring_up_to_date
from storage.store import SqlStore, open_store
from storage.tables import metadata, works_with
from tests.builders import HERE, a_session

ADDS = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"
breaks_older_programs = {breaks}

def upgrade() -> None:
    op.add_column("sessions", sa.Column("mood", sa.Text()))
    op.create_table("moods", sa.Column("name", sa.Text(), primary_key=True))
"""
OPENS = """
import asyncio, sys
from storage.store import open_store

async def main():
    await (await open_store(sys.argv[1])).close()

print("ready", flush=True)
sys.stdin.readline()
asyncio.run(main())
"""
SQLITE_DEFINITIONS = (
    "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT IN ('alembic_version', 'sqlite_sequence')"
)
POSTGRES_DEFINITIONS = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
HEAD = "0002"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("empty_postgres"))
    return f"sqlite+aiosqlite:///{tmp_path}/stories.db"


async def migrated(url: str, history: str = HISTORY) -> Database:
    database = Database(url)
    try:
        async with database.writing() as connection:
            await database.lock_schema(connection)
            await connection.run_sync(bring_up_to_date, history)
    except StoreUnavailable:
        await database.close()
        raise
    return database


def a_newer_history(folder: Path, *, breaks: bool = False, more: str = "") -> str:
    """The migrations of a later release: today's, and one that adds a column and a table and does `more`."""
    history = folder / "newer"
    shutil.copytree(Path(storage.migrations.__file__).parent, history)
    (history / "versions" / "r9999_later.py").write_text(ADDS.format(head=HEAD, breaks=breaks) + more, encoding="utf-8")
    return str(history)


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def definitions(database: Database) -> set[tuple[str, ...]]:
    async with database.reading() as connection:
        asked = SQLITE_DEFINITIONS if connection.dialect.name == "sqlite" else POSTGRES_DEFINITIONS
        return {in_parts(each) for each in await connection.scalars(text(asked))}


def in_parts(definition: str) -> tuple[str, ...]:
    """What is defined and each of its parts, in no order: a column that was added stands behind the constraints in SQLite."""
    what, _, parts = " ".join(definition.split()).partition("(")
    return (what.strip(), *sorted(part.strip() for part in re.split(r",(?![^(]*\))", parts.strip().removesuffix(")"))))


async def test_all_migrations_together_make_the_tables(url: str) -> None:
    database = await migrated(url)
    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []
        assert (await connection.scalars(select(works_with.c.revision).order_by(works_with.c.revision))).all() == ["0001", HEAD]
    await database.close()


async def test_the_page_of_tables_makes_what_the_migrations_make(url: str) -> None:
    """Nearly to the letter: `compare_metadata` looks neither at conditions of indices nor at how rows are numbered."""
    database = await migrated(url)
    by_migrations = await definitions(database)
    async with database.writing() as connection:
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)
    assert await definitions(database) == by_migrations
    await database.close()


async def test_a_database_of_the_first_schema_keeps_its_stories_and_its_program(url: str) -> None:
    """The program of that schema wrote no adapter, and can go on with the database."""
    store = await open_store(url)
    saved = await store.save(Change(None, a_session(settings=SessionSettings(adapter="mira"))))
    await store.close()
    database = Database(url)
    async with database.writing() as connection:
        await connection.execute(text("ALTER TABLE sessions DROP COLUMN adapter"))
        await connection.execute(text("DELETE FROM works_with WHERE revision = '0002'"))
        await connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    await database.close()
    store = await open_store(url)
    assert await store.session_at(HERE) == replace(saved, settings=SessionSettings())
    await store.close()
    database = Database(url)
    async with database.reading() as connection:
        assert set(await connection.scalars(select(works_with.c.revision))) == {"0001", HEAD}
    await database.close()


async def test_opening_again_changes_nothing(url: str) -> None:
    for _ in range(2):
        await (await open_store(url)).close()
    database = await migrated(url)
    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()


async def test_many_may_open_a_new_database_at_once(url: str) -> None:
    stores = await asyncio.gather(*(open_store(url) for _ in range(4)))
    saved = await stores[0].save(Change(None, a_session()))
    for store in stores:
        assert await store.session_at(HERE) == saved
        await store.close()


@pytest.mark.slow
async def test_processes_may_open_a_new_database_at_once(url: str) -> None:
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", OPENS, url, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    ended = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    assert [errors.decode() for _, errors in ended] == [""] * 3
    assert [process.returncode for process in processes] == [0] * 3


async def test_this_program_works_on_a_newer_schema_that_only_added(url: str, tmp_path: Path) -> None:
    newer = await migrated(url, a_newer_history(tmp_path))
    store = await open_store(url)
    saved = await store.save(Change(None, a_session()))
    assert await store.session_at(HERE) == saved
    await store.close()
    async with newer.reading() as connection:
        assert set(await connection.scalars(select(works_with.c.revision))) == {"0001", HEAD, "9999"}
    await newer.close()


async def test_a_newer_schema_that_breaks_this_program_is_refused(url: str, tmp_path: Path) -> None:
    await (await migrated(url, a_newer_history(tmp_path, breaks=True))).close()
    with pytest.raises(StoreUnavailable, match="newer version of this program"):
        await open_store(url)


async def test_a_migration_that_fails_leaves_no_trace(url: str, tmp_path: Path) -> None:
    history = a_newer_history(tmp_path, more="    op.drop_table('never_there')\n")
    with pytest.raises(StoreUnavailable, match="never_there"):
        await migrated(url, history)
    store = SqlStore(await migrated(url))
    assert await store.places() == ()
    await store.close()
