"""An engine is served until somebody asks it to end; one that hangs ends with its process."""

import asyncio
import logging

import pytest

from adapters import hosting
from adapters.hosting import HUNG, HUNG_SECONDS, serve
from adapters.remote import EngineServer, EngineServerSettings
from bot.engine.threaded import ThreadedEngine
from tests.fakes.runner import CountingRunner


class Hanging(ThreadedEngine):
    """Says that its step takes as long as a test wants it to; notes how often it was asked."""

    hung = 0.0
    asked = 0

    def seconds_since_step(self) -> float:
        self.asked += 1
        return self.hung


async def left_with(hung: float, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The codes with which a process left whose engine hangs for so long, until it was asked to end after a few looks."""
    monkeypatch.setattr(hosting, "HEALTH_SECONDS", 0.0)
    engine = Hanging(CountingRunner(), model="counting")
    engine.hung = hung
    server = EngineServer(engine, EngineServerSettings(port=0))
    codes: list[int] = []
    asked = asyncio.Event()
    serving = asyncio.create_task(serve(engine, server, asked, 0.0, codes.append))
    try:
        async with asyncio.timeout(20):
            while engine.asked < 3 and not serving.done():
                await asyncio.sleep(0)
            asked.set()
            await serving
    finally:
        await server.close()
    return codes


async def test_a_process_whose_engine_hangs_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert await left_with(HUNG_SECONDS + 1, monkeypatch) == [HUNG]
    [line] = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert line.startswith("the engine hangs: a step has not ended for 301 seconds")


async def test_a_long_step_is_no_reason_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await left_with(HUNG_SECONDS - 1, monkeypatch) == []
