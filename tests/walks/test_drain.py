"""The program as it ships, asked to end while many places play: it ends in half a minute, and nothing is lost or doubled."""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.cli.serving import ENDING
from adapters.config.settings import DATABASE
from adapters.web.courier import WEB
from bot.ids import ChannelKey, EventId, Place, SessionId
from bot.ports.store import Change
from bot.posts import InboundPost
from bot.story.acts import greet
from bot.story.session import with_length
from bot.story.settings import Length
from bot.story.turn import Role, VariantState
from storage.store import SqlStore, open_store, sqlite_url
from tests.builders import TOBIAS, a_session
from tests.house.project import ROOT

PLACES = tuple(Place(WEB, ChannelKey(f"thread-{number}")) for number in range(12))
POSTS = 3
CONFIG = """
[storage]
directory = "."
[model]
threads = 1
context = 1024
[web]
port = 0
# One player plays in all the places at once here.
[limits.player]
turns_a_minute = 0
waiting = 0
"""
HALF_A_MINUTE = 30.0


@asynccontextmanager
async def many_stories(folder: Path) -> AsyncIterator[SqlStore]:
    """Stories in many places, with posts that wait for their answers; the store stays open beside the program."""
    store = await open_store(sqlite_url(folder / DATABASE))
    for place in PLACES:
        session = a_session(id=SessionId(f"story of {place.channel}"), place=place)
        await store.save(Change(None, greet(with_length(session, Length.MEDIUM))))
    for number in range(POSTS):
        for place in PLACES:
            event, text = EventId(f"{place.channel}/{number}"), f"Tobias asked for the {number}th time."
            await store.receive(InboundPost(event, place, TOBIAS.author, TOBIAS.name, text))
    try:
        yield store
    finally:
        await store.close()


async def started(folder: Path) -> Process:
    (folder / "my.toml").write_text(CONFIG)
    command = [sys.executable, "-m", "bot", "run", "--config", str(folder / "my.toml")]
    bare = {"HOME": str(folder), "PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=bare)
    assert process.stdout is not None
    assert (await process.stdout.readline()).startswith(b"Understudy plays at ")
    return process


async def whole_replies(store: SqlStore) -> int:
    sessions = [await store.session_at(place) for place in PLACES]
    turns = [turn for session in sessions if session for turn in session.turns[1:]]
    return sum(turn.role is Role.CHARACTER and turn.variant.state is VariantState.WHOLE for turn in turns)


async def assert_nothing_is_lost_or_doubled(store: SqlStore, *, at_the_end: bool) -> None:
    """Every post is in its story once, or waits; each of the story is answered by one reply, but for the last maybe."""
    waiting = {event.event for event in await store.waiting()}
    for place in PLACES:
        session = await store.session_at(place)
        assert session is not None
        told = [turn for turn in await store.turns(session.id) if turn.number]
        posts = Counter(turn.text for turn in told if turn.role is Role.PLAYER)
        for number in range(POSTS):
            is_told = posts[f"Tobias asked for the {number}th time."]
            assert is_told + (f"{place.channel}/{number}" in waiting) == 1, f"post {number} in {place}"
        assert [turn.role for turn in told] == [Role.PLAYER, Role.CHARACTER] * (len(told) // 2)
        states = [turn.variant.state for turn in told if turn.role is Role.CHARACTER]
        assert set(states[:-1]) <= {VariantState.WHOLE}
        assert not states or states[-1] in {VariantState.WHOLE, VariantState.WRITING}
        assert not at_the_end or states == [VariantState.WHOLE] * POSTS


async def ended(process: Process, *signals: signal.Signals) -> tuple[float, str, str]:
    began = time.monotonic()
    for each in signals:
        process.send_signal(each)
    out, err = await asyncio.wait_for(process.communicate(), 90)
    return time.monotonic() - began, out.decode(), err.decode()


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_drain_under_load_ends_in_half_a_minute_and_loses_nothing(tmp_path: Path) -> None:
    async with many_stories(tmp_path) as store:
        for _ in range(2):
            before = await whole_replies(store)
            process = await started(tmp_path)
            while await whole_replies(store) < before + 3:
                await asyncio.sleep(0.1)
            seconds, out, err = await ended(process, signal.SIGTERM)
            print(f"ended in {seconds:.1f} s: {err.splitlines()[-1] if err else ''}")  # noqa: T201  a figure of the report
            assert process.returncode == 0
            assert seconds < HALF_A_MINUTE
            assert ENDING.split(":", 1)[0] in out
            assert "Traceback" not in err
            assert await store.waiting(), "there was more to do"
            assert await store.outstanding() == ()
            await assert_nothing_is_lost_or_doubled(store, at_the_end=False)
        process = await started(tmp_path)
        while await store.waiting() or await store.unfinished() or await store.outstanding():
            await asyncio.sleep(0.2)
        await ended(process, signal.SIGINT)
        await assert_nothing_is_lost_or_doubled(store, at_the_end=True)


@pytest.mark.slow
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_it_at_once_and_loses_nothing_either(tmp_path: Path, second: signal.Signals) -> None:
    async with many_stories(tmp_path) as store:
        process = await started(tmp_path)
        while not await store.unfinished():
            await asyncio.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        while ENDING[:20].encode() not in await process.stdout.readline():
            pass
        seconds, _, err = await ended(process, second)
        assert process.returncode == -second
        assert seconds < 3
        assert "Traceback" not in err
        await assert_nothing_is_lost_or_doubled(store, at_the_end=False)
