"""Who may talk to the page: the Host it is asked under, where a form comes from, and what a browser may do with it.

It knows no story. The page is for one person; these checks keep other web pages, open in the same browser, from reading the
story or posting in that person's name. Where it can be reached from elsewhere, `access` asks for more.
"""

import secrets
from dataclasses import dataclass, field

from aiohttp import web

from adapters.network.hosts import bracketed, is_loopback

STANDARD_PORT = 80
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")

OF_PROXIES = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")
"""What proxies say of themselves and of whom they ask for (RFC 7239, section 4, and what was there before it)."""

THROUGH_PROXY = "This came through a proxy; for others than this machine, set [web] host and operator_token beside the proxy."

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Nothing goes to other sites. "no-referrer" would also blank the Origin of our own forms, which is checked below.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class NotAllowed(Exception):
    """A request that is not answered as asked: its HTTP status, and a sentence that says what to do."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


def is_forwarded(request: web.Request) -> bool:
    """Whether a proxy asks, by its own word; what it says of its visitor is not believed."""
    return any(name in request.headers for name in OF_PROXIES)


@dataclass(slots=True)
class Guard:
    """The checks of one running page. Its secrets are new with every start; its port is known once it is open."""

    host: str
    port: int
    cookie: str = field(default_factory=secrets.token_urlsafe)
    token: str = field(default_factory=secrets.token_urlsafe)

    @property
    def cookie_name(self) -> str:
        """Browsers share cookies between the ports of a host: the port in the name keeps two pages apart."""
        return f"understudy-{self.port}"

    @property
    def address(self) -> str:
        """Where a browser finds the page."""
        return f"http://{bracketed(self.host)}:{self.port}/"

    def check_host(self, request: web.Request) -> None:
        """Refuse other names: a foreign name that resolves to this machine would make its page ours (DNS rebinding).

        A proxy that asks under a name of this machine would open the stories to whoever reaches the proxy.
        """
        # Reached from elsewhere, it has names that it cannot know; what is read there takes a cookie that is bound to its name.
        if not self.is_local:
            return
        if request.headers.get("Host", "").lower() not in self._hosts():
            raise NotAllowed(421, f"This page answers at {self.address} only; open it there.")
        if is_forwarded(request):
            raise NotAllowed(421, THROUGH_PROXY)

    def check_form(self, request: web.Request, token: str) -> None:
        """Refuse a form that was not sent from this very page."""
        origin = request.headers.get("Origin")
        foreign = origin is not None and not self._is_own(origin.lower(), request)
        if foreign or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise NotAllowed(403, "This was sent from another site and was not accepted; use the page itself.")
        known = secrets.compare_digest(_bytes(request.cookies.get(self.cookie_name, "")), _bytes(self.cookie))
        if not known or not secrets.compare_digest(_bytes(token), _bytes(self.token)):
            raise NotAllowed(403, "This page was opened before Understudy was started anew; please send it once more.")

    def set_cookie(self, response: web.StreamResponse) -> None:
        """Give the browser what `check_form` wants to see again."""
        response.set_cookie(self.cookie_name, self.cookie, httponly=True, samesite="Strict", path="/")

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the page."""
        return is_loopback(self.host)

    def _is_own(self, origin: str, request: web.Request) -> bool:
        if self.is_local:
            return origin in {f"http://{host}" for host in self._hosts()}
        # Compared as it stands: an Origin is a scheme and a host, and what is none need not be one that can be read.
        return origin.partition("://")[2] == request.headers.get("Host", "").lower() != ""

    def _hosts(self) -> frozenset[str]:
        names = {name.lower() for name in (*LOOPBACK_NAMES, bracketed(self.host))}
        # Browsers leave the standard port out.
        bare = names if self.port == STANDARD_PORT else set()
        return frozenset(f"{name}:{self.port}" for name in names) | bare


def _bytes(text: str) -> bytes:
    """What a browser sent, whatever it is, as something that can be compared."""
    return text.encode(errors="backslashreplace")
