"""A write costs what the change costs: nothing is written that did not change."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event

from bot.ports.store import Change
from bot.story import acts as story
from bot.story.session import Session
from storage.dialects import Database
from storage.store import SqlStore, open_store
from tests.builders import TOBIAS
from tests.contracts.stories import whole

ALWAYS = "UPDATE sessions"


def written(statement: str) -> str:
    """An INSERT, UPDATE or DELETE by its table and, for the UPDATE of a session, what it sets beside the version."""
    found = re.match(r"(INSERT INTO \w+|DELETE FROM \w+|UPDATE \w+)(?: SET (.*?) WHERE)?", statement, re.DOTALL)
    if found is None:
        return ""
    columns = re.findall(r'"?(\w+)"?=', found[2] or "") if found[1] == ALWAYS else []
    return " ".join([found[1], *(each for each in columns if each not in {"version", "touched"})])


@pytest.mark.parametrize(
    ("change", "writes"),
    [
        (lambda each: each, [ALWAYS]),
        (lambda each: replace(each, memory=replace(each.memory), others=tuple(map(replace, each.others))), [ALWAYS]),
        (
            lambda each: story.add_post(each, TOBIAS, "A post."),
            [f"{ALWAYS} next_number", "INSERT INTO turns", "INSERT INTO variants"],
        ),
        (lambda each: story.edit(each, 4, "Hm!"), [ALWAYS, "UPDATE variants"]),
        (lambda each: replace(each, locked=False), [f"{ALWAYS} locked"]),
        (lambda each: replace(each, memory=replace(each.memory, note="")), [f"{ALWAYS} memory"]),
        (
            lambda each: replace(each, others=(each.others[0], replace(each.others[1], name="Bo"))),
            [ALWAYS, "DELETE FROM characters", "INSERT INTO characters"],
        ),
    ],
)
async def test_only_what_changed_is_written(tmp_path: Path, change: Callable[[Session], Session], writes: list[str]) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/stories.db"
    await (await open_store(url)).close()
    database = Database(url)
    store = SqlStore(database)
    session = await store.save(Change(None, whole()))
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(written(statement))

    event.listen(database._engine.sync_engine, "before_cursor_execute", note)
    await store.save(Change(session, change(session)))
    assert [each for each in statements if each] == writes
    await store.close()
