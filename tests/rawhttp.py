"""HTTP as no honest client speaks it: bytes on a socket, and what comes back."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

PATIENCE = 20.0
"""Seconds until a test gives up on a server that neither answers nor hangs up."""

SMALL_BUFFER = 4096


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer as it was read."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Raw:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Send bytes, as far as somebody is there to take them."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except ConnectionError:
            return

    async def reply(self) -> Reply:
        """Read one answer."""
        async with asyncio.timeout(PATIENCE):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Reply(int(first.split()[1]), headers, body)

    async def rest(self) -> bytes:
        """All that comes until the server hangs up."""
        data = b""
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionError):
                while more := await self.reader.read(1 << 16):
                    data += more
        return data

    async def trickle(self, data: bytes = b"a") -> bytes:
        """Send a byte each time that nothing comes back for a moment, until the server answers or hangs up; what it said."""
        async with asyncio.timeout(PATIENCE):
            while (answer := await self._glance()) is None:
                await self.send(data)
        return answer

    async def _glance(self) -> bytes | None:
        """What came back, nothing where the server hung up; None where nothing came yet."""
        try:
            return await asyncio.wait_for(self.reader.read(1 << 16), 0.005)
        except TimeoutError:
            return None
        except ConnectionError:
            return b""


@asynccontextmanager
async def connected(address: str, *, reads: bool = True) -> AsyncIterator[Raw]:
    """A connection to a server at `http://HOST:PORT`. One that does not read takes next to nothing into its buffers."""
    where = urlsplit(address)
    plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    plain.setblocking(False)
    if not reads:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    await asyncio.get_running_loop().sock_connect(plain, (where.hostname, where.port))
    # Nobody reads from a StreamReader that is full; its transport then takes nothing from the socket any more.
    reader, writer = await asyncio.open_connection(sock=plain, limit=1 << 16 if reads else 1)
    try:
        yield Raw(reader, writer)
    finally:
        writer.transport.abort()


async def ask(address: str, data: bytes) -> Reply:
    """Send bytes on a connection of their own, and read one answer."""
    async with connected(address) as raw:
        await raw.send(data)
        return await raw.reply()
