"""What can go wrong between a client and its homeserver, and on which requests. Pure; it knows no network."""

import json
import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any

HTML = b"<html><body><h1>Bad Gateway</h1></body></html>"
ABOUT = "{}"
_CLIENT = re.compile(r"^/_matrix/client/(v\d+|r0)(?=/)")
_TRANSACTION = re.compile(r"^(.*/(?:send|redact|sendToDevice)/[^/]+)/[^/]+$")
_STORED = re.compile(r"^(.*/media/.*(?:download|thumbnail))/.*$")


def template(path: str) -> str:
    """A path below the client API with `{}` for each id: the same for all rooms, users and transactions."""
    path = _CLIENT.sub("", path)
    path = "/".join(ABOUT if part[:1] in tuple("!$@#") else part for part in path.split("/"))
    path = _TRANSACTION.sub(rf"\1/{ABOUT}", path)
    return _STORED.sub(rf"\1/{ABOUT}", path)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in the place of the homeserver's, which never hears of the request."""

    status: int
    body: bytes = HTML
    content_type: str = "text/html"
    headers: tuple[tuple[str, str], ...] = ()


class Cut(StrEnum):
    """The connection ends: before the homeserver hears of it, after it took effect, or in the middle of its answer."""

    BEFORE = "cut before"
    AFTER = "cut after"
    MIDWAY = "cut midway"


@dataclass(frozen=True, slots=True)
class Hold:
    """The request waits here until it is released."""


@dataclass(frozen=True, slots=True)
class Slow:
    """The request waits here for so many seconds."""

    seconds: float


Fault = Answer | Cut | Hold | Slow


def refusal(status: int, code: str, said: str, **more: Any) -> Answer:
    """An answer as Matrix refuses."""
    headers: tuple[tuple[str, str], ...] = ()
    if status == HTTPStatus.TOO_MANY_REQUESTS and "retry_after_ms" in more:
        headers = (("Retry-After", str(math.ceil(more["retry_after_ms"] / 1000))),)
    return Answer(status, json.dumps({"errcode": code, "error": said} | more).encode(), "application/json", headers)


def too_many(retry_after_ms: int) -> Answer:
    """The answer to somebody who sends too much."""
    return refusal(429, "M_LIMIT_EXCEEDED", "Too Many Requests", retry_after_ms=retry_after_ms)


UNKNOWN_TOKEN = refusal(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.", soft_logout=False)


@dataclass(slots=True)
class Rule:
    """A fault for requests whose `METHOD template` has `about` in it: the next `times`, or all until it is ended."""

    about: str
    fault: Fault
    times: int | None = None
    hits: int = 0

    def applies(self, line: str) -> bool:
        return self.about in line and (self.times is None or self.hits < self.times)

    def end(self) -> None:
        """Let everything pass from now on."""
        self.times = self.hits


@dataclass(slots=True)
class Storm:
    """Faults by chance, the same for the same seed and the same requests."""

    seed: int
    chance: float
    about: Sequence[str]
    faults: Sequence[Fault]
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 it decides what breaks, and has to be repeatable

    def strike(self, line: str) -> Fault | None:
        """The fault of a request, or None."""
        if not any(about in line for about in self.about) or self._chance.random() >= self.chance:
            return None
        return self._chance.choice(self.faults)
