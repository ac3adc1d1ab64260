"""Our own server among those that are compared, and the bot's client of it."""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp

from adapters.clock import SystemClock
from adapters.remote.client import RemoteEngine, RemoteSettings
from bot.engine.loop import STEP_SECONDS
from bot.sampling import LIMARP
from tests.bench.servers import Load, ServerKind
from tests.bench.sides import OurSide

TARGET_SECONDS = STEP_SECONDS
"""What a step of ours aims to take."""


def _command(load: Load, port: int) -> list[str]:
    numbers = (load.slots, load.context, load.threads, load.gpu_layers)
    host = [sys.executable, "-m", "tests.bench.engine_host"]
    return [*host, str(load.model), str(port), str(load.folder / "states"), *map(str, numbers)]


OURS = ServerKind(
    "ours",
    _command,
    {
        "temperature": LIMARP.temperature,
        "tail_free_z": LIMARP.tail_free_z,
        "repetition_penalty": LIMARP.repetition_penalty,
        "penalty_range": LIMARP.penalty_range,
    },
    takes_session=True,
)


@asynccontextmanager
async def our_side(url: str, http: aiohttp.ClientSession) -> AsyncGenerator[OurSide]:
    """Our server at this address, through the client that the bot uses."""
    engine = RemoteEngine(RemoteSettings(url, kind="understudy"), SystemClock())
    try:
        yield OurSide(engine, http)
    finally:
        await engine.close()
