"""Requests to a homeserver apart from the library: JSON out, JSON in, and what went wrong as one sentence. It decides nothing.

Rule 1: secrets travel over TLS, or stay on this machine. Rule 2: they stand in no sentence.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import aiohttp

from adapters.matrix.keeping import is_safe
from adapters.network.errors import NETWORK_ERRORS, meaning
from bot.errors import Refused

CLIENT = "/_matrix/client/v3"
SECONDS = 30.0
LONGEST = 64 * 1024 * 1024
"""Bytes of an answer: the state of a thousand rooms has a third of it."""

PIECE = 64 * 1024

LONGEST_SHOWN = 200

UNKNOWN_TOKEN, DEACTIVATED = "M_UNKNOWN_TOKEN", "M_USER_DEACTIVATED"
LOST = frozenset({UNKNOWN_TOKEN, "M_MISSING_TOKEN", DEACTIVATED})

Content = dict[str, Any]


class NoAnswer(Refused):
    """The homeserver could not be asked. `may_pass`: the same may work later; `seconds`, when it says after how many."""

    def __init__(self, sentence: str, *, may_pass: bool, seconds: float = 0.0) -> None:
        super().__init__(sentence)
        self.may_pass = may_pass
        self.seconds = seconds


class Denied(Refused):
    """The homeserver said no: with an HTTP status, Matrix's code for it, and all that it answered."""

    def __init__(self, status: int, content: Content) -> None:
        code, said = content.get("errcode"), content.get("error")
        self.status, self.content = status, content
        self.code = shown(code) if isinstance(code, str) else ""
        words = f"{shown(said) if isinstance(said, str) and said else 'it gives no reason'} ({self.code or status})"
        super().__init__(f"The homeserver refuses: {words}.")

    @property
    def is_lost_login(self) -> bool:
        """Whether it does not know the token any more, or not the account."""
        return self.code in LOST


class Homeserver:
    """A homeserver at an address, as a device of somebody or as nobody. Use it as `async with`."""

    def __init__(self, address: str, token: str = "", proxy: str = "") -> None:
        self.address = address.rstrip("/")
        self._token, self._proxy = token, proxy
        self._session: aiohttp.ClientSession | None = None

    def with_token(self, token: str) -> "Homeserver":
        """The same one, as another device; to be opened of its own."""
        return Homeserver(self.address, token, self._proxy)

    async def __aenter__(self) -> Self:
        if not is_safe(self.address):
            sentence = f"{shown(self.address)} is no address to send a password to; it has to begin with https://"
            raise Refused(f"{sentence} (http:// is only for servers on this machine).")
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Content:
        """Ask for a path below the client API, or for one from the root. Raises NoAnswer, Denied."""
        if self._session is None:
            raise RuntimeError("not opened")
        address = self.address + (path if path.startswith("/_") else CLIENT + path)
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            async with self._session.request(
                method, address, json=body, headers=headers, proxy=self._proxy or None, allow_redirects=False
            ) as answer:
                return judged(self.address, answer.status, await whole(answer))
        except NETWORK_ERRORS as error:
            raise self.unreached(error) from None

    def unreached(self, error: BaseException) -> NoAnswer:
        """What it means that a request broke."""
        trouble = meaning(error)
        return NoAnswer(f"The homeserver {self.address} cannot be asked: {trouble.reason}.", may_pass=trouble.may_pass)


def judged(address: str, status: int, raw: bytes) -> Content:
    """The content of an answer. Raises NoAnswer, Denied."""
    content = read_content(raw)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        seconds = _seconds(content or {})
        raise NoAnswer(f"The homeserver {address} asks to wait {seconds:.0f} seconds.", may_pass=True, seconds=seconds)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise NoAnswer(f"The homeserver {address} does not work now (it answers {status}).", may_pass=True)
    if content is None:
        raise NoAnswer(f"At {address} there is no Matrix homeserver (it answers {status}, and no JSON).", may_pass=False)
    if status != HTTPStatus.OK:
        raise Denied(status, content)
    return content


async def whole(answer: aiohttp.ClientResponse) -> bytes:
    """The bytes of an answer, and of one without end only the beginning."""
    raw = bytearray()
    async for piece in answer.content.iter_chunked(PIECE):
        raw += piece
        if len(raw) > LONGEST:
            break
    return bytes(raw)


def part(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")


def shown(text: str) -> str:
    """What a server or somebody wrote, as it may stand in a sentence on a terminal."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in text)
    return plain if len(plain) <= LONGEST_SHOWN else f"{plain[:LONGEST_SHOWN]}…"


def read_content(raw: bytes) -> Content | None:
    """A JSON object; None where there is none."""
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _seconds(content: Content) -> float:
    wait = content.get("retry_after_ms")
    return wait / 1000 if isinstance(wait, int) and 0 < wait < 10**9 else 5.0
