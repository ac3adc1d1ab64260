"""A bot that only listens, as a process that a test kills: it writes down what it hears, line by line, and knows no tests.

`python -m tests.adapters.matrix.ears.killed folder station side crossing` dies at the named crossing of a station, just before
or just after it took effect; without a station it lives until it is killed.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from functools import wraps
from itertools import count
from pathlib import Path
from typing import Any

from adapters.clock import SystemClock
from adapters.matrix.client import Client
from adapters.matrix.ears.stream import Stream
from adapters.matrix.heard import Heard
from adapters.matrix.keeping import Folder
from adapters.matrix.line import Line
from adapters.matrix.rooms import Rooms
from adapters.matrix.running import Supervisor
from adapters.matrix.settings import Settings
from storage.store import SqlStore, open_store, sqlite_url
from tests.adapters.matrix.ears.ears import written

STATIONS: dict[str, tuple[type, str]] = {
    "keys": (Client, "receive_response"),
    "ask": (Stream, "_ask"),
    "take_in": (SqlStore, "take_in"),
    "let_go": (SqlStore, "let_go"),
}
SIDES = ("before", "after")
DATABASE, HEARD = "bot.sqlite3", "heard"


class Writer:
    """A listener that writes what it hears where it outlasts the process."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    async def concerns(self, heard: Heard) -> bool:  # noqa: ARG002  everything does
        return True

    async def heard(self, heard: Heard) -> None:
        self._file.write(json.dumps([heard.room, written(heard), heard.event]) + "\n")
        self._file.flush()

    async def gone(self, room: str) -> None:
        raise AssertionError(room)


def die_at(station: str, side: str, crossing: int) -> None:
    """Die at a crossing of a station, counted from 0."""
    owner, name = STATIONS[station]
    does: Callable[..., Coroutine[Any, Any, Any]] = getattr(owner, name)
    crossings = count()

    @wraps(does)
    async def do(*given: Any, **named: Any) -> Any:
        is_last = next(crossings) == crossing
        if is_last and side == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = await does(*given, **named)
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(owner, name, do)


async def listen(folder: Path) -> None:
    store = await open_store(sqlite_url(folder / DATABASE))
    settings = Settings(folder=folder / "matrix")
    supervisor = Supervisor(
        settings, Folder(settings.folder), SystemClock(), Line(), Rooms(store), store, Writer(folder / HEARD), timeline=5
    )
    await supervisor.run()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        die_at(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    asyncio.run(listen(Path(sys.argv[1])))
