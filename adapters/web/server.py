"""The page's HTTP side: reading the thread, the stream of its changes, and the forms. It decides nothing about stories.

Rule 1: every answer carries the security headers, and every mistake is one sentence on a page, never a traceback.
Rule 2: a form is answered once its event is stored; what comes of it reaches the page by the stream of changes.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web
from markupsafe import Markup

from adapters.web import forms
from adapters.web.courier import Watch, WebCourier
from adapters.web.markdown import plain
from adapters.web.pages import Told, draft_html, face, print_page, view
from adapters.web.safety import HEADERS, Guard, NotAllowed, is_loopback
from bot.errors import ConfigMistakes, Refused, StoreUnavailable
from bot.flow.receive import Receiver
from bot.ids import AuthorId, Place
from bot.ports.store import Store
from bot.posts import Inbound, InboundPost

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

STREAMS = 16
"""How many pages may follow the story at a time."""

HEARTBEAT = 15.0
"""Seconds between signs of life on a silent stream; a page that is gone is noticed then."""

PACE = 0.05
"""Seconds between two states of a draft: faster than the eye, slower than a fast model."""

GRACE = 0.7
"""Seconds a form without script waits for its outcome, so that the page that follows shows it."""

SHUTDOWN = 2.0
"""Seconds that requests in progress get when the page closes."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WebServer:
    """One place's story as a page. `player` is who posts there; `notice` is a line that the page shows above the story."""

    def __init__(  # noqa: PLR0913  all that a page is about
        self,
        courier: WebCourier,
        store: Store,
        receiver: Receiver,
        *,
        place: Place,
        player: AuthorId,
        player_name: str,
        host: str = "127.0.0.1",
        port: int = 0,
        notice: str = "",
    ) -> None:
        self._courier = courier
        self._store = store
        self._receiver = receiver
        self._place = place
        self._player = player
        self._player_name = player_name
        self._guard = Guard(host, port)
        self._notice = notice
        self._files = {path.name: path.read_bytes() for path in STATIC.iterdir() if path.suffix in TYPES}
        self._followers: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Open the page; returns its address. Raises ConfigMistakes when the address cannot be used."""
        host, port = self._guard.host, self._guard.port
        if not is_loopback(host):
            raise ConfigMistakes([f"The page has no login, so it opens on this machine only: not at {host}, but at 127.0.0.1."])
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=SHUTDOWN)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self.close()
            reason = f"The page cannot be opened at {host}, port {port} ({error.strerror or error})"
            choices = "choose another port: --port 8001, PORT=8001 for make, or port under [web]."
            raise ConfigMistakes([f"{reason}; {choices}"]) from error
        self._guard = Guard(host, self._runner.addresses[0][1])
        return self._guard.address

    async def close(self) -> None:
        """Close the page; its streams end at once."""
        self._courier.close()
        for follower in self._followers:
            follower.cancel()
        await asyncio.gather(*self._followers, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=forms.BODY_LIMIT, middlewares=[self._answer])
        app.on_response_prepare.append(_add_headers)
        app.add_routes(
            [
                web.get("/", self._show),
                web.get("/events", self._follow, allow_head=False),
                web.get("/static/{name}", self._file),
                web.post("/post", self._post),
                web.post("/act", self._act),
                web.post("/stop", self._stop),
            ]
        )
        return app

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let only our own host in, and turn whatever goes wrong into one sentence."""
        try:
            self._guard.check_host(request)
            return await handler(request)
        except NotAllowed as refusal:
            return self._trouble(request, refusal.status, refusal.sentence)
        except web.HTTPException as error:
            return self._trouble(request, error.status, f"There is nothing here ({error.reason}).")
        except StoreUnavailable as error:
            log.warning("the page could not reach the store", exc_info=error, extra={"action": "page_trouble"})
            return self._trouble(request, 503, str(error))
        except ConnectionError:
            log.debug("a browser left in the middle of what it sent", extra={"action": "page_left"})
            return self._trouble(request, 400, "The form broke off; send it again.")
        except Exception:
            log.exception("the page failed", extra={"action": "page_trouble", "path": request.path})
            return self._trouble(request, 500, "Something went wrong inside; the operator's log says what.")

    async def _show(self, request: web.Request) -> web.Response:
        before = request.query.get("before")
        if before is not None and not (before.isascii() and before.isdigit() and len(before) < 10):  # noqa: PLR2004  no story is so long
            raise NotAllowed(404, "There is no such part of the story.")
        return await self._page(before=int(before) if before else None)

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self._files:
            raise NotAllowed(404, "There is no such file.")
        kind = TYPES[Path(name).suffix]
        return web.Response(body=self._files[name], content_type=kind, charset="utf-8", headers={"Cache-Control": "no-cache"})

    async def _follow(self, request: web.Request) -> web.StreamResponse:
        """The stream of changes: whole threads and drafts, the newest state only, until the page is left or closed."""
        if self._courier.watchers(self._place) >= STREAMS:
            raise NotAllowed(503, "Too many pages of this story are open; close some and reload this one.")
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        # A page that was open before this start goes on: its stream brings the new token, and this the new cookie.
        self._guard.set_cookie(stream)
        with self._courier.watching(self._place) as watch:
            await stream.prepare(request)
            await stream.write(b"retry: 1000\n\n")
            try:
                while not watch.closed:
                    await self._tell(stream, watch)
            except ConnectionError:
                log.debug("a page was left", extra={"action": "page_left"})
        return stream

    async def _tell(self, stream: web.StreamResponse, watch: Watch) -> None:
        try:
            async with asyncio.timeout(HEARTBEAT):
                await watch.wait_for_news()
        except TimeoutError:
            await stream.write(b": still here\n\n")
            return
        thread, draft = watch.thread, watch.draft
        watch.thread = watch.draft = False
        if thread:
            await stream.write(_event("thread", await self._thread_or_trouble()))
        elif draft:
            await stream.write(_event("draft", draft_html(self._courier.draft(self._place))))
            await asyncio.sleep(PACE)

    async def _thread_or_trouble(self) -> str:
        try:
            return print_page("thread.html", **await self._facts(before=None, nonce=""))
        except StoreUnavailable as error:
            return print_page("silence.html", sentence=str(error))

    async def _post(self, request: web.Request) -> web.StreamResponse:
        sent = await forms.read(request)
        try:
            self._guard.check_form(request, sent.token)
            await self._receive(sent.post(self._place, self._player, self._player_name))
        except (NotAllowed, Refused, StoreUnavailable) as error:
            return await self._keep_typed(request, error, sent.text)
        return await self._done(request, "/#status")

    async def _act(self, request: web.Request) -> web.StreamResponse:
        sent = await forms.read(request)
        try:
            self._guard.check_form(request, sent.token)
            await self._receive(sent.command(self._place, self._player))
        except (NotAllowed, Refused, StoreUnavailable) as error:
            return self._trouble(request, _status(error), str(error), sent.text)
        return await self._done(request, f"/#turn-{sent.turn}" if sent.turn else "/#status")

    async def _stop(self, request: web.Request) -> web.StreamResponse:
        sent = await forms.read(request)
        self._guard.check_form(request, sent.token)
        self._receiver.stop(self._place)
        return await self._done(request, "/#status")

    async def _receive(self, event: Inbound) -> None:
        await self._receiver.receive(event)
        self._courier.changed(self._place)
        follower = asyncio.create_task(self._show_outcome())
        self._followers.add(follower)
        follower.add_done_callback(self._followers.discard)

    async def _show_outcome(self) -> None:
        """Some acts change the story without a post of ours: once all is done, the pages are told in any case."""
        await self._receiver.settled(self._place)
        self._courier.changed(self._place)

    async def _done(self, request: web.Request, where: str) -> web.Response:
        if _wants_json(request):
            return web.json_response({})
        try:
            async with asyncio.timeout(GRACE):
                await self._receiver.settled(self._place)
        except TimeoutError:
            log.debug("a reply is being written", extra={"action": "page_ahead"})
        return web.Response(status=303, headers={"Location": where})

    async def _keep_typed(self, request: web.Request, error: Exception, typed: str) -> web.Response:
        """Say what was wrong beside the reply box, with the text still in it."""
        if _wants_json(request) or isinstance(error, StoreUnavailable):
            return self._trouble(request, _status(error), str(error), typed)
        return await self._page(trouble=str(error), typed=typed, status=_status(error))

    async def _page(self, *, before: int | None = None, trouble: str = "", typed: str = "", status: int = 200) -> web.Response:
        facts = await self._facts(before=before, nonce=secrets.token_urlsafe(12))
        text = print_page(
            "page.html",
            **facts,
            notice=self._notice,
            player=face(self._player_name),
            trouble=trouble,
            typed=typed,
        )
        response = web.Response(text=text, content_type="text/html", status=status, headers={"Cache-Control": "no-store"})
        self._guard.set_cookie(response)
        return response

    async def _facts(self, *, before: int | None, nonce: str) -> dict[str, object]:
        """What the thread's template names: the story as it is now."""
        session = await self._store.session_at(self._place)
        page = await self._store.page(self._place, before=before)
        waiting = [each for each in await self._store.waiting() if isinstance(each, InboundPost) and each.place == self._place]
        draft = self._courier.draft(self._place)
        told = session and Told(session, page, self._courier.recent(self._place), waiting, draft, before is None)
        return {
            "scene": (plain(session.character.name), plain(session.scenario)) if session else None,
            "view": view(told) if told else None,
            "token": self._guard.token,
            "hidden": self._hidden(nonce),
        }

    def _hidden(self, nonce: str) -> Markup:
        field = Markup('<input type="hidden" name="{}" value="{}" autocomplete="off">')
        return field.format("token", self._guard.token) + field.format("nonce", nonce)

    def _trouble(self, request: web.Request, status: int, sentence: str, typed: str = "") -> web.Response:
        if _wants_json(request):
            return web.json_response({"error": sentence}, status=status)
        text = print_page("trouble.html", sentence=sentence, typed=typed)
        return web.Response(text=text, content_type="text/html", status=status, headers={"Cache-Control": "no-store"})


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


def _status(error: Exception) -> int:
    if isinstance(error, NotAllowed):
        return error.status
    return 503 if isinstance(error, StoreUnavailable) else 422


def _wants_json(request: web.Request) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def _event(name: str, html: str) -> bytes:
    """One server-sent event (WHATWG HTML, section "Server-sent events"); JSON keeps its data on one line."""
    return f"event: {name}\ndata: {json.dumps(html)}\n\n".encode()
