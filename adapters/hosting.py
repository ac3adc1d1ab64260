"""Serves an engine of this process until asked to end, or it breaks down or hangs. It knows no commands and no parent."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from dataclasses import asdict

from adapters.remote import EngineServer
from bot.engine.threaded import ThreadedEngine

SIGNALS = (signal.SIGINT, signal.SIGTERM)

HEALTH_SECONDS = 1.0
"""How often the engine is asked whether it still can write: one that broke down must end, to be started again."""

HUNG_SECONDS = 300.0
"""A step takes fractions of a second, on a slow processor tens of them: one that takes this long will never end."""

HUNG = 70
"""The exit code of a process whose engine hangs."""

log = logging.getLogger(__name__)


def asked_to_end() -> asyncio.Event:
    """Set by the first signal; the second ends the process at once, as it would without us."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        asked.set()
        for each in SIGNALS:
            loop.remove_signal_handler(each)
            # Not Python's own handler of Ctrl-C: its exception would only begin the same orderly end once more.
            signal.signal(each, signal.SIG_DFL)

    for each in SIGNALS:
        loop.add_signal_handler(each, end)
    return asked


async def serve(
    engine: ThreadedEngine,
    server: EngineServer,
    asked: asyncio.Event,
    drain_seconds: float,
    leave: Callable[[int], object] = os._exit,
) -> None:
    """Serve until asked to end, then let what runs finish. Raises EngineUnavailable when the engine breaks down.

    One that hangs cannot be ended, so the whole process is, by `leave`; it is for whoever started it to start it again.
    """
    asking = asyncio.create_task(asked.wait())
    try:
        while not asking.done():
            await asyncio.wait({asking}, timeout=HEALTH_SECONDS)
            await engine.tokenize(())
            hung = engine.seconds_since_step()
            if hung > HUNG_SECONDS:
                sentence = "the engine hangs: a step has not ended for %d seconds; this process ends, to be started again"
                log.critical(sentence, hung, extra={"action": "engine_hangs"})
                leave(HUNG)
                return
    finally:
        asking.cancel()
    await server.drain(drain_seconds)


async def end(engine: ThreadedEngine, server: EngineServer) -> None:
    """Close both, and say what the engine did."""
    await server.close()
    facts = {f"engine_{name}": fact for name, fact in asdict(engine.statistics()).items()}
    log.info("the engine ended", extra={"action": "engine_ended", **facts})
