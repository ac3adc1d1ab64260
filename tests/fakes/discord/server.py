"""The loopback Discord's one port: REST, the gateway and the content server, told apart by path. Every exchange is recorded."""

import asyncio
import json
import ssl
from collections.abc import Callable
from typing import Any

from aiohttp import BodyPartReader, web

from tests.fakes.discord import refusals
from tests.fakes.discord.exchange import Exchange
from tests.fakes.discord.faults import Fault, Faults
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.limits import Asked, Limits, Verdict
from tests.fakes.discord.posting import Files
from tests.fakes.discord.rest_answers import ANSWERS
from tests.fakes.discord.rest_application import APPLICATION
from tests.fakes.discord.rest_messages import MESSAGES
from tests.fakes.discord.rest_places import PLACES
from tests.fakes.discord.rest_webhooks import WEBHOOKS, content
from tests.fakes.discord.routes import Answer, Call, Route, Routes
from tests.fakes.discord.world import World

API = "/api/v10"
ROUTES: Routes = MESSAGES | PLACES | WEBHOOKS | ANSWERS | APPLICATION
LARGEST = 25 * 1024 * 1024
VIA = {"Via": "1.1 google"}


class Server:
    """Serves a world. `requests` are all exchanges in order; `strange` those for which there is no route.

    `errors` are mistakes of the loopback itself, or of whoever listens to it.
    """

    def __init__(self, world: World, gateway: Gateway) -> None:
        self.faults = Faults()
        self.limits = Limits()
        self.requests: list[Exchange] = []
        self.strange: list[Exchange] = []
        self.on_exchange: list[Callable[[Exchange], None]] = []
        self.errors: list[Exception] = []
        self.port = 0
        self._world = world
        self._gateway = gateway
        self._runner: web.AppRunner | None = None

    async def start(self, context: ssl.SSLContext) -> None:
        """Listen on loopback: on a free port the first time, on the same port again later."""
        application = web.Application(client_max_size=LARGEST)
        application.router.add_route("*", "/{rest:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        # with the usual backlog of 128, the rest of 200 connections at once would be made a second later
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=context, backlog=1024, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Cut everything and listen no more; what stands in the world stays."""
        self.faults.clear()
        self._gateway.drop_all()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._served(request)
        except (ConnectionError, web.RequestPayloadError):  # the client is gone, as one that was killed
            return web.Response()
        except Exception as error:
            self.errors.append(error)
            raise

    async def _served(self, request: web.Request) -> web.StreamResponse:
        path = request.rel_url.raw_path
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._gateway.serve(request)
        if not path.startswith(f"{API}/"):
            return self._content(request)
        exchange, files = await _read(request, path.removeprefix(API), self._world.clock.now())
        self.requests.append(exchange)
        self._world.touch()
        fault = self.faults.hit(exchange)
        status, answer, headers = await self._answered(exchange, files, fault)
        is_cut = fault is not None and fault.kind.startswith("cut")
        exchange.status, exchange.answer = (0, None) if is_cut else (status, answer)
        for listener in self.on_exchange:
            listener(exchange)
        self._world.touch()
        if is_cut:
            return _cut(request)
        return _response(status, answer, headers)

    async def _answered(self, exchange: Exchange, files: Files, fault: Fault | None) -> tuple[int, Any, dict[str, str]]:
        """Status, answer and headers; with the fault that hits it, before or after its effect."""
        if fault is not None and not fault.is_after and (early := await _met(fault)) is not None:
            return early
        verdict, (status, answer) = self._effect(exchange, files)
        headers = dict(verdict.headers)
        if verdict.wait_s:
            headers |= VIA | {"Retry-After": f"{verdict.wait_s:.3f}", "X-RateLimit-Scope": verdict.scope}
            headers |= {"X-RateLimit-Global": "true"} if verdict.scope == "global" else {}
        if fault is not None and fault.is_after and (late := await _met(fault)) is not None:
            return late
        return status, answer, headers

    def _effect(self, exchange: Exchange, files: Files) -> tuple[Verdict, Answer]:
        found = ROUTES.find(exchange.method, exchange.path)
        if found is None:
            self.strange.append(exchange)
            return Verdict({}), (404, refusals.no_route().body)
        route, parameters = found
        verdict = self._judged(route, parameters, exchange)
        if verdict.wait_s:
            return verdict, (429, verdict.body)
        try:
            if route.needs_token and exchange.headers.get("Authorization") != f"Bot {self._world.token}":
                raise refusals.unauthorized()
            return verdict, route.handler(Call(self._world, exchange, parameters, files))
        except refusals.Refusal as refused:
            return verdict, (refused.status, refused.body)

    def _judged(self, route: Route, parameters: dict[str, str], exchange: Exchange) -> Verdict:
        webhook = self._world.webhooks.get(int(parameters["webhook"])) if parameters.get("webhook", "").isdecimal() else None
        asked = Asked(
            f"{route.method} {route.template}",
            parameters,
            "" if webhook is None else str(webhook.channel.id),
            renames=route.template == "/channels/{channel}" and isinstance(exchange.body, dict) and "name" in exchange.body,
            is_own=route.template.startswith("/interactions") or parameters.get("webhook") == str(self._world.application_id),
        )
        return self.limits.judge(asked, self._world.clock.now())

    def _content(self, request: web.Request) -> web.Response:
        found = content(self._world, request.path, request.query_string)
        if found is None:
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=found[0], content_type=found[1])


async def _met(fault: Fault) -> tuple[int, Any, dict[str, str]] | None:
    """What a fault answers in place of the true answer; None where it only took its time."""
    if fault.kind.startswith("delay"):
        fault.reached.set()
        await fault.released.wait()
        return None
    if fault.kind == "429 without via":
        return 429, "error code: 1015", {}
    if fault.kind == "429":
        verdict = Verdict({}, fault.retry_after)
        return 429, verdict.body, VIA | {"Retry-After": str(fault.retry_after), "X-RateLimit-Scope": "user"}
    return fault.status, {"message": f"{fault.status}: Server Error", "code": 0}, VIA


async def _read(request: web.Request, path: str, now: float) -> tuple[Exchange, Files]:
    exchange = Exchange(request.method, path, dict(request.query), dict(request.headers), time=now)
    files: Files = {}
    if request.content_type == "multipart/form-data":
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            await _take(part, exchange, files)
    elif request.can_read_body:
        exchange.body = _parsed(await request.text())
    exchange.files = tuple(name for name, _ in files.values())
    return exchange, files


async def _take(part: BodyPartReader, exchange: Exchange, files: Files) -> None:
    if part.name == "payload_json":
        exchange.body = _parsed(await part.text())
    else:
        number = (part.name or "").removeprefix("files[").removesuffix("]")
        files[number] = part.filename or "file", bytes(await part.read())


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _response(status: int, answer: Any, headers: dict[str, str]) -> web.Response:
    """Exactly `application/json`: with a charset behind it, discord.py takes the body for plain text."""
    if answer is None:
        return web.Response(status=status, headers=headers)
    if isinstance(answer, str):
        return web.Response(status=status, text=answer, headers=headers)
    return web.Response(status=status, body=json.dumps(answer).encode(), headers=headers | {"Content-Type": "application/json"})


def _cut(request: web.Request) -> web.Response:
    if isinstance(request.transport, asyncio.Transport):
        request.transport.abort()
    return web.Response()
