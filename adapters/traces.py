"""Sends each finished walk to a collector of OpenTelemetry, as a trace of its stations. It decides nothing and delays nobody.

The format is OTLP over HTTP in JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any

import aiohttp

from adapters.network.errors import NETWORK_ERRORS, NetworkTrouble, meaning
from bot.flow.walks import Walk
from bot.ports.clock import Clock

log = logging.getLogger(__name__)

ROUTE = "/v1/traces"
KEPT, AT_ONCE = 1000, 100
"""How many walks wait at most for a collector that is away (the oldest leave), and how many go in one request."""

PATIENCE, LAST_PATIENCE, REST = 10.0, 2.0, 30.0
"""Seconds that a request may take, and the last one at the end; seconds of rest after one that failed."""

OK_BELOW, PASSING = 300, frozenset({429, 502, 503, 504})
"""Statuses: which are good, and after which the format lets the same be sent again (OTLP/HTTP, "Failures")."""

INTERNAL, ERROR = 1, 2
"""SpanKind and Status.code of the format."""

FAILED = frozenset({"broken", "failed", "unfinished"})


class Traces:
    """Takes walks and sends them on to a collector at an address like `http://127.0.0.1:4318`. `start` it, and `close` it."""

    def __init__(self, address: str, clock: Clock) -> None:
        self._address, self._clock = address.rstrip("/") + ROUTE, clock
        self._waiting: deque[Sequence[dict[str, Any]]] = deque(maxlen=KEPT)
        self._bell = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self._is_away = False

    def note(self, walk: Walk) -> None:
        """A walk is over. Returns at once."""
        # What the clock that never jumps says, as a time of day.
        began = self._clock.now() - (self._clock.ticks() - walk.began)
        self._waiting.append(spans(walk, began, secrets.token_hex(16)))
        self._bell.set()

    def start(self) -> None:
        """Send what comes, from now on."""
        self._sending = asyncio.create_task(self._send_on(), name="traces")

    async def close(self) -> None:
        """Send what is left, if that goes quickly."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_PATIENCE):
                while self._waiting and await self._send(LAST_PATIENCE) and not self._is_away:
                    pass

    async def _send_on(self) -> None:
        while True:
            await self._bell.wait()
            self._bell.clear()
            while self._waiting:
                if not await self._send(PATIENCE):
                    await self._clock.sleep(REST)

    async def _send(self, patience: float) -> bool:
        """Send what waits, as much as goes at once. False where the collector may take it later; it waits on then."""
        some = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
        try:
            trouble = await self._trouble(document(span for each in some for span in each), patience)
        except asyncio.CancelledError:
            self._put_back(some)
            raise
        if trouble is not None and trouble.may_pass:
            self._put_back(some)
        if trouble is not None and not self._is_away:
            what = "wait" if trouble.may_pass else "are lost"
            log.warning("the traces cannot be sent, and %s: %s", what, trouble.reason, extra={"action": "keep_traces"})
        self._is_away = trouble is not None
        return trouble is None or not trouble.may_pass

    def _put_back(self, some: Sequence[Sequence[dict[str, Any]]]) -> None:
        room = KEPT - len(self._waiting)
        self._waiting.extendleft(reversed(some[-room:] if room else []))

    async def _trouble(self, body: dict[str, Any], patience: float) -> NetworkTrouble | None:
        """What was against it; None where it was taken."""
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=patience)) as http,
                http.post(self._address, json=body, allow_redirects=False) as answer,
            ):
                if answer.status < OK_BELOW:
                    return None
                return NetworkTrouble(f"it answers {answer.status}", answer.status in PASSING)
        except NETWORK_ERRORS as error:
            return meaning(error)


def document(told: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The body of a request."""
    resource = {"attributes": [_attribute("service.name", "understudy")]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "understudy"}, "spans": list(told)}]}]}


def spans(walk: Walk, began: float, trace: str) -> Sequence[dict[str, Any]]:
    """The walk, which began at a time in seconds since the epoch, and in it one span for each station: the way to it.

    `trace` is its name, 32 digits of base 16.
    """
    root = secrets.token_hex(8)
    reached = sorted((seconds, station.value) for station, seconds in walk.seconds.items())
    last = reached[-1][0] if reached else 0.0
    facts = {"platform": walk.place.platform, "session": walk.session, "turn": walk.turn, "outcome": walk.outcome, **walk.facts}
    whole = _span(trace, root, "walk", began, began + last) | {"attributes": [_attribute(*fact) for fact in facts.items()]}
    if not walk.outcome or walk.outcome in FAILED:
        whole["status"] = {"code": ERROR}
    ways = pairwise([(0.0, ""), *reached])
    return [
        whole,
        *(
            _span(trace, secrets.token_hex(8), name, began + start, began + end) | {"parentSpanId": root}
            for (start, _), (end, name) in ways
        ),
    ]


def _span(trace: str, span: str, name: str, start: float, end: float) -> dict[str, Any]:
    times = {"startTimeUnixNano": str(int(start * 1e9)), "endTimeUnixNano": str(int(end * 1e9))}
    return {"traceId": trace, "spanId": span, "name": name, "kind": INTERNAL, **times}


def _attribute(key: str, value: object) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"key": key, "value": {"boolValue": value}}
    if isinstance(value, int):
        return {"key": key, "value": {"intValue": str(value)}}
    return {"key": key, "value": {"stringValue": str(value)}}
