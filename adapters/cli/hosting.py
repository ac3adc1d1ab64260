"""Serves the configured engine to bots on this and other hosts until a signal."""

from pathlib import Path

from rich.console import Console

from adapters.config import Config
from adapters.engines import engine_here, served
from adapters.hosting import asked_to_end, end, serve
from adapters.remote import EngineServer


async def host(config: Config, socket: Path | None, console: Console) -> None:
    """Serve until Ctrl-C or SIGTERM. Raises ModelNotLoaded, ConfigMistakes, and EngineUnavailable when it breaks down."""
    settings = served(config, socket)
    settings.check()
    engine = engine_here(config)
    server = EngineServer(engine, settings)
    try:
        address = await server.start()
        asked = asked_to_end()
        model = (await engine.capabilities()).model
        console.print(f"The engine serves {model} at {address} (Ctrl-C ends it)", highlight=False, markup=False, soft_wrap=True)
        await serve(engine, server, asked, config.engine.host.drain_seconds)
    finally:
        await end(engine, server)
