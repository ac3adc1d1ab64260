"""A proxy on loopback between a client and its homeserver, which breaks what a test wants broken.

It notes every request, without bodies, queries and tokens. It knows nothing of what it carries.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web
from yarl import URL

from tests.homeserver.faults import (
    HTML,
    UNKNOWN_TOKEN,
    Answer,
    Cut,
    Fault,
    Hold,
    Rule,
    Slow,
    Storm,
    template,
    too_many,
)
from tests.homeserver.server import Login

PIECE = 64 * 1024
OF_ONE_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host"}
STORMS: tuple[Fault, ...] = (Answer(502), Cut.BEFORE, Cut.AFTER, Cut.MIDWAY, too_many(50), Slow(0.05))


@dataclass(slots=True)
class Asked:
    """A request: when it came (seconds of the event loop's clock), what was done to it, and how it was answered.

    The status is None as long as it is not answered, and for good where the connection was cut.
    """

    method: str
    template: str
    at: float
    fault: Fault | None = None
    status: int | None = None

    @property
    def line(self) -> str:
        """The method and the path with `{}` for ids, such as `PUT /rooms/{}/send/m.room.message/{}`."""
        return f"{self.method} {self.template}"


class Between:
    """The proxy, for as long as it is entered. A request meets the first rule that applies to it, and then the storm."""

    def __init__(self, homeserver: str) -> None:
        self.asked: list[Asked] = []
        self.url = ""
        self._homeserver = URL(homeserver)
        self._rules: list[Rule] = []
        self._storm: Storm | None = None
        self._token_known = True
        self._released = asyncio.Event()
        self._news = asyncio.Condition()
        server = web.Application(client_max_size=0)
        server.router.add_route("*", "/{path:.*}", self._handle)
        # A client that goes away takes its request along, also out of a long poll, as it does without a proxy.
        self._runner = web.AppRunner(server, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=None)
        # No connection is kept: it could be one from before a restart, and a request would be sent over it in vain.
        way = aiohttp.TCPConnector(limit=0, force_close=True)
        self._session = aiohttp.ClientSession(timeout=timeout, auto_decompress=False, connector=way)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        await self._runner.cleanup()
        await self._session.close()

    def through(self, login: Login) -> Login:
        """The same device, on the way through here."""
        return replace(login, homeserver=self.url)

    # What breaks. `about` is any part of a request's line, such as `/send/`, `/sync` or `PUT /rooms/{}/typing`.

    def fail(self, about: str, status: int = 502, *, times: int | None = None, body: bytes = HTML) -> Rule:
        """Answer like a reverse proxy in trouble."""
        kind = "application/json" if body.startswith(b"{") else "text/html"
        return self.rule(Rule(about, Answer(status, body, kind), times))

    def answer(self, about: str, answer: Answer, *, times: int | None = None) -> Rule:
        """Answer in the homeserver's place; see `faults.refusal`."""
        return self.rule(Rule(about, answer, times))

    def limit(self, about: str, retry_after_ms: int, *, times: int | None = None) -> Rule:
        """Say that too much was sent."""
        return self.rule(Rule(about, too_many(retry_after_ms), times))

    def cut(self, about: str, when: Cut = Cut.BEFORE, *, times: int | None = None) -> Rule:
        """Drop the connection before the homeserver hears of it, after it took effect, or midway through its answer."""
        return self.rule(Rule(about, when, times))

    def slow(self, about: str, seconds: float, *, times: int | None = None) -> Rule:
        """Let requests wait before they go on."""
        return self.rule(Rule(about, Slow(seconds), times))

    def hold(self, about: str, *, times: int | None = None) -> Rule:
        """Let requests wait until `release`."""
        return self.rule(Rule(about, Hold(), times))

    def release(self) -> None:
        """Let all that is held go on, and hold nothing more."""
        for rule in self._rules:
            if isinstance(rule.fault, Hold):
                rule.end()
        self._released.set()
        self._released = asyncio.Event()

    def forget_token(self) -> None:
        """From now on, no access token is known."""
        self._token_known = False

    def know_token(self) -> None:
        """Access tokens are the homeserver's affair again."""
        self._token_known = True

    def storm(self, seed: int, chance: float, about: Sequence[str], faults: Sequence[Fault] = STORMS) -> None:
        """From now on, each request about one of these meets one of the faults with this chance."""
        self._storm = Storm(seed, chance, about, faults)

    def calm(self) -> None:
        """End the storm and all rules, and let all that is held go on."""
        self.release()
        self._storm = None
        self._rules.clear()

    def rule(self, rule: Rule) -> Rule:
        self._rules.append(rule)
        return rule

    # What came.

    def count(self, about: str = "") -> int:
        """How many requests came with this in their line."""
        return sum(about in each.line for each in self.asked)

    async def until_asked(self, about: str, times: int = 1, patience: float = 10.0) -> None:
        """Wait until so many such requests came, all since the start counted. Raises TimeoutError."""
        async with asyncio.timeout(patience), self._news:
            await self._news.wait_for(lambda: self.count(about) >= times)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(request.method, template(request.path), asyncio.get_running_loop().time())
        asked.fault = self._fault(asked.line, knows_token="Authorization" not in request.headers or self._token_known)
        self.asked.append(asked)
        async with self._news:
            self._news.notify_all()
        match asked.fault:
            case Slow(seconds=seconds):
                await asyncio.sleep(seconds)
            case Hold():
                await self._released.wait()
            case Answer(status=status, body=body, content_type=kind, headers=headers):
                asked.status = status
                return web.Response(status=status, body=body, content_type=kind, headers=dict(headers))
            case Cut.BEFORE:
                return _cut(request)
        return await self._carry(request, asked)

    def _fault(self, line: str, *, knows_token: bool) -> Fault | None:
        if not knows_token:
            return UNKNOWN_TOKEN
        for rule in self._rules:
            if rule.applies(line):
                rule.hits += 1
                return rule.fault
        return self._storm.strike(line) if self._storm is not None else None

    async def _carry(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        address = self._homeserver.join(URL(request.raw_path, encoded=True))
        headers = {key: value for key, value in request.headers.items() if key.lower() not in OF_ONE_HOP}
        body = request.content.iter_chunked(PIECE) if request.can_read_body else None
        try:
            call = self._session.request(request.method, address, headers=headers, data=body, allow_redirects=False)
            async with call as answer:
                return await self._bring_back(request, answer, asked)
        except aiohttp.ClientConnectionError:
            asked.status = 502
            return web.Response(status=502, body=HTML, content_type="text/html")

    async def _bring_back(self, request: web.Request, answer: aiohttp.ClientResponse, asked: Asked) -> web.StreamResponse:
        if asked.fault is Cut.AFTER:
            return _cut(request)
        headers = [(key, value) for key, value in answer.headers.items() if key.lower() not in OF_ONE_HOP]
        response = web.StreamResponse(status=answer.status, headers=headers)
        if asked.fault is Cut.MIDWAY:
            whole = await answer.read()
            await response.prepare(request)
            await response.write(whole[: len(whole) // 2])
            return _cut(request)
        asked.status = answer.status
        await response.prepare(request)
        async for piece in answer.content.iter_chunked(PIECE):
            await response.write(piece)
        await response.write_eof()
        return response


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
