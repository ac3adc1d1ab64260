"""A server as a process: started on a free port, waited for, its processor time read, ended by its own id. Linux only."""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

STARTS_WITHIN = 120.0
ENDS_WITHIN = 60.0
BETWEEN_QUESTIONS = 0.1
TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(slots=True)
class Running:
    """A started server."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def cpu_seconds(self) -> float:
        """Processor time that it and its children have used so far."""
        return sum(_used(pid) for pid in _family(self.process.pid))

    async def end(self) -> None:
        """Ask it to end, as an operator would, and wait; one that does not is killed, with its children."""
        family = [pid for pid in _family(self.process.pid) if pid != self.process.pid]
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(self.process.wait, ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            for pid in family:
                _kill(pid)

    async def wait_until_ready(self, path: str) -> None:
        """Until a GET of this path is answered with 200. Raises RuntimeError when it ends, or takes too long."""
        async with aiohttp.ClientSession(self.url) as http:
            for _ in range(int(STARTS_WITHIN / BETWEEN_QUESTIONS)):
                if self.process.poll() is not None:
                    raise RuntimeError(f"the server ended at its start: {self.last_words()}")
                if await _answers(http, path):
                    return
                await asyncio.sleep(BETWEEN_QUESTIONS)
        raise RuntimeError(f"the server was not ready within {STARTS_WITHIN:.0f} s: {self.last_words()}")

    def last_words(self) -> str:
        """The last lines of its output."""
        return " / ".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])


@asynccontextmanager
async def running(
    command: Sequence[str], port: int, ready: str, log: Path, environment: dict[str, str] | None = None
) -> AsyncGenerator[Running]:
    """A server for as long as the block runs. Its output goes to `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603, ASYNC220  our own command; starting one takes milliseconds
            command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=os.environ | (environment or {})
        )
    server = Running(f"http://127.0.0.1:{port}", process, log)
    try:
        await server.wait_until_ready(ready)
        yield server
    finally:
        await server.end()


async def _answers(http: aiohttp.ClientSession, path: str) -> bool:
    try:
        async with http.get(path) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


def _family(pid: int) -> Iterator[int]:
    """The process and all its children, grandchildren and so on."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _text(children).split():
            yield from _family(int(child))


def _used(pid: int) -> float:
    """User and system time in seconds, that of children which have ended included."""
    fields = _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / TICKS


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return ""  # it ended meanwhile


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
