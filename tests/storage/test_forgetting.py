"""What is forgotten or deleted for good is in no file of the database any more, on SQLite not even while it is open."""

import json
import random
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from bot.ids import AuthorId, CardId, EventId, SessionId
from bot.ports.reports import Report
from bot.ports.store import Change
from bot.story import acts as story
from bot.story.dice import DiceRoll
from bot.story.library import LibraryCard
from bot.story.persona import Persona
from bot.story.session import Session, with_turn, with_window
from bot.story.table import Link, LinkKind, Memory
from storage import dialects
from storage.dialects import Database
from storage.store import SqlStore, open_store
from tests.builders import HERE, MIRA, a_post, a_session
from tests.contracts.stories import ANN, ELSEWHERE, bring, finished, queued, shown
from tests.postgres import Postgres

PLAYER = Persona(ANN.author, "Quintessa", 'Quintessa is a "runaway" duchess from the isle of Thrym.')
POST = 'She hid the ruby under the seventh stair.\n"Tell nobody," she\tsaid, é.'
WORDS = (
    "hid the ruby under the seventh",
    "Quintessa",
    "runaway",
    "isle of Thrym",
    "complaint about a quarrel",
    POST,
    PLAYER.description,
)


def found(folder: Path, *, besides: str = "") -> list[tuple[str, str]]:
    """Which files hold which of the words, in UTF-8 or as JSON writes them."""
    files = [path for path in folder.rglob("*") if path.is_file() and not (besides and besides in path.parts)]
    contents = {path: path.read_bytes() for path in files}
    return [
        (path.name, word)
        for path, content in contents.items()
        for word in WORDS
        if any(form.encode() in content for form in forms(word))
    ]


def forms(word: str) -> set[str]:
    return {word, json.dumps(word, ensure_ascii=False)[1:-1], json.dumps(word)[1:-1]}


async def played(store: SqlStore) -> Session:
    """A long story of a player, in many versions of its texts, that fills every table; part two of it has a summary."""
    session = await store.save(Change(None, story.greet(a_session(personas=(PLAYER, replace(ANN, author=OTHER))))))
    for number in range(60):
        post = a_post(f"{POST} {number} {'x' * (number * 37 % 900)}", event=f"event-{number}", author=PLAYER.author)
        await store.receive(post)
        posted = story.add_post(session, PLAYER, post.text)
        rolls = (DiceRoll("Quintessa", "d6", "d6 (3)", 3, POST),)
        turn = replace(posted.turns[-1], rolls=rolls, extras=json.dumps({"mes": POST}), sources=(EventId(f"m-{number}"),))
        session = await store.save(Change(session, with_turn(posted, turn), handled=post.event))
        reply = f'"{POST}" Mira repeated. {"y" * (number * 61 % 1500)}'
        replied = finished(story.open_reply(session, seed=number), reply, reply[:30], reply[30:])
        session = await store.save(Change(session, replied))
        session = await store.save(Change(session, finished(story.retry(session, seed=number), "Quintessa nodded.")))
        await bring(store, shown(f"post-{number}", 2 * number + 2, text=reply), f"m-{number}")
    session = await store.save(Change(session, replace(with_window(session, 80), memory=Memory(note=POST, facts=(POST,)))))
    await queued(store, shown("waits", 2, position=1, text=POST))
    await store.keep_card(LibraryCard(CardId("card"), PLAYER.author, replace(MIRA, name="Quintessa", description=POST)))
    await store.keep_default_persona(PLAYER)
    await store.keep_report(Report(HERE, PLAYER.author, "A complaint about a quarrel.", POST, 1.0))
    await store.receive(a_post(POST, event="waiting", author=PLAYER.author))
    link = Link(LinkKind.PART, session.id, HERE, 120)
    part = a_session(id=SessionId("part-2"), place=ELSEWHERE, personas=(), memory=Memory(summary=POST), came_from=link)
    await store.save(Change(None, part))
    return session


OTHER = AuthorId("author-3")


async def test_a_forgotten_player_is_in_no_file_of_an_open_sqlite_database(tmp_path: Path) -> None:
    store = await open_store(f"sqlite+aiosqlite:///{tmp_path}/stories.db")
    await played(store)
    assert {word for _, word in found(tmp_path)} == set(WORDS)
    forgotten = await store.forget(PLAYER.author)
    assert forgotten.leftovers == ""
    assert len(forgotten.stories) == 2
    assert found(tmp_path) == []
    await store.close()
    assert found(tmp_path) == []


async def test_a_deleted_session_is_in_no_file_of_an_open_sqlite_database(tmp_path: Path) -> None:
    store = await open_store(f"sqlite+aiosqlite:///{tmp_path}/stories.db", lambda: 1.0)
    session = await played(store)
    await store.end(HERE, now=1.0)
    await store.empty_bin(before=2.0)
    await store.delete_untouched(before=2.0)
    await store.drop_card(CardId("card"))
    await store.drop_default_persona(PLAYER.author)
    for kept in await store.reports():
        await store.drop_report(kept.number)
    await store.dismiss(HERE, EventId("waiting"))
    assert await store.turns(session.id) == ()
    assert found(tmp_path) == []
    await store.close()


async def test_a_forgotten_player_is_in_no_table_file_of_postgres(postgres: Postgres, migrated_postgres: str) -> None:
    store = await open_store(migrated_postgres)
    await store.lease(HERE)
    await played(store)
    await write_statistics(migrated_postgres)
    await write_all_to_disk(migrated_postgres)
    assert found(postgres.folder / "data", besides="pg_wal") != []
    await store.forget(PLAYER.author)
    await write_all_to_disk(migrated_postgres)
    assert found(postgres.folder / "data", besides="pg_wal") == []
    await store.close()


async def write_all_to_disk(url: str) -> None:
    await run(url, "CHECKPOINT")


async def write_statistics(url: str) -> None:
    """What the server does by itself now and then: statistics quote common values."""
    for statement in ("UPDATE turns SET extras = 'Quintessa'", "ANALYZE"):
        await run(url, statement)


async def run(url: str, statement: str) -> None:
    database = Database(url)
    async with database.writing() as connection:
        await connection.execute(text(statement))
    await database.close()


async def test_rebuilding_clears_what_sqlite_left_in_pages_that_it_divided(tmp_path: Path) -> None:
    """Without it, a fifth of these files hold deleted words with SQLite 3.40."""
    for seed in range(8):
        url = f"sqlite+aiosqlite:///{tmp_path}/{seed}.db"
        database = Database(url, synchronous="OFF")
        async with database.writing() as connection:
            await connection.run_sync(divide_and_join_pages, random.Random(seed))  # noqa: S311  no secret
        await database.empty_log()
        await database.rebuild(())
        await database.close()
    assert found(tmp_path) == []


def divide_and_join_pages(connection: Connection, chance: random.Random) -> None:
    connection.exec_driver_sql("CREATE TABLE told (story TEXT, number INTEGER, text TEXT, PRIMARY KEY (story, number))")
    theirs: dict[int, bool] = {}
    for _ in range(1500):
        number, is_theirs = chance.randrange(400), chance.random() < 0.3
        text = ("Quintessa" if is_theirs else "Mira") + "z" * chance.randrange(2000)
        if number in theirs and chance.random() < 0.4:
            del theirs[number]
            connection.exec_driver_sql("DELETE FROM told WHERE number = ?", (number,))
        else:
            step = "UPDATE told SET text = ? WHERE number = ?" if number in theirs else "INSERT INTO told VALUES ('s', ?2, ?1)"
            connection.exec_driver_sql(step, (text, number))
            theirs[number] = is_theirs
    gone = [number for number, is_theirs in theirs.items() if is_theirs]
    for number in gone:
        connection.exec_driver_sql("UPDATE told SET text = 'gone' WHERE number = ?", (number,))


async def test_a_refused_post_leaves_no_word_behind(tmp_path: Path) -> None:
    store = await open_store(f"sqlite+aiosqlite:///{tmp_path}/stories.db")
    await store.receive(a_post(POST))
    assert found(tmp_path) != []
    await store.refuse(EventId("event-1"), HERE, "a stated age")
    assert found(tmp_path) == []
    await store.close()


async def test_what_keeps_the_files_from_being_cleared_is_said_and_the_words_are_gone_from_the_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialects, "BUSY_SECONDS", 0)
    store = await open_store(f"sqlite+aiosqlite:///{tmp_path}/stories.db")
    await store.keep_default_persona(PLAYER)
    reader = sqlite3.connect(tmp_path / "stories.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM default_personas").fetchone()
    forgotten = await store.forget(PLAYER.author)
    assert "write-ahead log still holds it" in forgotten.leftovers
    assert await store.default_persona(PLAYER.author) is None
    reader.close()
    assert (await store.forget(PLAYER.author)).leftovers == ""
    assert found(tmp_path) == []
    await store.close()
