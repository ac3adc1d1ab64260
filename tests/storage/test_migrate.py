"""The history of the schema equals the tables, is applied once, and old programs can live with additions."""

import asyncio
import json
import re
import shutil
import struct
import sys
from asyncio.subprocess import PIPE
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select, text

import storage.migrations
from bot.errors import StoreUnavailable
from bot.ids import MessageId, SessionId
from bot.ports.store import Change
from bot.story.card import CharacterCard
from bot.story.policy import Rating
from bot.story.settings import SessionSettings
from bot.story.turn import Role, Turn, Variant, VariantState
from storage.columns import escape
from storage.dialects import Database
from storage.migrate import HISTORY, bring_up_to_date
from storage.store import SqlStore, open_store
from storage.tables import metadata, works_with
from tests.builders import HERE, TOBIAS, a_post, a_session
from tests.contracts.stories import ANN, ELSEWHERE
from tests.house.project import ROOT

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
HEAD = "0007"
SERVED = {"0003", "0004", "0005", "0006", HEAD}
"""The schemas whose programs can use a database of today."""


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
        assert set(await connection.scalars(select(works_with.c.revision))) == SERVED
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


@pytest.mark.parametrize("revision", ["0001", "0002"])
async def test_a_database_of_an_older_schema_keeps_its_stories(url: str, revision: str) -> None:
    await make_older(url, revision)
    store = await open_store(url, lambda: 5.0)
    assert await store.session_at(HERE) == replace(OLD_STORY, settings=replace(OLD_STORY.settings, adapter=ADAPTERS[revision]))
    settings = SessionSettings(length=None)
    assert await store.session_at(ELSEWHERE) == replace(
        OLD_STORY, id=SessionId("s-2"), place=ELSEWHERE, settings=settings, turns=()
    )
    page = await store.page(HERE)
    assert page.turns == (OLDEST, *OLD_STORY.turns)
    assert [(each.message, each.post.text) for each in page.shown] == [("m-1", "One post."), ("m-2", "A notice.")]
    assert [each.event for each in await store.waiting()] == ["e-2"]
    assert not await store.receive(a_post(event="e-1"))
    delivery = await store.claim(HERE, now=0.0)
    assert delivery is not None
    assert (delivery.standing, delivery.last_message) == ("m-1", "m-2")
    await store.settle(delivery.id, MessageId("m-3"))
    assert {each.message for each in (await store.page(HERE)).shown} == {"m-2", "m-3"}
    assert await store.delete_untouched(before=1_700_000_000.0) == ()
    await store.close()
    database = Database(url)
    async with database.reading() as connection:
        assert set(await connection.scalars(select(works_with.c.revision))) == SERVED
        assert await connection.run_sync(differences) == []
    await database.close()


ADAPTERS = {"0001": "", "0002": 'mira "7b"'}
AWKWARD = 'Mi"ra\\ \n\x00 \ud83d'
OLDEST = Turn(0, Role.CHARACTER, AWKWARD, (Variant("One."),), posts=("One post.",))
OLD_STORY = a_session(
    character=CharacterCard(AWKWARD, "An innkeeper.", "", Rating.ADULT),
    personas=(TOBIAS, ANN),
    turns=(
        Turn(2, Role.PLAYER, "Tobias", (Variant(AWKWARD),), author=TOBIAS.author),
        Turn(
            3, Role.CHARACTER, "Mira", (Variant("A", VariantState.STOPPED), Variant("B", seed=2**64 - 1, token_ids=(1, 2))), 1
        ),
    ),
    window_start=2,
    next_number=4,
    version=9,
)


async def make_older(url: str, revision: str) -> None:
    """A database as a program of an older schema left it: its tables, with rows in all of them."""
    database = Database(url)
    async with database.writing() as connection:
        await connection.run_sync(upgrade_to, revision)
        for table, rows in old_rows(revision).items():
            for row in rows:
                stored = {name: escape(value) if isinstance(value, str) else value for name, value in row.items()}
                names = ", ".join(f'"{name}"' for name in row)
                values = ", ".join(f":{name}" for name in row)
                await connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), stored)  # noqa: S608  a test's
    await database.close()


def upgrade_to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", HISTORY)
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def old_rows(revision: str) -> dict[str, list[dict[str, object]]]:
    here, there = ({"platform": each.platform, "channel": each.channel} for each in (HERE, ELSEWHERE))
    told = {"scenario": OLD_STORY.scenario, "rating": "general", "window_start": 2, "next_number": 4, "version": 9}
    session = {"id": OLD_STORY.id, "begun": 1, "length": "medium", **here, **told}
    other = {"id": "s-2", "begun": 2, "length": None, **there, **told}
    if revision == "0002":
        session["adapter"] = ADAPTERS[revision]
    card = {"name": AWKWARD, "description": "An innkeeper.", "greeting": "", "rating": "adult"}
    both = (OLD_STORY.id, "s-2")
    parts = [
        {"session": each, "position": position, "author": part.author, "name": part.name, "description": part.description}
        for each in both
        for position, part in enumerate(OLD_STORY.personas)
    ]
    post = {"turn": 0, "position": 0, "variant": 0, "key": "k-1", "voice": "character", "speaker": "Mira", "text": "One post."}
    notice = post | {"position": None, "key": "k-2", "text": "A notice."}
    wish = post | {"key": "k-3", "kind": "show", "attempts": 0, "due": 0.0, "uncertain": False, "reason": None}
    return {
        "sessions": [session, other],
        "characters": [{"session": each, **card} for each in both],
        "personas": parts,
        "turns": [old_turn(turn) for turn in (OLDEST, *OLD_STORY.turns)],
        "variants": [row for turn in (OLDEST, *OLD_STORY.turns) for row in old_variants(turn)],
        "messages": [{**here, "message": "m-1", **post}, {**here, "message": "m-2", **notice}],
        "inbox": [{**here, "event": "e-1", "payload": None}, {**here, "event": "e-2", "payload": OLD_PAYLOAD}],
        "outbox": [{**here, **wish}],
    }


OLD_PAYLOAD = '{"kind": "post", "author": "author-1", "author_name": "Tobias", "text": "Hm."}'


def old_turn(turn: Turn) -> dict[str, object]:
    told = {"number": turn.number, "role": str(turn.role), "name": turn.name, "author": turn.author}
    return {"session": OLD_STORY.id, **told, "selected": turn.selected, "posts": json.dumps(turn.posts)}


def old_variants(turn: Turn) -> list[dict[str, object]]:
    return [
        {
            "session": OLD_STORY.id,
            "turn": turn.number,
            "position": position,
            "text": variant.text,
            "state": str(variant.state),
            "length": None,
            "seed": str(variant.seed),
            "token_ids": struct.pack(f"<{len(variant.token_ids)}I", *variant.token_ids),
        }
        for position, variant in enumerate(turn.variants)
    ]


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
        assert set(await connection.scalars(select(works_with.c.revision))) == {*SERVED, "9999"}
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


def test_operators_are_told_of_the_oldest_program_that_can_use_the_newest_schema() -> None:
    page = (ROOT / "docs" / "upkeep.md").read_text(encoding="utf-8")
    assert f"(today: any version from schema {min(SERVED)} on)" in " ".join(page.split())
