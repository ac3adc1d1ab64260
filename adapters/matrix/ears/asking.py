"""Asks the homeserver for one thing and reads its answer, bounded in time and size. It knows no meaning of either.

The library's own requests trust the answer: what is not shaped as it expects ends in the middle of it.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote, urlencode

import aiohttp
from nio import AsyncClient

from adapters.network.errors import NETWORK_ERRORS, meaning

PATIENCE = 60.0
"""Seconds that one request may take."""

LARGEST = 256 * 1024 * 1024
"""Bytes of one answer: the whole state of a thousand rooms has a tenth of it."""

PIECE = 64 * 1024
LONGEST_WAIT = 900.0
"""Seconds to wait at most because the homeserver asked for it."""

DEEPEST = 64
"""Objects and lists in each other that are read where there are so many that they cannot all be."""

TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]')
"""Texts, and what opens and closes objects and lists."""

CODE = re.compile(r"[A-Z0-9_.]{1,64}")

LOST = frozenset({"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED"})
"""Codes with which a homeserver says that the login is none any more."""

PASSING = frozenset({408, 429})
"""Statuses below 500 under which the same request may do later."""


class Unanswered(Exception):
    """The homeserver did not do what it was asked. The text says why, as the end of a sentence.

    `status` is 0 where no answer came, `code` is Matrix's own, `seconds` is how long it asked to wait.
    """

    def __init__(self, reason: str, *, status: int = 0, code: str = "", seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.status, self.code, self.seconds = status, code, seconds

    @property
    def is_lost_login(self) -> bool:
        """Whether it knows the access token no more."""
        return self.code in LOST

    @property
    def may_pass(self) -> bool:
        """Whether the same request may do later."""
        is_refusal = 400 <= self.status < 500 and self.status not in PASSING  # noqa: PLR2004  that is what they mean
        return not is_refusal or self.is_lost_login


def part(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")


async def asked(  # noqa: PLR0913, PLR0917  a request has these parts
    client: AsyncClient,
    method: str,
    path: str,
    query: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
    patience: float = PATIENCE,
) -> Mapping[str, Any]:
    """What the homeserver answers to a request for a path below `/_matrix/client`. Raises Unanswered."""
    address = f"/_matrix/client{path}" + (f"?{urlencode(query)}" if query else "")
    headers = {"Authorization": f"Bearer {client.access_token}", "Content-Type": "application/json"}
    try:
        async with asyncio.timeout(patience):
            data = None if body is None else json.dumps(body)
            answer = await client.send(method, address, data, headers, timeout=patience)
            try:
                raw = await _all_of(answer)
            finally:
                answer.release()
    except NETWORK_ERRORS as error:
        raise Unanswered(meaning(error).reason) from None
    except (ValueError, RuntimeError):
        # What the HTTP client says of a redirection that leads nowhere, and once it was closed.
        raise Unanswered("the request could not be made") from None
    return _read(answer, raw)


async def _all_of(answer: aiohttp.ClientResponse) -> bytes:
    read = bytearray()
    async for piece in answer.content.iter_chunked(PIECE):
        read += piece
        if len(read) > LARGEST:
            raise Unanswered("its answer has no end")
    return bytes(read)


def parsed(raw: bytes) -> object:
    """JSON as values; None for what is none. What lies deeper than Python can read is left out: anybody can send such."""
    try:
        return cast("object", json.loads(raw))
    except RecursionError:
        return parsed(_pruned(raw))
    except ValueError:
        return None


def _pruned(raw: bytes) -> bytes:
    """JSON with `null` in place of what lies deeper than 64 objects and lists."""
    kept, depth, end = [], 0, 0
    for token in TOKENS.finditer(raw):
        if token[0] in {b"[", b"{"}:
            depth += 1
            if depth == DEEPEST + 1:
                kept.append(raw[end : token.start()])
        elif token[0] in {b"]", b"}"}:
            depth -= 1
            if depth == DEEPEST:
                kept.append(b"null")
                end = token.end()
    return b"".join((*kept, raw[end:]))


def _read(answer: aiohttp.ClientResponse, raw: bytes) -> Mapping[str, Any]:
    said = parsed(raw)
    told: Mapping[str, Any] = said if isinstance(said, dict) else {}
    if answer.status != 200:  # noqa: PLR2004  the only one that Matrix succeeds with
        raise _refusal(answer, told)
    if not isinstance(said, dict):
        raise Unanswered("its answer is none of Matrix", status=answer.status)
    return said


def _refusal(answer: aiohttp.ClientResponse, told: Mapping[str, Any]) -> Unanswered:
    code = told.get("errcode")
    known = code if isinstance(code, str) and CODE.fullmatch(code) else ""
    named = f" ({known})" if known else ""
    return Unanswered(
        f"it answered {answer.status}{named}",
        status=answer.status,
        code=known,
        seconds=_wait(told.get("retry_after_ms"), answer.headers.get("Retry-After", "")),
    )


def _wait(milliseconds: object, header: str) -> float:
    if isinstance(milliseconds, int | float) and 0 < milliseconds < float("inf"):
        return min(milliseconds / 1000, LONGEST_WAIT)
    return min(float(header), LONGEST_WAIT) if header.isdecimal() and len(header) < 9 else 0.0  # noqa: PLR2004  digits
