"""The page's HTTP side: addresses, the stream of a thread's changes, and what may never reach a browser. It knows no story.

Rule: every answer carries the security headers, and every mistake is one sentence on a page, never a traceback.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from adapters.metrics import Instruments
from adapters.network import serving
from adapters.network.listening import Choices, trouble
from adapters.network.serving import BoundedRunner, Bounds, allow
from adapters.web import answers, forms
from adapters.web.access import Access
from adapters.web.courier import Watch, WebCourier
from adapters.web.openapi import OPENAPI, Doors, document
from adapters.web.operating import HEALTH, Operates
from adapters.web.safety import HEADERS, Guard, NotAllowed
from adapters.web.showing import Shows
from adapters.web.taking import THREAD, Takes
from adapters.web.threads import Threads
from bot.errors import ConfigMistakes, StoreUnavailable
from bot.flow.desk import Desk
from bot.flow.receive import Receiver
from bot.ids import AuthorId, Place
from bot.ports.store import Store

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

UNOPENED = "The page cannot be opened"
CHOICES = Choices(port="--port 8001, PORT=8001 for make, or port under [web]", host="host under [web]")

STREAMS = 16
"""How many pages may follow stories at a time."""

HEARTBEAT = 15.0
"""Seconds between signs of life on a silent stream; a page that is gone is noticed then."""

PACE = 0.05
"""Seconds between two states of a draft: faster than the eye, slower than a fast model."""

SLOWEST = 32 * 1024
"""Bytes a second of the slowest line over which the largest file comes. Until it is here it makes room for what is."""

BOUNDS = Bounds(
    connections=256,
    body_bytes=64 * 1024 * 1024,
    body_most=forms.UPLOAD_LIMIT + forms.FIELD_LIMIT,
    body_seconds=forms.UPLOAD_LIMIT / SLOWEST,
)
"""What the page bears: it is for few, and what they send is stories and pictures."""

SHUTDOWN = 2.0
"""Seconds that requests in progress get when the page closes."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WebServer:
    """The stories of a platform as pages, the one of `place` at the root. `player` is who plays in all of them.

    `notice` is a line that the page shows above its stories. `operator_token` is what opens the operator's side, and, where the
    page is not of this machine only, all of it. `closed` says why no story is played on the page: then it has that side only.
    """

    def __init__(  # noqa: PLR0913  all that a page is about
        self,
        courier: WebCourier,
        store: Store,
        receiver: Receiver,
        desk: Desk,
        *,
        place: Place,
        player: AuthorId,
        player_name: str,
        instruments: Instruments,
        operator_token: str = "",
        closed: str = "",
        host: str = "127.0.0.1",
        port: int = 0,
        notice: str = "",
        bounds: Bounds = BOUNDS,
    ) -> None:
        self._bounds = bounds
        self._courier = courier
        self._guard = Guard(host, port)
        self._threads = Threads(store, courier, place)
        self._shows = Shows(store, courier, self._threads, self._guard, player, player_name, notice)
        self._takes = Takes(self._shows, receiver, desk)
        self._closed = closed
        self._access = Access(operator_token, self._guard.is_local)
        self._operates = Operates(self._guard, self._access, instruments)
        self._files = {path.name: path.read_bytes() for path in STATIC.iterdir() if path.suffix in TYPES}
        self._document = b""
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Open the page; returns its address. Raises NotNow while another program is there, ConfigMistakes for a wrong one."""
        host, port = self._guard.host, self._guard.port
        if not self._guard.is_local and not self._access.token:
            sentence = f"Without a token the page opens on this machine only: set [web] operator_token to open it at {host}"
            raise ConfigMistakes([f"{sentence}, or open it at 127.0.0.1."])
        self._runner = BoundedRunner(self._app(), self._bounds, _unreadable, shutdown_timeout=SHUTDOWN)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self.close()
            raise trouble(UNOPENED, host, port, error, CHOICES) from error
        self._guard.port = self._runner.addresses[0][1]
        is_local, has_token = self._guard.is_local, bool(self._access.token)
        doors = Doors(self._operates.cookie, operator=has_token, visitor=not is_local, closed=bool(self._closed))
        self._document = json.dumps(document(doors)).encode()
        return self._guard.address

    def tell(self, sentence: str) -> None:
        """Show a sentence below every story, on open pages too."""
        self._shows.last_word = sentence
        self._courier.changed_everywhere()

    async def close(self) -> None:
        """Close the page; its streams end at once."""
        self._courier.close()
        await self._takes.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=forms.BODY_LIMIT, middlewares=[self._answer])
        app.on_response_prepare.append(_add_headers)
        app.add_routes([web.get("/static/{name}", self._file), web.get(OPENAPI, self._describe), *self._operates.routes()])
        if self._closed:
            app.add_routes([web.get("/", self._say_closed)])
            return app
        app.add_routes(
            [
                *(web.get(path, self._show) for path in ("/", THREAD)),
                *(web.get(path, self._follow, allow_head=False) for path in ("/events", f"{THREAD}/events")),
                web.get("/new", self._show_new),
                web.get("/file/{key}", self._download, allow_head=False),
                *self._takes.routes(),
            ]
        )
        return app

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let only our own host in, and turn whatever goes wrong into one sentence."""
        try:
            if request.path != HEALTH:
                self._guard.check_host(request)
            self._operates.admit(request)
            return await handler(request)
        except NotAllowed as refusal:
            return self._operates.refuse(request, refusal)
        except web.HTTPException as error:
            response = answers.trouble(request, error.status, f"There is nothing here ({error.reason}).")
            response.headers.update(allow(error))
            return response
        except StoreUnavailable as error:
            log.warning("the page could not reach the store", exc_info=error, extra={"action": "page_trouble"})
            return answers.trouble(request, 503, str(error))
        except ConnectionError:
            log.debug("a browser left in the middle of what it sent", extra={"action": "page_left"})
            return answers.trouble(request, 400, "The form broke off; send it again.")
        except Exception:
            log.exception("the page failed", extra={"action": "page_trouble", "path": request.path})
            return answers.trouble(request, 500, "Something went wrong inside; the operator's log says what.")

    async def _describe(self, _: web.Request) -> web.Response:
        return web.Response(body=self._document, content_type="application/json")

    async def _say_closed(self, request: web.Request) -> web.Response:
        return answers.trouble(request, 403, self._closed)

    async def _show(self, request: web.Request) -> web.Response:
        before = request.query.get("before")
        if before is not None and not (before.isascii() and before.isdigit() and len(before) < 10):  # noqa: PLR2004  no story is so long
            raise NotAllowed(404, "There is no such part of the story.")
        text = await self._shows.page(self._place(request), before=int(before) if before else None)
        return answers.html(self._guard, text)

    async def _show_new(self, request: web.Request) -> web.Response:  # noqa: ARG002  the page is the same for all requests
        return answers.html(self._guard, await self._shows.new_page())

    async def _download(self, request: web.Request) -> web.Response:
        file = self._shows.downloads.take(request.match_info["key"])
        if file is None:
            raise NotAllowed(404, "This file was fetched already or has made room for others; ask for it again.")
        return answers.attachment(file)

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self._files:
            raise NotAllowed(404, "There is no such file.")
        kind = TYPES[Path(name).suffix]
        return web.Response(body=self._files[name], content_type=kind, charset="utf-8", headers={"Cache-Control": "no-cache"})

    async def _follow(self, request: web.Request) -> web.StreamResponse:
        """The stream of changes: whole threads and drafts, the newest state only, until the page is left or closed."""
        place = self._place(request)
        if self._courier.watchers_of_all() >= STREAMS:
            raise NotAllowed(503, "Too many pages of this program are open; close some and reload this one.")
        await self._shows.check_known(place)
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        # A page that was open before this start goes on: its stream brings the new token, and this the new cookie.
        self._guard.set_cookie(stream)
        with self._courier.watching(place) as watch:
            await stream.prepare(request)
            await stream.write(b"retry: 1000\n\n")
            try:
                while not watch.closed:
                    await self._tell(stream, watch, place)
            except ConnectionError:
                log.debug("a page was left", extra={"action": "page_left"})
        return stream

    async def _tell(self, stream: web.StreamResponse, watch: Watch, place: Place) -> None:
        try:
            async with asyncio.timeout(HEARTBEAT):
                await watch.wait_for_news()
        except TimeoutError:
            await stream.write(b": still here\n\n")
            return
        thread, draft = watch.thread, watch.draft
        watch.thread = watch.draft = False
        if thread:
            await stream.write(_event("thread", await self._shows.thread(place)))
        elif draft:
            await stream.write(_event("draft", self._shows.draft(place)))
            await asyncio.sleep(PACE)

    def _place(self, request: web.Request) -> Place:
        return self._threads.place(request.match_info.get("channel"))


def _unreadable(status: int) -> web.Response:
    """The answer to what is no request that could be handled."""
    is_busy = status == serving.BUSY
    sentence = "Too much is being sent at a time; try again in a moment." if is_busy else "This is no request that can be read."
    return web.Response(text=sentence, status=status, headers={**HEADERS, "Cache-Control": "no-store"})


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    # What says nothing of it may be kept by a browser or a proxy (RFC 9111, section 4.2.2), a refusal among it.
    response.headers.setdefault("Cache-Control", "no-store")


def _event(name: str, html: str) -> bytes:
    """One server-sent event (WHATWG HTML, section "Server-sent events"); JSON keeps its data on one line."""
    return f"event: {name}\ndata: {json.dumps(html)}\n\n".encode()
