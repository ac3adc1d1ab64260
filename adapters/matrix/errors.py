"""What a homeserver's refusals and broken connections mean to the bot: one table. It sends nothing and knows no room.

The traps avoided: nio returns refusals instead of raising them. And what bears no code of Matrix's own does not come from a
homeserver but from something before it, which says nothing about the post.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
from nio import ErrorResponse

from adapters.network.errors import NETWORK_ERRORS, was_reached
from bot.errors import CourierError, OutcomeUnknown, PostRefused, TryLater

PATIENCE = 60.0
"""Seconds that one call may take, its answer included."""

REST = 60.0
"""Seconds to leave the homeserver alone whose token is refused, or where something before it says no."""

SOON = 5.0
"""Seconds after which a call is worth repeating that was not taken, where nobody says more."""

LONGEST_REST = 3600.0
LONGEST_SAID = 200
CODE = re.compile(r"[!-~]{1,100}")
"""What a code can look like: it stands in lines and labels, whoever sent it."""

LIMITED = "M_LIMIT_EXCEEDED"
FORBIDDEN = "M_FORBIDDEN"
NOT_FOUND = "M_NOT_FOUND"
TOO_LARGE = "M_TOO_LARGE"
ALREADY_REACTED = "M_DUPLICATE_ANNOTATION"

_NOT_NOW = frozenset({"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED", "M_USER_LOCKED", "M_RESOURCE_LIMIT_EXCEEDED"})
"""What is between the operator and the homeserver; no post is to blame."""

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What is being tried, for the sentence about its failing: `act` ends "I cannot ... here".

    `changes` says that it may have taken effect where the answer is lost.
    """

    act: str
    changes: bool = True


class Declined(Exception):
    """An answer that is no yes: its HTTP status, Matrix's own code (empty where no homeserver spoke), its words.

    `wait` is for how many seconds it asks, None where it asks for nothing.
    """

    def __init__(self, status: int, code: str, said: str, wait: float | None = None) -> None:
        super().__init__(f"{status} {code} {said}")
        self.status = status
        self.code = code
        self.said = said
        self.wait = wait


@asynccontextmanager
async def translated(attempt: Attempt) -> AsyncIterator[None]:
    """Runs a call within the patience. Whatever it fails with is a CourierError from here on, with its cause."""
    try:
        async with asyncio.timeout(PATIENCE):
            yield
    except (Declined, *NETWORK_ERRORS) as error:
        raise meaning(error, attempt) from error
    except RuntimeError as error:
        # The HTTP client's way to say that the connection was closed under the call. Any other is a defect.
        if str(error) != "Session is closed":
            raise
        raise TryLater(SOON) from error


def meaning(error: BaseException, attempt: Attempt) -> CourierError:
    """What a refusal or a failure of the HTTP client means to the bot."""
    match error:
        case Declined():
            return _of_answer(error, attempt)
        case aiohttp.ClientError() | OSError() if not was_reached(error):
            return TryLater(SOON)
        case _:
            return _lost(attempt)


def accepted(answer: object, wanted: type[Kind], attempt: Attempt) -> Kind:
    """An answer of nio's, if it is the one that was wanted. Raises the errors of a courier."""
    if isinstance(answer, wanted):
        return answer
    error = declined_by(answer)
    raise meaning(error, attempt) from error


def declined_by(answer: object) -> Declined:
    """A refusal that nio returned."""
    response = getattr(answer, "transport_response", None)
    headers: Mapping[str, str] = getattr(response, "headers", {})
    status = getattr(response, "status", 0)
    if not isinstance(answer, ErrorResponse):
        return Declined(status, "", "an answer of another kind")
    content = {"errcode": answer.status_code, "error": answer.message, "retry_after_ms": answer.retry_after_ms}
    return read_refusal(status, content, headers)


def read_refusal(status: int, content: object, headers: Mapping[str, str]) -> Declined:
    """A refusal as it came: what is misshapen in it counts as not there."""
    said: Mapping[str, Any] = content if isinstance(content, Mapping) else {}
    code, words = said.get("errcode"), said.get("error")
    return Declined(
        status,
        code if isinstance(code, str) and CODE.fullmatch(code) else "",
        words[:LONGEST_SAID] if isinstance(words, str) else "",
        _asked(said.get("retry_after_ms"), headers.get("Retry-After", "")),
    )


def was_limited(error: CourierError) -> bool:
    """Whether the homeserver, or something before it, said that too much was sent."""
    cause = error.__cause__
    return isinstance(cause, Declined) and _is_limit(cause)


def code_of(error: BaseException | None) -> str:
    """Matrix's own code of the refusal behind an error; empty where there is none."""
    cause = error.__cause__ if isinstance(error, CourierError) else error
    return cause.code if isinstance(cause, Declined) else ""


def said_by(error: BaseException | None) -> str:
    """The homeserver's own words behind an error."""
    cause = error.__cause__ if isinstance(error, CourierError) else error
    return cause.said if isinstance(cause, Declined) else ""


def _of_answer(error: Declined, attempt: Attempt) -> CourierError:
    if _is_limit(error):
        return TryLater(SOON if error.wait is None else error.wait)
    if error.code in _NOT_NOW:
        return TryLater(REST)
    if error.status >= 500 or 0 < error.status < 400:  # noqa: PLR2004  trouble of its own, or a yes that cannot be read
        return _lost(attempt)
    if error.status == 413 or error.code == TOO_LARGE:  # noqa: PLR2004  also what a proxy says of a file
        return PostRefused(f"I cannot {attempt.act} here: it is larger than the homeserver takes.")
    if not error.code:
        return TryLater(REST if error.wait is None else error.wait)
    return PostRefused(f"I cannot {attempt.act} here: the homeserver says {error.said!r} ({error.code}).")


def _is_limit(error: Declined) -> bool:
    return error.status == 429 or error.code == LIMITED  # noqa: PLR2004  too many requests


def _lost(attempt: Attempt) -> CourierError:
    if attempt.changes:
        return OutcomeUnknown(f"The homeserver did not answer whether it let me {attempt.act}.")
    return TryLater(SOON)


def _asked(milliseconds: object, header: str) -> float | None:
    """Seconds to wait: what the answer's body says, else what its header says."""
    if isinstance(milliseconds, int) and not isinstance(milliseconds, bool) and milliseconds >= 0:
        return min(milliseconds / 1000, LONGEST_REST)
    return min(float(header), LONGEST_REST) if header.strip().isdecimal() else None
