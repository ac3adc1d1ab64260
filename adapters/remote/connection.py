"""HTTP to one engine's address: asking, trying again, and no longer asking when nothing answers. It knows no prompts.

Rule: what leaves here is an EngineError, a Passing or a Changed; never an error of the HTTP client.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import TypeVar
from urllib.parse import urlsplit

import aiohttp

from adapters.network.circuit import Circuit, CircuitRules
from adapters.network.errors import NETWORK_ERRORS, meaning, was_reached
from adapters.network.retry import Backoff
from adapters.remote.leash import Leash
from adapters.remote.parsing import Changed, EngineAway, Passing, error_of
from adapters.remote.wire import bare_tag
from bot.errors import ConfigMistakes, EngineBusy, EngineUnavailable, PromptTooLong
from bot.ports.clock import Clock

log = logging.getLogger(__name__)

UNIX = "unix:"
MOST_LOSSES = 1
"""How often a request that was in hand when the connection was lost is tried again: it may be what the engine cannot bear."""

MOST_CHANGES = 3
"""How often the model may change under one request before that is called an error."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Seconds until something must have come.

    `connect`: a connection. `ask`: the answer to a plain question. `answer`: the beginning of a reply, before which a long
    prompt is read. `idle`: another sign of life.
    """

    connect: float = 5.0
    ask: float = 30.0
    answer: float = 300.0
    idle: float = 120.0


@dataclass(frozen=True, slots=True)
class LineSettings:
    """How to reach an engine. `draw` gives random numbers from 0 to 1, for waits that differ."""

    address: str
    token: str = field(repr=False)
    limits: TimeLimits
    backoff: Backoff
    circuit: CircuitRules
    draw: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: the JSON, if it is any, and the word for the model that it was made with (empty: none)."""

    content: object
    tag: str = ""


class Line:
    """The way to one engine. For one event loop only; opens connections when they are needed."""

    def __init__(self, settings: LineSettings, clock: Clock) -> None:
        self.address = settings.address.rstrip("/")
        _check(self.address)
        self._settings = settings
        self._clock = clock
        self._circuit = Circuit(settings.circuit)
        self._session: aiohttp.ClientSession | None = None
        self.trouble = ""

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def trying(self, forget: Callable[[], None] = lambda: None) -> "Trying":
        """A new request, to be tried until it is answered; `forget` is called whenever a try was in vain."""
        return Trying(self, self._settings, self._circuit, self._clock, forget)

    async def patiently(self, call: Callable[[], Awaitable[T]], forget: Callable[[], None] = lambda: None) -> T:
        """The outcome of this call, tried again while patience lasts. Raises EngineUnavailable then."""
        trying = self.trying(forget)
        while True:
            async with trying:
                return await call()

    async def get(self, route: str) -> Answer:
        """Ask once."""
        return await self._ask("GET", route, None, {})

    async def text(self, route: str) -> str:
        """Ask once for what is no JSON."""
        async with self._translated():
            response = await self._send("GET", route, None, {})
            async with response, asyncio.timeout(self._settings.limits.idle):
                return (await response.read()).decode(errors="replace")

    async def post(self, route: str, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Answer:
        """Send once."""
        return await self._ask("POST", route, body, headers or {})

    @asynccontextmanager
    async def stream(
        self, route: str, body: Mapping[str, object], headers: Mapping[str, str], leash: Leash
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Send once; the block gets the bytes of the answer as they arrive. Leaving the block ends the answer.

        So does cutting the leash, from elsewhere; StoryForgotten is raised then.
        """
        async with self._translated(is_reply=True):
            response = await self._send("POST", route, body, headers, leash)
        leash.holds(response.close)
        try:
            yield self._arriving(response, leash)
        finally:
            leash.holds(None)
            # Not given back for another request: only a closed connection tells the server to stop.
            response.close()

    async def _ask(self, method: str, route: str, body: Mapping[str, object] | None, headers: Mapping[str, str]) -> Answer:
        async with self._translated():
            response = await self._send(method, route, body, headers)
            async with response, asyncio.timeout(self._settings.limits.idle):
                return Answer(_json(await response.read()), bare_tag(response.headers.get("ETag", "")))

    async def _send(
        self,
        method: str,
        route: str,
        body: Mapping[str, object] | None,
        headers: Mapping[str, str],
        leash: Leash | None = None,
    ) -> aiohttp.ClientResponse:
        """Send, and return the answer when it is a good one; raise what it means when it is not."""
        data = None if body is None else json.dumps(body).encode()
        limits = self._settings.limits
        async with (leash or Leash()).waiting(limits.ask if body is None else limits.answer):
            response = await self._http().request(method, route, data=data, headers=headers)
        if response.status < 400:  # noqa: PLR2004 - HTTP's own border
            return response
        async with response, asyncio.timeout(self._settings.limits.idle):
            raise error_of(response.status, _json(await response.read()), _seconds(response))

    async def _arriving(self, response: aiohttp.ClientResponse, leash: Leash) -> AsyncIterator[bytes]:
        async with self._translated(is_reply=True):
            while True:
                async with leash.waiting(self._settings.limits.idle):
                    received = await response.content.readany()
                if not received:
                    return
                yield received

    @asynccontextmanager
    async def _translated(self, *, is_reply: bool = False) -> AsyncIterator[None]:
        """Errors of the HTTP client as what they mean; `is_reply` where a reply was asked for."""
        try:
            yield
        except NETWORK_ERRORS as error:
            trouble = meaning(error)
            sentence = f"The engine cannot be reached: {trouble.reason}."
            if not trouble.may_pass:
                raise EngineUnavailable(sentence) from error
            raise Passing(sentence, accepted=is_reply and was_reached(error)) from error

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            is_unix = self.address.startswith(UNIX)
            connector = aiohttp.UnixConnector(self.address[len(UNIX) :], limit=0) if is_unix else aiohttp.TCPConnector(limit=0)
            headers = {"Content-Type": "application/json"}
            if self._settings.token:
                headers["Authorization"] = f"Bearer {self._settings.token}"
            self._session = aiohttp.ClientSession(
                "http://engine" if is_unix else self.address,
                connector=connector,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._settings.limits.connect),
                max_line_size=16 * 1024,
            )
        return self._session


class Trying:
    """One request being tried, each time in a block of its own.

    A block that fails in a way that may pass is left quietly, once it makes sense to try again; when it makes none, with
    EngineUnavailable.
    """

    def __init__(self, line: Line, settings: LineSettings, circuit: Circuit, clock: Clock, forget: Callable[[], None]) -> None:
        self._line = line
        self._settings = settings
        self._circuit = circuit
        self._clock = clock
        self._forget = forget
        self._since = clock.ticks()
        self._failures = 0
        self._changes = 0
        self._losses = 0
        self._is_the_last = False
        self.is_over = False

    async def __aenter__(self) -> None:
        now = self._clock.ticks()
        while not self._circuit.enter(now):
            rest = self._circuit.rest(now)
            sentence = f"The engine has not answered for a while; it is asked again in {rest:.0f} seconds."
            # A new request is told at once; one that has been waiting waits for the probe as well.
            if not self._failures:
                raise EngineAway(sentence)
            await self._wait(Passing(sentence, rest))
            now = self._clock.ticks()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None:
            self.is_over = True
        if error is None or isinstance(error, EngineBusy | PromptTooLong):
            self._answered()
        if not isinstance(error, Passing | Changed):
            return False
        self._forget()
        if isinstance(error, Passing):
            self._circuit.failed(self._clock.ticks())
            self._line.trouble = str(error)
            self._losses += error.accepted
        else:
            self._changes += 1
        if self._is_the_last or self._changes > MOST_CHANGES or self._losses > MOST_LOSSES:
            self._give_up(error)
            raise EngineUnavailable(str(error)) from error
        if isinstance(error, Passing):
            await self._wait(error)
        return True

    def came(self, *, text: bool) -> None:
        """It was answered; once with text, there will be no other try."""
        self._answered()
        self._is_the_last = self._is_the_last or text

    def _answered(self) -> None:
        self._circuit.succeeded()
        self._line.trouble = ""

    def _give_up(self, trouble: Exception) -> None:
        facts = {"action": "engine_given_up", "engine": self._line.address}
        log.warning("the engine is not asked again: %s", trouble, extra=facts)

    async def _wait(self, trouble: Passing) -> None:
        """Wait until the next try. Raises EngineUnavailable when patience is at its end."""
        self._failures += 1
        spent = self._clock.ticks() - self._since
        seconds = self._settings.backoff.wait(self._failures, spent, self._settings.draw(), trouble.seconds)
        if seconds is None:
            self._give_up(trouble)
            raise EngineAway(str(trouble)) from trouble
        facts = {"action": "engine_retry", "engine": self._line.address}
        log.info("%s Trying again in %.1f seconds.", trouble, seconds, extra=facts)
        await self._clock.sleep(seconds)


def _check(address: str) -> None:
    """Raise ConfigMistakes when this is no address of an engine."""
    if address.startswith(UNIX) and len(address) > len(UNIX):
        return
    parts = urlsplit(address)
    if parts.username or parts.password:
        raise ConfigMistakes(["The engine's address must hold no password; give the token by itself."])
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigMistakes([f'The engine\'s address must be like "http://HOST:PORT" or "unix:/PATH", not "{address}".'])


def _json(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _seconds(response: aiohttp.ClientResponse) -> float | None:
    told = response.headers.get("Retry-After", "")
    return float(told) if told.isascii() and told.isdigit() else None
