"""The engine as an HTTP server: its routes, who may use them, how much of it, and how it ends. It decides nothing about text.

Rule 1: whatever is sent, the answer is what was asked for or one sentence in an error object; never a traceback.
Rule 2: a client that goes away takes its work with it: its handler is cancelled, and the engine's stream closed.
Rule 3: no text of a prompt or a reply, and no token of access, is ever logged.
"""

import asyncio
import hashlib
import json
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Protocol

from aiohttp import web

from adapters.network import serving
from adapters.network.hosts import bracketed
from adapters.network.listening import Choices, trouble
from adapters.network.serving import BoundedRunner, allow, arriving
from adapters.remote import sockets, wire
from adapters.remote.body import Body
from adapters.remote.metrics import CONTENT_TYPE, Metrics
from adapters.remote.openapi import document
from adapters.remote.orders import NAME_LENGTH, Order, read_model, read_order, read_prompt, read_segments
from adapters.remote.refusals import SOON, Refusal, refusal_of, too_long
from adapters.remote.replies import streamed_reply, whole_reply
from adapters.remote.settings import EngineServerSettings
from adapters.remote.wire import bare_tag
from bot.errors import EngineError
from bot.ids import SessionId
from bot.ports.engine import Engine, EngineCapabilities, Segment

log = logging.getLogger(__name__)

PROBE = Segment('Zoë said: "It is 3:07 — come in!"\n')
"""Vocabularies that are not the same will hardly divide this alike."""

SHUTDOWN = 2.0
"""Seconds that answers in progress get once the engine has ended them."""

LEFT = 499
"""What is counted for a client that left before its answer was complete, as nginx counts it."""

CHOICES = Choices(port="--port 8005, or port under [engine.host]", host="--host, or host under [engine.host]")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ServedEngine(Engine, Protocol):
    """An engine of this process."""

    async def tokenize(self, segments: tuple[Segment, ...]) -> tuple[tuple[int, ...], ...]:
        """The tokens of each segment."""
        ...

    def statistics(self) -> object:
        """A frozen record of numbers."""
        ...

    async def close(self) -> None:
        """End it; may be repeated."""
        ...


class EngineServer:
    """Serves one engine. `start` opens the address, `drain` lets what runs end by itself, `close` ends all, the engine too."""

    def __init__(self, engine: ServedEngine, settings: EngineServerSettings = EngineServerSettings()) -> None:  # noqa: B008 - frozen
        self._engine = engine
        self._settings = settings
        self._metrics = Metrics(engine.statistics)
        self._token = settings.token.encode()
        self._document = json.dumps(document(settings)).encode()
        self._served = EngineCapabilities("", 0)
        self._tag = ""
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._is_draining = False
        self._runner: web.AppRunner | None = None
        self._socket: sockets.Identity | None = None

    async def start(self) -> str:
        """Open the address and return it: `http://HOST:PORT` or `unix:PATH`.

        Raises ConfigMistakes, NotNow while another program is there, and EngineUnavailable.
        """
        self._settings.check()
        self._served = await self._engine.capabilities()
        self._tag = await self._fingerprint()
        self._runner = BoundedRunner(
            self._app(), self._settings.bounds, _unreadable, handler_cancellation=True, shutdown_timeout=SHUTDOWN
        )
        await self._runner.setup()
        try:
            return await self._listen(self._runner)
        except BaseException:
            await self._runner.cleanup()
            raise

    async def drain(self, seconds: float) -> bool:
        """Take no new work and wait until what runs has ended; whether it has within this many seconds."""
        self._is_draining = True
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            log.warning("%d requests were not finished in %g seconds", self._running, seconds, extra={"action": "drain_cut"})
            return False
        return True

    async def close(self) -> None:
        """End the engine, and with it what is still being written, then the server. May be repeated."""
        self._is_draining = True
        # First the engine: what is being written then ends with a sentence, before its connections are cut.
        await self._engine.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._settings.socket is not None:
            sockets.remove(self._settings.socket, self._socket)

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=self._settings.body_bytes, middlewares=[self._answer])
        app.add_routes(
            [
                web.post(wire.COMPLETIONS, self._complete),
                web.post(wire.TOKENIZE, self._tokenize),
                web.post(wire.WARM, self._warm),
                web.post(wire.FORGET, self._forget),
                web.get(wire.MODELS, self._models),
                web.get(wire.HEALTH, self._health),
                web.get(wire.METRICS, self._show_metrics),
                web.get(wire.OPENAPI, self._describe),
            ]
        )
        return app

    async def _listen(self, runner: web.AppRunner) -> str:
        settings = self._settings
        if settings.socket is not None:
            # Asked again, as the model took its time to load.
            sockets.refuse_taken(settings.socket)
            try:
                await web.UnixSite(runner, settings.socket).start()
                self._socket = sockets.identity(settings.socket)
                settings.socket.chmod(0o600)
            except OSError as error:
                raise sockets.unusable(settings.socket, error) from error
            return f"unix:{settings.socket}"
        try:
            await web.TCPSite(runner, settings.host, settings.port).start()
        except OSError as error:
            raise trouble("The engine cannot be served", settings.host, settings.port, error, CHOICES) from error
        return f"http://{bracketed(settings.host)}:{runner.addresses[0][1]}"

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let in who may come in, turn whatever goes wrong into an error object, and count."""
        try:
            self._check_access(request)
            response = await handler(request)
        except Refusal as refusal:
            response = _refuse(refusal)
        except EngineError as error:
            response = _refuse(refusal_of(error))
        except asyncio.CancelledError:
            self._count(request, LEFT)
            raise
        except web.HTTPException as error:
            response = _refuse(self._refusal_of_http(error))
            response.headers.update(allow(error))
        except Exception:
            log.exception("a request failed", extra={"action": "request_failed", "path": request.path})
            response = _refuse(Refusal(500, "Something went wrong inside; the log of the engine's host says what.", "internal"))
        self._count(request, response.status)
        return response

    def _count(self, request: web.Request, status: int) -> None:
        resource = request.match_info.route.resource
        self._metrics.count(resource.canonical if resource else "unknown", status)

    def _check_access(self, request: web.Request) -> None:
        if request.path == wire.HEALTH:
            return
        if not self._token:
            # A web page in a browser of this machine can reach this address, and always says where it comes from.
            if "Origin" in request.headers:
                raise Refusal(403, "Without a token the engine does not answer web pages; set a token.", wire.WRONG_KEY)
            return
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        # A header is whatever was sent; compared as bytes, anything can be compared.
        given = token.strip().encode(errors="surrogateescape")
        if not secrets.compare_digest(given, self._token) or kind.lower() != "bearer":
            raise Refusal(401, "The token is wrong or missing: send the engine's own as a bearer token.", wire.WRONG_KEY)

    def _refusal_of_http(self, error: web.HTTPException) -> Refusal:
        if isinstance(error, web.HTTPRequestEntityTooLarge):
            return Refusal(413, f"The body is larger than {self._settings.body_bytes} bytes.", wire.TOO_LARGE)
        if isinstance(error, web.HTTPMethodNotAllowed):
            return Refusal(405, f"This path takes {' and '.join(sorted(error.allowed_methods))} only.", wire.NO_ROUTE)
        return Refusal(error.status, f"There is nothing here ({error.reason}).", wire.NO_ROUTE)

    async def _body(self, request: web.Request) -> Body:
        """The body, once it is here. Raises Refusal."""
        seconds = self._settings.body_seconds
        try:
            async with arriving(request):
                return Body.parse(await request.read())
        except TimeoutError:
            raise Refusal(408, f"The body did not arrive within {seconds:g} seconds; send it again.") from None
        except web.RequestPayloadError:
            raise Refusal(400, "The body is not packed as its Content-Encoding says.") from None

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await self._body(request)
        self._refuse_draining()
        self._check_tag(request)
        order = read_order(body, self._served, self._settings, request.headers.get(wire.SESSION_HEADER, "")[:NAME_LENGTH])
        with self._counted():
            order = await self._tokenized(order)
            if order.streams:
                return await streamed_reply(request, self._engine, order, self._settings.heartbeat)
            return await whole_reply(self._engine, order)

    async def _tokenize(self, request: web.Request) -> web.Response:
        body = await self._body(request)
        with self._counted():
            tokens = await self._engine.tokenize(read_segments(body, self._settings.segments, self._served.context))
        return self._json({"tokens": tokens})

    async def _warm(self, request: web.Request) -> web.Response:
        body = await self._body(request)
        self._refuse_draining()
        self._check_tag(request)
        session = _session(request, body, "the name of the session to read for")
        _, adapter = read_model(body, self._served)
        context = self._served.context
        if body.get("segments") is None:
            segments = read_prompt(body, context)
        else:
            segments = read_segments(body, self._settings.segments, context)
        with self._counted():
            # Asked for here, as warming itself tells of no mistake.
            _refuse_over(context, await self._engine.tokenize(segments))
            await self._engine.warm(session, segments, adapter)
        return self._json({}, status=202)

    async def _forget(self, request: web.Request) -> web.Response:
        """Answered when all is gone, also while the server drains: what is to be deleted cannot wait for the next one."""
        body = await self._body(request)
        session = _session(request, body, "the name of the session to forget")
        with self._counted():
            await self._engine.forget(session)
        return self._json({"forgotten": True})

    async def _models(self, _: web.Request) -> web.Response:
        served = self._served
        facts = {
            "context": served.context,
            "rating": served.rating,
            "adapters": served.adapters,
            "unhonoured": served.unhonoured,
            "fingerprint": served.fingerprint,
            "forgets": served.forgets,
            "max_tokens": self._settings.max_tokens,
            "stops": self._settings.stops,
            "stop_length": self._settings.stop_length,
        }
        names = (served.model, *(f"{served.model}:{each}" for each in served.adapters))
        about = {"object": "model", "owned_by": wire.OWNER, "max_model_len": served.context, "understudy": facts}
        return self._json({"object": "list", "data": [{"id": name, **about} for name in names]})

    async def _health(self, _: web.Request) -> web.Response:
        if self._is_draining:
            return self._json({"status": "draining"}, status=503)
        try:
            await self._engine.tokenize(())
        except EngineError as error:
            return self._json({"status": "broken", "reason": str(error)}, status=503)
        return self._json({"status": "ok"})

    async def _show_metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.page(), headers={"Content-Type": CONTENT_TYPE})

    async def _describe(self, _: web.Request) -> web.Response:
        return web.Response(body=self._document, content_type="application/json")

    def _json(self, content: dict[str, object], status: int = 200) -> web.Response:
        headers = {"ETag": f'"{self._tag}"'}
        return web.Response(text=json.dumps(content), status=status, content_type="application/json", headers=headers)

    async def _tokenized(self, order: Order) -> Order:
        """The order with its prompt as ids: tokenised once, and refused when it is too long or an id is none of the model's."""
        segments = order.request.segments
        biased = Segment("", trusted=True, token_ids=tuple(token for token, _ in order.request.sampling.logit_bias))
        *parts, _ = await self._engine.tokenize((*segments, biased))
        _refuse_over(self._served.context - order.request.max_tokens, parts)
        ids = tuple(
            Segment("", trusted=True, token_ids=part, opens=segment.opens)
            for segment, part in zip(segments, parts, strict=True)
            if part
        )
        return replace(order, request=replace(order.request, segments=ids))

    def _check_tag(self, request: web.Request) -> None:
        """Refuse ids that were made for another model: whoever sent them must tokenise anew."""
        expected = request.headers.get("If-Match")
        if expected is not None and bare_tag(expected) not in {self._tag, "*"}:
            raise Refusal(412, "Another model is served here than the one the prompt was made for.", wire.CHANGED)

    def _refuse_draining(self) -> None:
        if self._is_draining:
            raise Refusal(503, "The engine is going out of service; try again soon.", wire.UNAVAILABLE, SOON)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        if self._running >= self._settings.concurrent:
            sentence = f"The engine has {self._running} requests in hand, and takes no more at a time."
            raise Refusal(429, sentence, wire.BUSY, SOON, {"seconds": SOON})
        self._running += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def _fingerprint(self) -> str:
        """A word for what is served: equal on all hosts that serve the same model in the same way."""
        tokens = await self._engine.tokenize((PROBE,))
        return hashlib.sha256(repr((self._served, tokens)).encode()).hexdigest()[:16]


@asynccontextmanager
async def serve(engine: ServedEngine, settings: EngineServerSettings) -> AsyncIterator[str]:
    """Serve the engine within this block, which gets the address; at its end all is closed, the engine too."""
    server = EngineServer(engine, settings)
    try:
        yield await server.start()
    finally:
        await server.close()


def _session(request: web.Request, body: Body, meaning: str) -> SessionId:
    """The session that the body names, or else a header. Raises Refusal when neither does."""
    session = body.text("session_id", request.headers.get(wire.SESSION_HEADER, ""), NAME_LENGTH)
    if not session:
        body.wrong("session_id", meaning)
    return SessionId(session)


def _refuse_over(room: int, parts: Iterable[tuple[int, ...]]) -> None:
    total = sum(map(len, parts))
    if total > room:
        raise too_long(total, max(room, 0))


def _unreadable(status: int) -> web.Response:
    if status == serving.BUSY:
        return _refuse(Refusal(status, "The server has too much in hand; try again soon.", wire.UNAVAILABLE, serving.SOON))
    return _refuse(Refusal(status, "This is no request that can be read."))


def _refuse(refusal: Refusal) -> web.Response:
    return web.Response(body=refusal.body, status=refusal.status, headers=refusal.headers)
