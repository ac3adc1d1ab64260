"""How connections are set up: durable, forgetful of what is deleted, and not hurt by a task that gives up."""

import asyncio
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.ids import EventId
from bot.ports.store import Change
from bot.story import acts as story
from bot.story.session import Session, with_length
from storage.dialects import GONE_SECONDS, Database, sqlite_url
from storage.store import open_store
from tests.builders import HERE, TOBIAS, a_post, a_session
from tests.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("migrated_postgres"))
    return f"sqlite+aiosqlite:///{tmp_path}/stories.db"


@pytest.mark.parametrize("name", ["a b.db", "100%20.db", "what?.db", "#1 é.db", "a:@b.db"])
async def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    await (await open_store(sqlite_url(tmp_path / name))).close()
    assert files_with(b"SQLite format 3", tmp_path) == [name]


async def test_who_writes_to_a_file_as_it_is_opened_is_waited_for(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "stories.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        opening = asyncio.create_task(open_store(sqlite_url(tmp_path / "stories.db")))
        await asyncio.wait({opening}, timeout=0.2)
        assert not opening.done()
        other.execute("ROLLBACK")
        await (await opening).close()


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("secure_delete", 1)]
)
async def test_every_connection_to_sqlite_is_set_up(tmp_path: Path, pragma: str, value: object) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/stories.db")
    async with database.reading() as one, database.reading() as two:
        for connection in (one, two):
            assert await connection.scalar(text(f"PRAGMA {pragma}")) == value
    await database.close()


async def test_a_server_whose_machine_vanishes_is_noticed(postgres: Postgres) -> None:
    """Nothing else ends a step that waits for an answer of a machine that is not there any more."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(str(postgres.folder / ".s.PGSQL.5432"))
        await asyncio.gather(pour(reader, back), pour(there, writer))

    async with await asyncio.start_server(relay, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        database = Database(f"postgresql://postgres@127.0.0.1:{port}/postgres?ssl=disable")
        async with database.reading() as connection:
            raw = await connection.get_raw_connection()
            wire = raw.driver_connection._transport.get_extra_info("socket")  # type: ignore[union-attr]  # asyncpg's
            assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            asked_for = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
            asked_for += 4 * wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
            assert asked_for <= GONE_SECONDS
            assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == GONE_SECONDS * 1000
        await database.close()


async def pour(source: asyncio.StreamReader, into: asyncio.StreamWriter) -> None:
    while block := await source.read(1 << 16):
        into.write(block)
        await into.drain()
    into.close()
    await into.wait_closed()


async def test_a_reader_sees_one_state_and_does_not_hold_up_a_writer(url: str) -> None:
    store = await open_store(url)
    await store.lease(HERE)
    session = await store.save(Change(None, a_session()))
    database = Database(url)
    async with database.reading() as connection:
        versions = text("SELECT version FROM sessions")
        assert await connection.scalar(versions) == 1
        await store.save(Change(session, with_length(session, None)))
        assert await connection.scalar(versions) == 1
    async with database.reading() as connection:
        assert await connection.scalar(versions) == 2
    await database.close()
    await store.close()


async def test_a_step_whose_caller_leaves_is_done_all_the_same_and_keeps_nothing_locked(url: str) -> None:
    store = await open_store(url)
    await store.lease(HERE)
    session = await store.save(Change(None, a_session()))
    for turns_of_the_loop in range(1, 40):
        task = asyncio.ensure_future(store.save(Change(session, story.add_post(session, TOBIAS, "A post."))))
        for _ in range(turns_of_the_loop):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await asyncio.gather(*store.running)
        found = await store.session_at(HERE)
        assert found is not None
        assert len(found.turns) == found.version - 1 == turns_of_the_loop
        session = found
    closing = asyncio.ensure_future(store.save(Change(session, story.add_post(session, TOBIAS, "The last post."))))
    await asyncio.sleep(0)
    closing.cancel()
    await store.close()
    again = await open_store(url)
    reread = await again.session_at(HERE)
    assert reread is not None
    assert len(reread.turns) == 40
    await again.close()


def files_with(words: bytes, folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if words in file.read_bytes()]


async def test_what_is_deleted_is_in_no_file_after_closing(tmp_path: Path) -> None:
    store = await open_store(f"sqlite+aiosqlite:///{tmp_path}/stories.db")
    await store.receive(a_post("An unmistakable post."))
    session = await store.save(Change(None, a_session()))
    session = await store.save(
        Change(session, story.add_post(session, TOBIAS, "An unmistakable post."), (), EventId("event-1"))
    )
    await store.save(Change(session, story.undo(session)[0]))
    await store.close()
    assert files_with(b"Tobias", tmp_path) == ["stories.db"]
    assert files_with(b"unmistakable", tmp_path) == []


async def test_what_a_step_takes_away_is_in_no_file_when_it_returns(tmp_path: Path) -> None:
    store = await open_store(f"sqlite+aiosqlite:///{tmp_path}/stories.db")
    session = await store.save(Change(None, a_session()))
    acts: list[Callable[[Session], Session]] = [
        lambda each: story.undo(each)[0],
        lambda each: story.edit(each, each.turns[-1].number, "Hm."),
    ]
    for number, take_away in enumerate(acts):
        await store.receive(a_post("An unmistakable post.", event=f"event-{number}"))
        posted = story.add_post(session, TOBIAS, "An unmistakable post.")
        session = await store.save(Change(session, posted, (), EventId(f"event-{number}")))
        assert files_with(b"unmistakable", tmp_path) != []
        session = await store.save(Change(session, take_away(session)))
        assert files_with(b"unmistakable", tmp_path) == []
    await store.receive(a_post("An unmistakable post.", event="ignored"))
    await store.dismiss(HERE, EventId("ignored"))
    assert files_with(b"unmistakable", tmp_path) == []
    await store.close()


async def test_a_step_that_takes_text_away_does_not_wait_long_for_a_reader(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/stories.db"
    store = await open_store(url)
    await store.lease(HERE)
    session = await store.save(Change(None, a_session()))
    session = await store.save(Change(session, story.add_post(session, TOBIAS, "An unmistakable post.")))
    other = Database(url)
    async with other.reading() as connection:
        await connection.execute(text("SELECT count(*) FROM turns"))
        session = await store.save(Change(session, story.undo(session)[0]))
        assert await store.session_at(HERE) == session
    await other.close()
    session = await store.save(Change(session, story.add_post(session, TOBIAS, "Another post.")))
    await store.save(Change(session, story.undo(session)[0]))
    assert files_with(b"unmistakable", tmp_path) == []
    await store.close()


async def test_many_steps_at_once_wait_their_turn(url: str) -> None:
    store = await open_store(url)
    kept = await asyncio.gather(*(store.receive(a_post(event=f"event-{number}")) for number in range(100)))
    assert all(kept)
    assert len(await store.waiting()) == 100
    await store.close()
