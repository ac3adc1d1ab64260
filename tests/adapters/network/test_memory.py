"""How much memory hostile clients can make a server take: each in a process of its own, measured from outside."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.house.project import ROOT
from tests.rawhttp import PATIENCE, Raw, ask, connected

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

KINDS = {"page": ("/post", "application/x-www-form-urlencoded"), "engine": ("/v1/completions", "application/json")}
MEBIBYTE = 1024 * 1024
ALLOWED = {"page": 192 * MEBIBYTE, "engine": 320 * MEBIBYTE}
"""Twice the bodies that a server takes at a time (a body that grows is copied), and some for connections and their headers."""

AT_A_TIME = 600
"""More than either server lets in, and fewer than a process may have files."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server in a process."""

    address: str
    process: asyncio.subprocess.Process

    def memory(self) -> int:
        """The most bytes that it has had resident so far."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

    def request(self, line: str, *headers: str) -> bytes:
        host = self.address.removeprefix("http://")
        return "\r\n".join((f"{line} HTTP/1.1", f"Host: {host}", *headers, "", "")).encode()

    async def is_served(self) -> bool:
        """Whether an honest request is answered."""
        return (await ask(self.address, self.request("GET /openapi.json"))).status == 200


@asynccontextmanager
async def served(which: str) -> AsyncIterator[Served]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.served", which, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe
    )
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        address = (await process.stdout.readline()).decode().strip()
    opened = Served(address, process)
    try:
        yield opened
        assert await opened.is_served()
    finally:
        _, errors = await process.communicate(b"")
    assert (await process.wait(), errors.decode()) == (0, "")


async def _many(site: Served, first: bytes, more: bytes = b"", times: int = 0, *, reads: bool = True) -> None:
    """Many connections at a time that each send this and nothing else; the server answers others meanwhile."""
    async with AsyncExitStack() as kept:
        for number in range(AT_A_TIME):
            raw = await kept.enter_async_context(connected(site.address, reads=reads))
            await raw.send(first)
            await _go_on(raw, more, times)
            if number % 100 == 0:
                assert await site.is_served()
        assert await site.is_served()


async def _go_on(raw: Raw, more: bytes, times: int) -> None:
    """Send on, as far as it is taken."""
    for _ in range(times):
        if raw.writer.transport.get_write_buffer_size() < len(more):
            raw.writer.write(more)
        await asyncio.sleep(0)


@pytest.mark.parametrize("which", KINDS)
async def test_no_crowd_of_clients_makes_a_server_take_more_memory_than_it_allows(which: str) -> None:
    path, kind = KINDS[which]
    async with served(which) as site:
        assert await site.is_served()
        before = site.memory()
        typed = f"Content-Type: {kind}"
        headers = "GET / HTTP/1.1\r\n" + "".join(f"X-{each}: {'y' * 8000}\r\n" for each in range(60))
        await _many(site, headers.encode())
        await _many(site, site.request(f"POST {path}", typed, "Content-Length: 4000000"), b"a" * 65536, 60)
        await _many(
            site, site.request(f"POST {path}", typed, "Transfer-Encoding: chunked"), b"10000\r\n" + b"a" * 65536 + b"\r\n", 60
        )
        await _many(site, site.request("GET /openapi.json") * 200, reads=False)
        taken = site.memory() - before
    assert taken < ALLOWED[which], f"{taken / MEBIBYTE:.0f} MiB"
