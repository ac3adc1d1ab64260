"""Who may see what only the operator may, and who may come in at all where the page can be reached from elsewhere.

It knows no story and no figure. On this machine the page is open, and the operator's side too unless there is a token; where
others can reach the page, nothing but a sign of life and the way in is open.
"""

import secrets
from dataclasses import dataclass, field

from aiohttp import web

from adapters.web.safety import NotAllowed, is_forwarded
from adapters.web.tries import Tries

BEARER = "bearer"


class NotLoggedIn(NotAllowed):
    """The token is wrong or missing."""

    def __init__(self) -> None:
        super().__init__(401, "This is for the operator: log in with the operator's token, or send it as a bearer token.")


@dataclass(slots=True)
class Access:
    """The operator's token (empty: none), and whether everybody who can reach the page is on this machine.

    A browser that has logged in shows `key` from then on, never the token. It is new with every start. Wrong tokens that come
    through a proxy are counted by themselves: whoever asks directly from its machine, as Prometheus does, is let in.
    """

    token: str = field(repr=False)
    is_local: bool
    key: str = field(default_factory=secrets.token_urlsafe, repr=False)
    direct: Tries = field(default_factory=Tries)
    forwarded: Tries = field(default_factory=Tries)

    def check_operator(self, request: web.Request, cookie: str) -> None:
        """Raises NotLoggedIn where this is not the operator, TooManyTries where no token is looked at.

        `cookie` is the name under which a browser keeps the key.
        """
        if (self.is_local and not self.token) or _same(request.cookies.get(cookie, ""), self.key):
            return
        kind, _, shown = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != BEARER or not self.opens(shown, request):
            raise NotLoggedIn

    def check_visitor(self, request: web.Request, cookie: str) -> None:
        """Raises NotLoggedIn where a stranger could be asking."""
        if not self.is_local:
            self.check_operator(request, cookie)

    def opens(self, token: str, request: web.Request) -> bool:
        """Whether what came with a request is the token; if not, that is noted. Raises TooManyTries."""
        tries = self.forwarded if is_forwarded(request) else self.direct
        tries.check(request.remote)
        is_it = self.knows(token.strip())
        if not is_it:
            tries.was_wrong(request.remote)
        return is_it

    def knows(self, token: str) -> bool:
        """Whether this is the token."""
        return bool(self.token) and _same(token, self.token)


def _same(given: str, known: str) -> bool:
    """Compared in a time that does not tell where they differ; what was sent may be anything."""
    return secrets.compare_digest(given.encode(errors="backslashreplace"), known.encode())
