"""The Engine port over one address: our own server, or any other that completes prompts. It spreads nothing over hosts.

Rule 1: a request is tried again only as long as no text of its reply has come.
Rule 2: closing a reply's stream closes its connection, which tells every kind of server to stop.
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from urllib.parse import quote
from weakref import WeakKeyDictionary

from adapters.network.circuit import CircuitRules
from adapters.network.retry import Backoff
from adapters.remote import wire
from adapters.remote.connection import Line, LineSettings, TimeLimits
from adapters.remote.events import EventReader, EventTooLong
from adapters.remote.leash import Leash
from adapters.remote.parsing import BUSY_SECONDS, Changed, Passing, Told
from adapters.remote.sending import completion_body, warm_body
from adapters.remote.serving import Served, ask_served
from bot.engine.sequence import StopFinder
from bot.errors import EngineBusy, EngineError, EngineUnavailable, PromptTooLong
from bot.ids import SessionId
from bot.ports.clock import Clock
from bot.ports.engine import (
    EngineCapabilities,
    FinishReason,
    GenerationRequest,
    Segment,
    StreamItem,
    TextDelta,
)
from bot.story.policy import Rating

log = logging.getLogger(__name__)

END = "[DONE]"


@dataclass(frozen=True, slots=True)
class RemoteSettings:
    """Where an engine is and what it does not tell of itself.

    `address` is `http://HOST:PORT`, `https://HOST:PORT` or `unix:PATH`. `kind` is a name of `servers.KINDS`, or "auto".
    `model` and `context` are needed where the server tells none; a `context` below what it tells is kept to. `rating` None
    takes what our own server says. The session's name goes along as the header `session_header` (empty: none).
    """

    address: str
    kind: str = "auto"
    token: str = field(default="", repr=False)
    model: str = ""
    context: int | None = None
    rating: Rating | None = None
    session_header: str = wire.SESSION_HEADER
    limits: TimeLimits = field(default_factory=TimeLimits)
    backoff: Backoff = field(default_factory=Backoff)
    circuit: CircuitRules = field(default_factory=CircuitRules)
    draw: Callable[[], float] = random.random


class RemoteEngine:
    """An engine at one address. Opens no connection before it is asked for something. Raises ConfigMistakes at once."""

    def __init__(self, settings: RemoteSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        each = settings
        self._line = Line(LineSettings(each.address, each.token, each.limits, each.backoff, each.circuit, each.draw), clock)
        self._served: Served | None = None
        self._unread = ""
        self._asking = asyncio.Lock()
        self._warming: dict[SessionId, asyncio.Task[None]] = {}
        # A leash is let go of with its reply, however that ended.
        self._writing: WeakKeyDictionary[Leash, SessionId] = WeakKeyDictionary()

    async def capabilities(self) -> EngineCapabilities:
        """What it runs, as it was told; asked again after the connection was lost."""
        return (await self._line.patiently(self._known, self._forget_served)).capabilities

    async def count(self, segments: Sequence[Segment]) -> tuple[int, ...]:
        """The number of tokens of each segment. Raises EngineUnavailable."""
        return tuple(map(len, await self._line.patiently(lambda: self._parts(segments), self._forget_served)))

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[StreamItem, None]:
        """Stream a reply. Raises EngineBusy, EngineUnavailable and PromptTooLong."""
        self._stop_warming(request.session)
        due = None if request.deadline is None else self._clock.ticks() + request.deadline
        trying = self._line.trying(self._forget_served)
        leash = Leash()
        self._writing[leash] = request.session
        while not trying.is_over:
            async with trying, aclosing(self._once(request, due, leash)) as stream:
                async for item in stream:
                    trying.came(text=isinstance(item, TextDelta))
                    yield item

    async def warm(self, session: SessionId, segments: Sequence[Segment], adapter: str = "") -> None:
        """Have this prompt read ahead, where the server can do that. Never raises."""
        self._stop_warming(session)
        warming = self._warming[session] = asyncio.create_task(self._warm(session, segments, adapter))
        warming.add_done_callback(lambda _: self._warming.pop(session, None) if self._warming.get(session) is warming else None)

    async def forget(self, session: SessionId) -> None:
        """Have all of this session dropped where it is kept. Raises EngineUnavailable when that cannot be known.

        Other kinds of servers have no such request: what they keep of a story is theirs, until they end or find no room.
        """
        was_under_way = await self._call_back(session)
        await self._line.patiently(lambda: self._forget_once(session), self._forget_served)
        if was_under_way:
            # It may have reached the engine only behind that; by now it has, and its connection is closed.
            await self._line.patiently(lambda: self._forget_once(session), self._forget_served)

    async def figures(self) -> str:
        """Our own server's page of figures; empty for others, and where it does not answer now. Never raises."""
        served = self._served
        if served is None or not served.kind.is_ours:
            return ""
        try:
            page = await self._line.text(wire.METRICS)
        except (EngineError, Passing, Changed) as error:
            if isinstance(error, Passing):
                # Where nobody plays, nothing else would notice that the engine is away.
                self._line.trouble = self._unread = str(error)
            log.info(
                "the engine's figures could not be read: %s", error, extra={"action": "look", "engine": self._line.address}
            )
            return ""
        if self._line.trouble == self._unread:
            self._line.trouble = ""
        return page

    @property
    def trouble(self) -> str:
        """Why it was not answered when it asked last; empty when it was."""
        return self._line.trouble

    async def close(self) -> None:
        """Close all connections; replies that are being written end with EngineUnavailable."""
        for warming in self._warming.values():
            warming.cancel()
        await asyncio.gather(*self._warming.values(), return_exceptions=True)
        await self._line.close()

    async def _known(self) -> Served:
        async with self._asking:
            if self._served is None:
                each = self._settings
                self._served = await ask_served(self._line, each.kind, each.model, each.context, each.rating)
            return self._served

    async def _parts(self, segments: Sequence[Segment]) -> tuple[tuple[int, ...], ...]:
        return await (await self._known()).tokens.parts(segments)

    def _forget_served(self) -> None:
        """What is served may be another model when the connection comes back."""
        self._served = None

    async def _call_back(self, session: SessionId) -> bool:
        """End what was asked for this session and is not done; whether there was anything."""
        warming = self._warming.pop(session, None)
        leashes = [leash for leash, each in self._writing.items() if each == session]
        for leash in leashes:
            leash.cut()
        if warming:
            warming.cancel()
            await asyncio.wait({warming})
        return bool(leashes or warming)

    async def _forget_once(self, session: SessionId) -> None:
        served = await self._known()
        served.tokens.forget()
        if served.capabilities.forgets:
            await self._line.post(wire.FORGET, {"session_id": session}, self._headers(served, session, is_pinned=False))
            return
        facts = {"action": "not_forgotten", "engine": self._line.address}
        log.warning("%s cannot be told to forget a story: what it keeps goes when it ends", served.kind.name, extra=facts)

    async def _once(self, request: GenerationRequest, due: float | None, leash: Leash) -> AsyncGenerator[StreamItem, None]:
        """One try. Raises Passing and Changed too."""
        leash.check()
        served = await self._known()
        parts = await served.tokens.parts(request.segments)
        _check(request, served, sum(map(len, parts)))
        body = completion_body(served.kind, request, parts, served.model, self._left(due))
        reply = _Reply(request, served, sum(map(len, parts)))
        async with self._line.stream(wire.COMPLETIONS, body, self._headers(served, request.session), leash) as received:
            async for data in _events(received):
                if data == END and not served.kind.is_ours:
                    break
                for item in reply.items(data):
                    yield item
                if reply.is_over:
                    break
                if due is not None and not served.kind.is_ours and self._clock.ticks() >= due:
                    reply.cut()
                    break
        for item in await reply.end():
            yield item

    def _left(self, due: float | None) -> float | None:
        """What is left of a deadline. Raises EngineBusy when nothing is."""
        if due is None:
            return None
        left = due - self._clock.ticks()
        if left <= 0:
            raise EngineBusy(BUSY_SECONDS)
        return left

    async def _warm(self, session: SessionId, segments: Sequence[Segment], adapter: str) -> None:
        try:
            served = await self._known()
            route = wire.WARM if served.kind.is_ours else served.kind.warm_route
            parts = await served.tokens.parts(segments) if route else ()
            if any(parts):
                body = warm_body(served.kind, session, segments, parts, adapter)
                await self._line.post(route, body, self._headers(served, session))
        except (EngineError, Passing, Changed) as error:
            log.info("the story was not read ahead: %s", error, extra={"action": "not_warmed", "engine": self._line.address})

    def _stop_warming(self, session: SessionId) -> None:
        if warming := self._warming.pop(session, None):
            warming.cancel()

    def _headers(self, served: Served, session: SessionId, *, is_pinned: bool = True) -> dict[str, str]:
        """What goes with a request; one that `is_pinned` is for this very model."""
        headers = {"If-Match": f'"{served.tokens.tag}"'} if served.tokens.tag and is_pinned else {}
        if self._settings.session_header:
            headers[self._settings.session_header] = quote(session, safe=":/@ ")
        return headers


class _Reply:
    """One reply as it arrives. Stop texts that the server was not told of, or may not keep to, are looked for here."""

    def __init__(self, request: GenerationRequest, served: Served, prompt: int) -> None:
        kind = served.kind
        self._served = served
        self._prompt = prompt
        self._told = Told(kind.stop_met, kind.is_ours)
        told = frozenset(kind.taken(request.stop)) if kind.is_ours else frozenset()
        self._stops = StopFinder([stop for stop in request.stop if stop not in told])
        self._texts: list[str] = []
        self._ids: list[int] = []
        self._held = 0
        self._ends_token = False

    @property
    def is_over(self) -> bool:
        """Whether a stop text was met here: nothing more is wanted."""
        return bool(self._stops.met)

    def items(self, data: str) -> list[StreamItem]:
        """What this event brings."""
        items: list[StreamItem] = []
        for item in self._told.items(data):
            if not isinstance(item, TextDelta):
                items.append(item)
                continue
            self._texts.append(item.text)
            self._ids += item.token_ids
            self._ends_token = bool(item.token_ids)
            if text := self._stops.feed(item.text):
                items.append(self._shown(text, len(item.text)))
            else:
                self._held += len(item.text)
        return items

    def _shown(self, text: str, fed: int) -> TextDelta:
        """The text with the ids that are due: none while a part of what they spell is held back."""
        self._held += fed - len(text)
        if self._held or not self._ends_token:
            return TextDelta(text)
        ids, self._ids = self._ids, []
        return TextDelta(text, tuple(ids))

    def cut(self) -> None:
        """The deadline has passed."""
        self._told.reason = FinishReason.DEADLINE

    async def end(self) -> list[StreamItem]:
        """What was held back, and the end. Raises Passing when the server did not come to an end."""
        told = self._told
        if self._stops.met:
            told.reason, told.stop = FinishReason.STOP, self._stops.met
        if told.reason is None:
            raise Passing("The engine broke off in the middle of a reply.", accepted=True)
        rest = self._stops.rest()
        # What was held back ends with the last token, unless the server itself cut it there.
        ids = tuple(self._ids) if rest and self._ends_token else ()
        written = 0 if "completion_tokens" in told.usage else await self._written()
        finished: list[StreamItem] = [told.finished(told.usage_or(self._prompt, written))]
        return [TextDelta(rest, ids), *finished] if rest else finished

    async def _written(self) -> int:
        """How many tokens were written, where the server does not tell."""
        try:
            _, written = await self._served.tokens.parts((Segment(""), Segment("".join(self._texts))))
        except (EngineError, Passing, Changed):
            return len(self._texts)
        return len(written)


def _check(request: GenerationRequest, served: Served, prompt: int) -> None:
    """Refuse what our own server would refuse with better numbers, and others in words only, or not at all."""
    if served.kind.is_ours:
        return
    if not prompt:
        raise EngineUnavailable("The prompt is empty, so the model has nothing to go on from.")
    if request.adapter and request.adapter not in served.capabilities.adapters:
        raise EngineUnavailable(f'The engine has no adapter "{request.adapter}".')
    room = served.capabilities.context - request.max_tokens
    if prompt > room:
        raise PromptTooLong(prompt, max(room, 0))


async def _events(received: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """The data of the events in what is received; an event that lacks only its end counts."""
    reader = EventReader()
    try:
        async for piece in received:
            for data in reader.feed(piece):
                yield data
        for data in reader.rest():
            yield data
    except EventTooLong as error:
        raise EngineUnavailable("The engine does not answer as a completion server does.") from error
