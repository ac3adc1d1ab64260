import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from adapters.network.errors import NETWORK_ERRORS, NetworkTrouble, meaning
from adapters.network.hosts import bracketed, is_loopback


@pytest.mark.parametrize(
    ("error", "part", "may_pass"),
    [
        (aiohttp.ServerDisconnectedError(), "closed the connection", True),
        (aiohttp.ClientPayloadError(), "broke off", True),
        (aiohttp.ServerTimeoutError(), "in time", True),
        (TimeoutError(), "in time", True),
        (ConnectionResetError(), "broke", True),
        (aiohttp.InvalidURL("x"), "no address", False),
        (aiohttp.ClientError(), "failed", True),
        (OSError(), "failed", True),
    ],
)
def test_every_error_has_a_reason_and_tells_whether_it_may_pass(error: Exception, part: str, *, may_pass: bool) -> None:
    trouble = meaning(error)
    assert part in trouble.reason
    assert trouble.may_pass is may_pass
    assert isinstance(error, NETWORK_ERRORS)


async def trouble_of(url: str, connector: aiohttp.BaseConnector | None = None) -> NetworkTrouble:
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=5)) as http:
        with pytest.raises(NETWORK_ERRORS) as raised:
            await (await http.get(url)).read()
    return meaning(raised.value)


async def answering(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> tuple[asyncio.Server, str]:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def test_where_nothing_listens_nothing_answers(tmp_path: Path) -> None:
    server, url = await answering(lambda _, writer: writer.wait_closed())
    server.close()
    await server.wait_closed()
    assert (await trouble_of(url)).reason == "nothing answers there"
    missing = aiohttp.UnixConnector(str(tmp_path / "none.sock"))
    assert (await trouble_of("http://engine/", missing)).reason == "nothing answers there"


@pytest.mark.parametrize(
    ("answer", "part", "may_pass"),
    [
        (b"", "closed the connection", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "broke off", True),
        (b"220 mail.example ESMTP\r\n", "HTTP", False),
    ],
)
async def test_a_server_that_misbehaves_is_told_apart(answer: bytes, part: str, *, may_pass: bool) -> None:
    async def misbehave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server, url = await answering(misbehave)
    async with server:
        trouble = await trouble_of(url)
    assert part in trouble.reason
    assert trouble.may_pass is may_pass


async def test_tls_where_there_is_none_will_not_pass() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(64)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server, url = await answering(plain)
    async with server:
        trouble = await trouble_of(url.replace("http:", "https:"), aiohttp.TCPConnector(ssl=ssl.create_default_context()))
    assert not trouble.may_pass


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("engine.lan", False)],  # noqa: S104 - a name to judge
)
def test_only_this_machine_is_loopback(host: str, *, here: bool) -> None:
    assert is_loopback(host) is here


def test_a_host_stands_in_brackets_where_it_has_colons() -> None:
    assert (bracketed("::1"), bracketed("127.0.0.1")) == ("[::1]", "127.0.0.1")
