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


CONFIG = """
[model]
path = "{model}"
slots = {slots}
context = {context}
threads = {threads}
gpu_layers = {gpu_layers}

[engine.cache]
ram_gib = 8.0
disk_gib = 16.0
folder = "{folder}"
"""
"""What a benchmark compares, and as much memory for states as llama-server's cache takes by default."""


def _command(load: Load, port: int) -> list[str]:
    path = load.folder / "understudy.toml"
    told = {"slots": load.slots, "context": load.context, "threads": load.threads, "gpu_layers": load.gpu_layers}
    path.write_text(CONFIG.format(model=load.model.absolute(), folder=load.folder / "states", **told), encoding="utf-8")
    return [sys.executable, "-m", "bot", "engine", "--config", str(path), "--port", str(port)]


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
