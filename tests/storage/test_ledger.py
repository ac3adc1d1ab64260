"""Counting on PostgreSQL, where several processes do so at once: whom one keeps waiting."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ids import AuthorId, ChannelKey, CommunityId, EventId, Place
from bot.limits import Kind, Limits, Scope, Share
from bot.ports.ledger import Asked, Ruling
from bot.ports.store import Change
from storage import ledger
from storage.store import SqlStore, open_store
from tests.builders import HERE, TOBIAS, a_session
from tests.contracts.stories import ELSEWHERE

ONE = Share(turns_a_minute=1)
LIMITS = Limits(ONE, Share(turns_a_minute=9), ONE)
ASKED = Asked(EventId("a"), HERE, TOBIAS.author, CommunityId("ours"))


@pytest.fixture
async def two(migrated_postgres: str) -> AsyncGenerator[tuple[SqlStore, SqlStore], None]:
    stores = await open_store(migrated_postgres), await open_store(migrated_postgres)
    yield stores
    for store in stores:
        await store.close()


async def test_a_process_that_is_stuck_while_it_counts_keeps_only_those_waiting_whom_it_counts_for(
    two: tuple[SqlStore, SqlStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, well = two
    count, is_stuck, goes_on = ledger.ask, asyncio.Event(), asyncio.Event()

    async def slowly(connection: AsyncConnection, which: Asked, limits: Limits, now: float) -> Ruling:
        ruling = await count(connection, which, limits, now)
        if which == ASKED:
            is_stuck.set()
            await goes_on.wait()
        return ruling

    monkeypatch.setattr(ledger, "ask", slowly)
    first = asyncio.create_task(stuck.ask(ASKED, LIMITS))
    await is_stuck.wait()
    same = [
        replace(ASKED, event=EventId("b"), place=ELSEWHERE, community=None),
        replace(ASKED, event=EventId("c"), place=ELSEWHERE, author=AuthorId("another")),
        ASKED,
    ]
    waits = [asyncio.create_task(well.ask(each, LIMITS)) for each in same]
    other = Asked(EventId("d"), Place(HERE.platform, ChannelKey("far away")), AuthorId("a third"), CommunityId("theirs"))
    try:
        async with asyncio.timeout(5):
            assert (await well.ask(other, LIMITS)).over is None
        assert not any(each.done() for each in waits)
    finally:
        goes_on.set()
    assert (await first).over is None
    found = [ruling.over for ruling in await asyncio.gather(*waits)]
    assert [over and (over.scope, over.kind) for over in found] == [
        (Scope.PLAYER, Kind.TURNS),
        (Scope.COMMUNITY, Kind.TURNS),
        None,
    ]


async def test_a_story_can_end_while_its_next_step_is_stored(two: tuple[SqlStore, SqlStore]) -> None:
    """Both lock the story and what was asked for in its place: in another order, each would wait for the other."""
    saving, ending = two
    session = await saving.save(Change(None, a_session()))
    await saving.ask(ASKED, LIMITS)
    async with saving._database.writing() as connection:
        await connection.execute(text("UPDATE sessions SET touched = 1"))
        end = asyncio.create_task(ending.end(HERE, 0.0))
        while not await connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            await asyncio.sleep(0)
        await connection.execute(text("UPDATE asked SET writing = true"))
    assert await end == session.id
