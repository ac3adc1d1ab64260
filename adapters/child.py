"""The engine's child process, `python -m adapters.child SOCKET`: serves whoever started it and ends with them. No command line.

It imports little, because whoever starts the bot waits for it.
"""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from adapters import logs
from adapters.config import Errand, taken
from adapters.engines import engine_here, served_to_parent
from adapters.hosting import asked_to_end, end, serve
from adapters.remote import EngineServer
from adapters.supervisor import REASON, REFUSED
from bot.errors import UnderstudyError

ORPHAN_SECONDS = 20.0
"""How long a child without a parent may take to keep what the model has read, before it ends all the same."""

STDIN = 0


def main() -> None:
    """Serve on the socket that the command line names. Ends the process."""
    os.umask(0o077)
    socket, orphaned = Path(sys.argv[1]), threading.Event()
    try:
        with os.fdopen(STDIN, "rb", buffering=0, closefd=False) as file:
            errand = taken(file.readline())
        logs.set_up(errand.log_level, shape=errand.config.logs.format)
        asyncio.run(_serve_parent(errand, socket, orphaned))
    except UnderstudyError as error:
        print(f"{REASON}{error}", file=sys.stderr)  # noqa: T201  the parent reads it there
        sys.exit(REFUSED)
    except KeyboardInterrupt:
        sys.exit(REFUSED)
    finally:
        if orphaned.is_set():
            _clear_up(socket)


async def _serve_parent(errand: Errand, socket: Path, orphaned: threading.Event) -> None:
    asked = asked_to_end()
    _end_with_parent(asyncio.get_running_loop(), asked.set, socket, orphaned)
    engine = engine_here(errand.config)
    server = EngineServer(engine, served_to_parent(socket))
    try:
        await server.start()
        await serve(engine, server, asked, errand.config.engine.host.drain_seconds)
    finally:
        await end(engine, server)


def _end_with_parent(loop: asyncio.AbstractEventLoop, ask: Callable[[], None], socket: Path, orphaned: threading.Event) -> None:
    """Have this process end when its standard input does: whoever held the other end is gone, and nobody needs us."""

    def wait() -> None:
        # Not through Python's own buffer of the input: its lock, held here, would abort the process at its end.
        while os.read(STDIN, 4096):
            pass
        orphaned.set()
        loop.call_soon_threadsafe(ask)
        time.sleep(ORPHAN_SECONDS)
        _clear_up(socket)
        os._exit(1)

    threading.Thread(target=wait, name="understudy-parent", daemon=True).start()


def _clear_up(socket: Path) -> None:
    """Remove the socket, and the folder that the parent made for it and cannot remove any more, if nothing else is in it."""
    with suppress(OSError):
        socket.unlink(missing_ok=True)
        socket.parent.rmdir()


if __name__ == "__main__":
    main()
