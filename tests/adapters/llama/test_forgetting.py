"""Forgetting on a real model: no file of the session is left, and its story is read from its beginning."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.config import defaults
from adapters.engines import engine_here
from adapters.shelf.folder import key_of
from bot.engine.threaded import ThreadedEngine
from bot.ids import SessionId
from bot.ports.engine import Finished, GenerationRequest, Segment
from bot.sampling import LIMARP

STORY = (
    Segment("### Instruction:\nMira's Persona: Mira keeps an inn.\n\n", trusted=True),
    Segment("### Input:\n", trusted=True, opens=True),
    Segment('Tobias: "Is there a room left?" he asked.\n\n'),
    Segment("### Response:\nMira:", trusted=True, opens=True),
)


def an_engine(folder: Path, *, disk_gib: float = 1.0) -> ThreadedEngine:
    """One slot and no memory: whoever loses the slot goes to the disk."""
    config = defaults({})
    engine = replace(config.engine, cache=replace(config.engine.cache, ram_gib=0.0, disk_gib=disk_gib))
    model = replace(config.model, context=256, slots=1, batch=64)
    return engine_here(replace(config, model=model, engine=engine, storage=replace(config.storage, directory=str(folder))))


async def cached(engine: ThreadedEngine, session: str) -> int:
    """How much of the story was in the cache when a reply for this session was written."""
    request = GenerationRequest(SessionId(session), STORY, 8, LIMARP, seed=3)
    finished = [item async for item in engine.generate(request)][-1]
    assert isinstance(finished, Finished)
    return finished.usage.cached_tokens


def files_of(folder: Path, session: str) -> list[Path]:
    return list(folder.rglob(f"{key_of(session)}*"))


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[ThreadedEngine]:
    engine = an_engine(tmp_path)
    yield engine
    await engine.close()


async def test_what_the_disk_holds_of_a_session_is_gone_and_is_read_anew(engine: ThreadedEngine, tmp_path: Path) -> None:
    assert [await cached(engine, session) for session in ("mira", "tobias")] == [0, 0]
    assert [await cached(engine, session) > 0 for session in ("mira", "tobias")] == [True, True]
    async with asyncio.timeout(10):
        while not files_of(tmp_path, "mira"):
            await asyncio.sleep(0)
    await engine.forget(SessionId("mira"))
    assert files_of(tmp_path, "mira") == []
    assert await cached(engine, "mira") == 0
    assert await cached(engine, "tobias") > 0


async def test_what_the_slot_holds_is_gone_and_does_not_reach_the_disk_at_the_end(tmp_path: Path) -> None:
    engine = an_engine(tmp_path)
    await cached(engine, "mira")
    await engine.forget(SessionId("mira"))
    await engine.close()
    assert files_of(tmp_path, "mira") == []
    again = an_engine(tmp_path)
    assert await cached(again, "mira") == 0
    await again.close()
    assert files_of(tmp_path, "mira")


async def test_a_disk_that_is_switched_off_keeps_nothing_of_earlier_runs(tmp_path: Path) -> None:
    engine = an_engine(tmp_path)
    await cached(engine, "mira")
    await engine.close()
    assert files_of(tmp_path, "mira")
    await an_engine(tmp_path, disk_gib=0.0).close()
    assert files_of(tmp_path, "mira") == []
