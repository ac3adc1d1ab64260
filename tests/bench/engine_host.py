"""Our engine's server in a process of its own, put together from its parts: `python -m tests.bench.engine_host MODEL PORT …`.

It takes what a benchmark compares as arguments, and everything else as an operator gets it by default.
"""

import asyncio
import signal
import sys
from pathlib import Path

from adapters.llama.loading import load
from adapters.llama.runner import LlamaRunner
from adapters.llama.sizing import RunnerSettings
from adapters.remote.server import EngineServer
from adapters.remote.settings import EngineServerSettings
from adapters.shelf.disk import DiskShelf
from bot.engine.threaded import SharingSettings, ThreadedEngine

MEMORY_BYTES = 8 * 1024**3
"""For the states of threads without a slot: as much as llama-server's cache takes by default."""

DISK_BYTES = 16 * 1024**3
BATCH = 512
DRAINS_WITHIN = 10.0


async def main(words: list[str]) -> None:
    """Serve until SIGTERM; then let what runs end, and keep the states."""
    model, port, states, *numbers = words
    slots, context, threads, gpu_layers = map(int, numbers)
    settings = RunnerSettings(slots, context, BATCH, threads, cache_on_gpu=gpu_layers != 0)
    engine = ThreadedEngine(
        LlamaRunner(load(Path(model), gpu_layers=gpu_layers), settings),
        model="bench",
        sharing=SharingSettings(memory_bytes=MEMORY_BYTES),
        shelf=DiskShelf(Path(states), DISK_BYTES),
    )
    server = EngineServer(engine, EngineServerSettings(port=int(port)))
    await server.start()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    await server.drain(DRAINS_WITHIN)
    await server.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
