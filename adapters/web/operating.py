"""The operator's side of the page: figures for Prometheus, a sign of life, the bot at a glance. It shows no story's words."""

from aiohttp import web

from adapters.metrics import CONTENT_TYPE, Instruments
from adapters.web import answers, forms
from adapters.web.access import Access, NotLoggedIn
from adapters.web.glance import glance
from adapters.web.pages import print_page
from adapters.web.safety import Guard, NotAllowed
from adapters.web.tries import TooManyTries

METRICS, HEALTH, PAGE, LOGIN = "/metrics", "/healthz", "/operator", "/operator/login"

OPEN = frozenset({HEALTH, LOGIN, "/static/{name}"})
"""The addresses, as they are routed, that need no token wherever the page is."""

REFRESH = 10
"""Seconds after which the page loads itself anew."""


class Operates:
    """Serves the operator."""

    def __init__(self, guard: Guard, access: Access, instruments: Instruments) -> None:
        self._guard, self._access, self._instruments = guard, access, instruments

    def routes(self) -> list[web.RouteDef]:
        """The operator's addresses."""
        return [
            web.get(METRICS, self._metrics),
            web.get(HEALTH, self._health),
            web.get(PAGE, self._show),
            web.get(LOGIN, self._ask),
            web.post(LOGIN, self._log_in),
        ]

    @property
    def cookie(self) -> str:
        """The name under which a browser keeps that it has logged in."""
        return f"{self._guard.cookie_name}-operator"

    def admit(self, request: web.Request) -> None:
        """Let nobody in from elsewhere who has not logged in. Raises NotLoggedIn."""
        resource = request.match_info.route.resource
        if resource is None or resource.canonical not in OPEN:
            self._access.check_visitor(request, self.cookie)

    def refuse(self, request: web.Request, refusal: NotAllowed) -> web.Response:
        """Say what is not answered as asked; where the operator's token lacks, a browser is asked for it."""
        if not isinstance(refusal, NotLoggedIn):
            response = answers.trouble(request, refusal.status, refusal.sentence)
            if isinstance(refusal, TooManyTries):
                response.headers["Retry-After"] = str(refusal.seconds)
            return response
        if request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("Accept", ""):
            response = self._login_page()
        else:
            response = answers.trouble(request, refusal.status, refusal.sentence)
        return _challenging(response)

    def _login_page(self, sentence: str = "", status: int = 401) -> web.Response:
        return answers.html(
            self._guard, print_page("login.html", sentence=sentence, token=self._guard.token, action=LOGIN), status
        )

    async def _metrics(self, request: web.Request) -> web.Response:
        self._access.check_operator(request, self.cookie)
        return web.Response(
            body=await self._instruments.page(), headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
        )

    async def _health(self, request: web.Request) -> web.Response:  # noqa: ARG002  it is the same for all requests
        """Whoever answers is alive: a part that is away is to be waited for, and no reason to be started anew."""
        parts = {name: "up" if is_up else "down" for name, is_up in (await self._instruments.parts()).items()}
        return web.json_response({"status": "alive", "parts": parts}, headers={"Cache-Control": "no-store"})

    async def _show(self, request: web.Request) -> web.Response:
        self._access.check_operator(request, self.cookie)
        refresh = 0 if "still" in request.query else REFRESH
        seen = glance(await self._instruments.look())
        return answers.html(
            self._guard, print_page("operator.html", seen=seen, refresh=refresh, still=f"{PAGE}?still", page=PAGE)
        )

    async def _ask(self, request: web.Request) -> web.Response:  # noqa: ARG002  the page is the same for all requests
        return self._login_page(status=200)

    async def _log_in(self, request: web.Request) -> web.Response:
        sent = await forms.read(request, forms.LOGIN_LIMIT)
        self._guard.check_form(request, sent.token)
        if not self._access.opens(sent.text, request):
            return _challenging(self._login_page("That is not the operator's token."))
        # Always the same way on: an address that came with the form could lead anywhere.
        response = web.Response(status=303, headers={"Location": PAGE, "Cache-Control": "no-store"})
        # Behind a proxy that speaks HTTPS, the browser says so of itself.
        is_secure = request.headers.get("Origin", "").lower().startswith("https:")
        response.set_cookie(self.cookie, self._access.key, httponly=True, samesite="Strict", secure=is_secure, path="/")
        return response


def _challenging(response: web.Response) -> web.Response:
    """A 401 says how to do better (RFC 9110, section 11.6.1)."""
    response.headers["WWW-Authenticate"] = 'Bearer realm="Understudy"'
    return response
