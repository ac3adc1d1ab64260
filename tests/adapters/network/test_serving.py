"""What a server bears: slow clients, many of them, and what is no HTTP."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from adapters.network.serving import HEADERS, LEAST_TAKEN, BoundedRunner, Bounds, arriving
from tests.rawhttp import PATIENCE, ask, connected

HONEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
LARGE = 32 * 1024 * 1024
SECRET = b"open-sesame"
TINY = 0.03

TAKE = b"POST /take HTTP/1.1\r\nHost: here\r\n"
NO_REQUESTS = {
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "a null in a header": b"GET / HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer " + SECRET + b"\x00\r\n\r\n",
    "a space after a header's name": b"GET / HTTP/1.1\r\nHost: here\r\nAuthorization : Bearer " + SECRET + b"\r\n\r\n",
    "a null in the address": b"GET /" + SECRET + b"\x00 HTTP/1.1\r\nHost: here\r\n\r\n",
    "a huge address": b"GET /" + SECRET * 10_000 + b" HTTP/1.1\r\nHost: here\r\n\r\n",
    "a huge header": b"GET / HTTP/1.1\r\nHost: here\r\nX: " + SECRET * 10_000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: " % n + SECRET + b"\r\n" for n in range(HEADERS + 1)) + b"\r\n",
    "length and chunks": TAKE + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HONEST,
    "two lengths": TAKE + b"Content-Length: 5\r\nContent-Length: 50\r\n\r\n12345" + HONEST,
    "a length below nothing": TAKE + b"Content-Length: -5\r\n\r\n12345" + HONEST,
    "an unknown coding": TAKE + b"Transfer-Encoding: chunked, " + SECRET + b"\r\n\r\n0\r\n\r\n" + HONEST,
}


@dataclass(slots=True)
class Site:
    """A server and what became of its requests."""

    address: str = ""
    runner: web.AppRunner | None = None
    handled: list[str] = field(default_factory=list)
    broke_off: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def root(self, request: web.Request) -> web.Response:
        self.handled.append(request.path)
        return web.Response(text="here")

    async def large(self, _: web.Request) -> web.Response:
        return web.Response(body=b"\0" * LARGE)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"\0" * 65536)
        except ConnectionError:
            self.broke_off.set()
        return response

    async def wait(self, _: web.Request) -> web.Response:
        self.handled.append("/wait")
        await self.let_go.wait()
        return web.Response(text="at last")

    async def take(self, request: web.Request) -> web.Response:
        self.handled.append("/take")
        try:
            async with arriving(request):
                return web.Response(text=str(len(await request.read())))
        except TimeoutError:
            return web.Response(status=408)

    @property
    def unsent(self) -> int:
        """Bytes that the kernel has not taken yet, of the one client that there is."""
        assert self.runner is not None
        assert self.runner.server is not None
        (connection,) = self.runner.server.connections
        assert connection.transport is not None
        return connection.transport.get_write_buffer_size()

    async def sent_below(self, most: int) -> None:
        """Return when no more than that is unsent."""
        async with asyncio.timeout(PATIENCE):
            while self.unsent > most:
                await asyncio.sleep(0.005)

    async def empty(self) -> None:
        """Return when nobody is connected any more."""
        async with asyncio.timeout(PATIENCE):
            while self.runner is not None and self.runner.server is not None and self.runner.server.connections:
                await asyncio.sleep(0.005)


@asynccontextmanager
async def a_site(bounds: Bounds) -> AsyncIterator[Site]:
    site = Site()
    app = web.Application(client_max_size=1 << 20)
    routes = {"/": site.root, "/large": site.large, "/stream": site.stream, "/wait": site.wait}
    app.add_routes(
        [
            *(web.get(path, handler) for path, handler in routes.items()),
            web.post("/take", site.take),
            web.post("/wait", site.wait),
        ]
    )
    site.runner = BoundedRunner(
        app, bounds, lambda status: web.Response(status=status, text="unreadable"), shutdown_timeout=0.1
    )
    await site.runner.setup()
    await web.TCPSite(site.runner, "127.0.0.1", 0).start()
    site.address = f"http://127.0.0.1:{site.runner.addresses[0][1]}"
    try:
        yield site
    finally:
        site.let_go.set()
        await site.runner.cleanup()


async def test_headers_that_trickle_end_in_a_closed_connection() -> None:
    async with a_site(Bounds(idle_seconds=TINY)) as site, connected(site.address) as raw:
        await raw.send(b"GET / HTTP/1.1\r\nX-Slow: ")
        assert await raw.trickle() == b""


async def test_headers_without_an_end_end_in_a_closed_connection_and_a_large_body_does_not() -> None:
    async with a_site(Bounds()) as site, connected(site.address) as raw:
        await raw.send(b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 8000) for n in range(HEADERS - 1)))
        assert await raw.rest() == b""
        body = b"a" * 1_000_000
        async with connected(site.address) as other:
            for _ in range(3):
                await other.send(TAKE + b"Content-Length: %d\r\n\r\n" % len(body) + body)
                assert (await other.reply()).body == b"1000000"


async def test_a_connection_that_asks_nothing_more_is_closed() -> None:
    async with a_site(Bounds(idle_seconds=TINY)) as site, connected(site.address) as raw:
        await raw.send(HONEST)
        assert (await raw.reply()).body == b"here"
        assert await raw.rest() == b""


async def test_a_body_that_trickles_is_waited_for_only_so_long() -> None:
    async with a_site(Bounds(body_seconds=TINY)) as site, connected(site.address) as raw:
        await raw.send(b"POST /take HTTP/1.1\r\nHost: here\r\nContent-Length: 100000\r\n\r\n")
        assert (await raw.trickle()).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("headers", [b"", b"Connection: close\r\n"])
async def test_a_client_that_takes_no_answer_is_cut_off(headers: bytes) -> None:
    async with a_site(Bounds(answer_seconds=TINY, idle_seconds=TINY)) as site, connected(site.address, reads=False) as raw:
        await raw.send(b"GET /large HTTP/1.1\r\nHost: here\r\n" + headers + b"\r\n")
        await raw.reader.readexactly(1)
        await site.empty()


async def test_a_client_that_takes_nothing_of_a_stream_ends_it() -> None:
    async with a_site(Bounds(answer_seconds=TINY)) as site, connected(site.address, reads=False) as raw:
        await raw.send(b"GET /stream HTTP/1.1\r\nHost: here\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            await site.broke_off.wait()
        await site.empty()


async def test_a_client_that_reads_slowly_gets_all_of_its_answer() -> None:
    async with a_site(Bounds(answer_seconds=TINY)) as site, connected(site.address) as raw:
        await raw.send(b"GET /large HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        assert len((await raw.reply()).body) == LARGE


async def test_a_client_on_a_slow_line_is_seen_to_take_its_answer() -> None:
    async with a_site(Bounds()) as site, connected(site.address) as raw:
        await raw.send(b"GET /large HTTP/1.1\r\nHost: here\r\n\r\n")
        await raw.reader.readexactly(1)
        for _ in range(4):
            unsent = site.unsent
            await raw.reader.readexactly(400_000)
            await site.sent_below(unsent - LEAST_TAKEN)


@pytest.mark.parametrize(
    "unfinished", [b"", b"GET / HTTP/1.1\r\nX: ", HONEST, b"POST /take HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\n1234"]
)
async def test_who_sends_nothing_whole_makes_room_for_who_does(unfinished: bytes) -> None:
    async with a_site(Bounds(connections=8)) as site, AsyncExitStack() as idle:
        first = await idle.enter_async_context(connected(site.address))
        await first.send(unfinished)
        for _ in range(40):
            await (await idle.enter_async_context(connected(site.address))).send(unfinished)
        assert (await ask(site.address, HONEST)).body == b"here"
        assert await first.rest() in {b"", b"HTTP/1.1 200 OK"} or unfinished == HONEST
        assert site.runner is not None
        assert site.runner.server is not None
        assert len(site.runner.server.connections) <= 8 + 1


async def test_of_bodies_that_do_not_come_to_an_end_only_so_much_is_kept() -> None:
    bounds = Bounds(body_bytes=100_000, body_most=40_000)
    unfinished = TAKE + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n"
    async with a_site(bounds) as site, AsyncExitStack() as sending:
        first = await sending.enter_async_context(connected(site.address))
        await first.send(unfinished)
        for _ in range(2):
            await (await sending.enter_async_context(connected(site.address))).send(unfinished)
        assert await first.rest() == b""
        whole = TAKE + b"Content-Length: 30000\r\n\r\n" + b"a" * 30_000
        assert (await ask(site.address, whole)).body == b"30000"


async def test_where_bodies_are_being_answered_another_one_is_told_when_to_come_again() -> None:
    async with a_site(Bounds(body_bytes=50_000)) as site, connected(site.address) as busy:
        await busy.send(b"POST /wait HTTP/1.1\r\nHost: here\r\nContent-Length: 30000\r\n\r\n" + b"a" * 30_000)
        async with asyncio.timeout(PATIENCE):
            while not site.handled:
                await asyncio.sleep(0)
        refused = await ask(site.address, TAKE + b"Content-Length: 30000\r\n\r\n" + b"a" * 30_000)
        assert (refused.status, refused.headers["retry-after"], refused.body) == (503, "5", b"unreadable")
        assert (await ask(site.address, HONEST)).body == b"here"
        site.let_go.set()
        assert (await busy.reply()).body == b"at last"


async def test_where_all_are_being_answered_a_newcomer_is_told_when_to_come_again() -> None:
    async with a_site(Bounds(connections=2)) as site, AsyncExitStack() as busy:
        waiting = [await busy.enter_async_context(connected(site.address)) for _ in range(2)]
        for each in waiting:
            await each.send(b"GET /wait HTTP/1.1\r\nHost: here\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            while site.handled != ["/wait", "/wait"]:
                await asyncio.sleep(0)
        async with connected(site.address) as newcomer:
            refused = await newcomer.reply()
        assert (refused.status, refused.headers["retry-after"]) == (503, "5")
        site.let_go.set()
        assert [(await each.reply()).body for each in waiting] == [b"at last", b"at last"]
        assert (await ask(site.address, HONEST)).body == b"here"


@pytest.mark.parametrize("raw", NO_REQUESTS.values(), ids=NO_REQUESTS)
async def test_what_is_no_request_is_refused_with_what_is_behind_it_and_no_word_of_it_logged(
    raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with a_site(Bounds()) as site:
        async with connected(site.address) as sender:
            await sender.send(raw)
            answered = await sender.rest()
        assert answered.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))
        assert answered.endswith(b"unreadable")
        assert site.handled == []
        assert (await ask(site.address, HONEST)).body == b"here"
    told = [record for record in caplog.records if record.name != "asyncio"]
    assert [(record.levelname, record.exc_info) for record in told] == [("DEBUG", None)]
    assert SECRET.decode() not in caplog.text


async def test_what_is_expected_and_not_offered_is_refused() -> None:
    async with a_site(Bounds()) as site:
        reply = await ask(site.address, b"GET / HTTP/1.1\r\nHost: here\r\nExpect: wonders\r\n\r\n")
    assert (reply.status, reply.body) == (417, b"unreadable")


async def test_requests_in_a_row_on_one_connection_are_answered_in_their_order() -> None:
    async with a_site(Bounds()) as site, connected(site.address) as raw:
        await raw.send(b"".join(b"GET /%s HTTP/1.1\r\nHost: here\r\n\r\n" % path for path in (b"", b"nothing", b"") * 100))
        replies = [await raw.reply() for _ in range(300)]
    assert [each.status for each in replies] == [200, 404, 200] * 100
