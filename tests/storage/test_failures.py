"""Whatever goes wrong with a database is one sentence that says what to check, and quotes nothing that a player wrote."""

import sqlite3
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.errors import StoreAway, StoreUnavailable
from bot.ports.store import Change
from bot.story import acts as story
from storage import dialects
from storage.dialects import Database
from storage.failures import sentence, translated
from storage.store import SqlStore, open_store
from tests.builders import TOBIAS, a_post, a_session
from tests.postgres import Postgres


def from_sqlite(name: str) -> sqlite3.Error:
    error = sqlite3.OperationalError("its own words")
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (from_sqlite("SQLITE_READONLY_DIRECTORY"), "cannot be written"),
        (from_sqlite("SQLITE_IOERR_WRITE"), "failed to read or write"),
        (from_sqlite("SQLITE_CORRUPT"), "restore the file from a backup"),
        (from_sqlite("SQLITE_NEW"), r"refused a step: its own words \(SQLITE_NEW\)"),
        (asyncpg.DiskFullError(), "disk of the PostgreSQL server is full"),
        (asyncpg.TooManyConnectionsError(), "max_connections"),
        (asyncpg.CannotConnectNowError(), "stopping or starting"),
        (asyncpg.AdminShutdownError(), "stopping or starting"),
        (asyncpg.InvalidPasswordError(), "user or the password"),
        (asyncpg.InsufficientPrivilegeError(), "rights"),
        (asyncpg.ConnectionDoesNotExistError(), "connection to PostgreSQL broke"),
        (asyncpg.SerializationError(), "try again"),
        (ConnectionRefusedError(), "cannot be reached"),
        (PoolTimeout(), "no connection became free"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_known_error_says_what_to_check(error: Exception, says: str) -> None:
    with pytest.raises(StoreUnavailable, match=says):
        raise StoreUnavailable(sentence(error))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense", "address cannot be used"),
        ("mysql://localhost/x", "address cannot be used"),
        ("sqlite+aiosqlite://", "address cannot be used"),
        ("sqlite+aiosqlite:///:memory:", "address cannot be used"),
        ("sqlite+aiosqlite:///file:stories?mode=memory&uri=true", "address cannot be used"),
        ("postgresql://user:secret@127.0.0.1:9/x?sslmode=require", r"\?ssl=require"),
        ("postgresql://user:secret@127.0.0.1:9/x?command_timeout=5", "address cannot be used"),
        ("sqlite+aiosqlite:////no/such/folder/stories.db", "check that its folder exists"),
        ("sqlite+aiosqlite:////tmp", "check that its folder exists"),
        ("postgresql+asyncpg://postgres@/x?host=/no/such/folder", "cannot be reached"),
        ("postgresql+asyncpg://user:secret@127.0.0.1:9/x", "cannot be reached"),
    ],
)
async def test_an_address_that_leads_nowhere_is_one_sentence(url: str, says: str) -> None:
    with pytest.raises(StoreUnavailable, match=says) as caught:
        await open_store(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (from_sqlite("SQLITE_BUSY"), True),
        (asyncpg.CannotConnectNowError(), True),
        (asyncpg.TooManyConnectionsError(), True),
        (ConnectionRefusedError(), True),
        (from_sqlite("SQLITE_NOTADB"), False),
        (asyncpg.InvalidPasswordError(), False),
        (asyncpg.InvalidCatalogNameError(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_may_pass_is_told_from_what_somebody_has_to_mend(error: Exception, *, passes: bool) -> None:
    with pytest.raises(StoreUnavailable) as caught, translated():
        raise error
    assert isinstance(caught.value, StoreAway) is passes


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+aiosqlite"])
async def test_an_address_may_leave_the_driver_out(scheme: str, tmp_path: Path) -> None:
    await (await open_store(f"{scheme}:///{tmp_path}/stories.db")).close()


async def test_a_missing_postgres_database_is_named_as_such(postgres: Postgres) -> None:
    with pytest.raises(StoreUnavailable, match="no database of that name"):
        await open_store(postgres.url("never_made"))


async def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear Mira, " * 500, encoding="utf-8")
    with pytest.raises(StoreUnavailable, match="not an SQLite database"):
        await open_store(f"sqlite+aiosqlite:///{file}")
    assert file.read_text(encoding="utf-8") == "Dear Mira, " * 500


async def test_a_database_that_another_program_holds_is_named_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialects, "BUSY_SECONDS", 0)
    store = await open_store(f"sqlite+aiosqlite:///{tmp_path}/stories.db")
    other = sqlite3.connect(tmp_path / "stories.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        await store.receive(a_post())
    other.execute("ROLLBACK")
    other.close()
    assert await store.receive(a_post())
    await store.close()


async def test_a_full_disk_stores_nothing_and_hurts_nothing(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/stories.db"
    store = await open_store(url)
    session = await store.save(Change(None, a_session()))
    await store.close()
    database = Database(url)
    async with database.reading() as connection:
        await connection.execute(text("PRAGMA max_page_count = 1"))  # the file may not grow any more
    store = SqlStore(database)
    long = story.add_post(session, TOBIAS, "A secret. " * 100_000)
    with pytest.raises(StoreUnavailable, match="disk that holds the database is full") as caught:
        await store.save(Change(session, long))
    assert "secret" not in f"{caught.value} {caught.value.__cause__}"
    assert await store.session_at(session.place) == session
    await store.close()


async def test_a_step_is_done_though_the_files_could_not_be_cleared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(_database: Database) -> None:
        raise StoreUnavailable("The disk that holds the database is full: make room on it.")

    store = await open_store(f"sqlite+aiosqlite:///{tmp_path}/stories.db")
    session = await store.save(Change(None, story.add_post(a_session(), TOBIAS, "A post.")))
    monkeypatch.setattr(Database, "empty_log", fails)
    saved = await store.save(Change(session, story.undo(session)[0]))
    assert await store.session_at(session.place) == saved
    await store.close()


async def test_a_postgres_server_that_ends_is_named_and_found_again(postgres: Postgres, migrated_postgres: str) -> None:
    store = await open_store(migrated_postgres)
    other = await asyncpg.connect(user="postgres", host=str(postgres.folder), database="postgres")
    await other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%'")
    await other.close()
    assert await store.receive(a_post())
    await store.close()
