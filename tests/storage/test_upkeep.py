"""What an operator is told of a database, and how it is brought up to date."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.errors import StoreUnavailable
from bot.ids import ChannelKey, SessionId
from bot.ports.store import Change
from storage.dialects import Database
from storage.migrate import bring_up_to_date as migrate
from storage.store import open_store, sqlite_url
from storage.upkeep import bring_up_to_date, health
from tests.builders import HERE, a_session
from tests.storage.test_migrate import HEAD, a_newer_history, migrated


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("empty_postgres"))
    return f"sqlite+aiosqlite:///{tmp_path}/stories.db"


async def changed(url: str, *statements: str) -> None:
    database = Database(url)
    async with database.writing() as connection:
        for each in statements:
            await connection.execute(text(each))
    await database.close()


async def an_older_one(url: str, revision: str) -> None:
    database = Database(url)
    async with database.writing() as connection:
        await connection.run_sync(lambda each: migrate(each, to=revision))
    await database.close()


async def test_a_database_of_today_is_well(url: str) -> None:
    store = await open_store(url)
    await store.save(Change(None, a_session()))
    found = await health(url)
    await store.close()
    assert (found.schema.found, found.schema.wanted, found.schema.steps, found.faults) == (HEAD, HEAD, (), ())
    assert found.schema.is_usable
    assert found.kind == url.partition("+")[0]


async def test_an_older_schema_is_told_with_its_steps_and_brought_up_to_date(url: str) -> None:
    await an_older_one(url, "0003")
    found = await health(url)
    assert (found.schema.found, found.schema.is_usable, found.faults) == ("0003", True, ())
    assert [step.partition(":")[0] for step in found.schema.steps][::-1][:1] == [HEAD]
    assert all(step.partition(": ")[2] for step in found.schema.steps)
    told: list[str] = []
    assert await bring_up_to_date(url, told.append) == found.schema
    assert tuple(told) == found.schema.steps
    assert (await health(url)).schema.steps == ()
    assert await bring_up_to_date(url, told.append) == (await health(url)).schema
    assert tuple(told) == found.schema.steps, "there was nothing more to do"


async def test_a_database_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "theirs.db")) as theirs:
        theirs.executescript("CREATE TABLE p (a); CREATE TABLE x (y REFERENCES p (a)); INSERT INTO x VALUES (1)")
    before = (tmp_path / "theirs.db").read_bytes()
    with pytest.raises(StoreUnavailable, match="another program"):
        await bring_up_to_date(sqlite_url(tmp_path / "theirs.db"), print)
    with pytest.raises(StoreUnavailable, match="another program"):
        await health(sqlite_url(tmp_path / "theirs.db"))
    assert (tmp_path / "theirs.db").read_bytes() == before


async def test_a_newer_schema_that_this_program_can_use_is_well(url: str, tmp_path: Path) -> None:
    await (await migrated(url, a_newer_history(tmp_path))).close()
    found = await health(url)
    assert (found.schema.found, found.schema.is_newer, found.schema.is_usable, found.faults) == ("9999", True, True, ())
    assert (await bring_up_to_date(url, lambda _: None)).is_newer


async def test_a_newer_schema_that_this_program_cannot_use_is_told(url: str, tmp_path: Path) -> None:
    await (await migrated(url, a_newer_history(tmp_path, breaks=True))).close()
    assert not (await health(url)).schema.is_usable
    with pytest.raises(StoreUnavailable, match="newer version of this program"):
        await bring_up_to_date(url, lambda _: None)


async def test_tables_that_somebody_changed_are_told(url: str) -> None:
    await (await open_store(url)).close()
    await changed(url, "DROP TABLE bookmarks", "ALTER TABLE sessions ADD COLUMN mood TEXT", "DROP INDEX ix_cards_owner")
    faults = (await health(url)).faults
    assert set(faults) == {
        "missing: table bookmarks",
        "not expected: column sessions.mood",
        "missing: index ix_cards_owner",
    }
    with pytest.raises(StoreUnavailable, match="is damaged"):
        await bring_up_to_date(url, print)


async def test_rows_without_their_story_are_told_on_sqlite(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/stories.db"
    store = await open_store(url)
    await store.save(Change(None, a_session()))
    await store.close()
    # As a tool does that does not ask for foreign keys.
    await changed(url, "COMMIT", "PRAGMA foreign_keys = OFF", "BEGIN", "DELETE FROM sessions")
    assert any("belongs to one of sessions that is not there" in fault for fault in (await health(url)).faults)


async def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "stories.db"
    url = f"sqlite+aiosqlite:///{file}"
    store = await open_store(url)
    for number in range(40):
        await store.bookmark(HERE, "x" * 3000)
        await store.save(
            Change(None, a_session(id=SessionId(str(number)), place=replace(HERE, channel=ChannelKey(str(number)))))
        )
    await store.close()
    raw = bytearray(file.read_bytes())
    middle = len(raw) // 2 // 4096 * 4096
    raw[middle : middle + 4096] = bytes(4096)
    file.write_bytes(raw)
    with pytest.raises(StoreUnavailable, match="damaged"):
        await bring_up_to_date(url, print)
    try:
        assert (await health(url)).faults
    except StoreUnavailable as told:
        assert "damaged" in str(told)  # noqa: PT017  either is an answer


async def test_looking_makes_no_database(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="no stories"):
        await health(f"sqlite+aiosqlite:///{tmp_path}/stories.db")
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240  nothing else runs
