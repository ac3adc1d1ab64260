"""An engine that writes what it is told to: no model, no thread, no time. It knows nothing of prompts but their length."""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, field

from bot.errors import EngineError, EngineUnavailable, PromptTooLong, StoryForgotten
from bot.ids import SessionId
from bot.ports.engine import (
    EngineCapabilities,
    Finished,
    FinishReason,
    GenerationRequest,
    Segment,
    StreamItem,
    TextDelta,
    Usage,
    Waiting,
)
from bot.story.policy import Rating

WORDS = re.compile(r"\s*\S+|\s+")
FIRST_ID = 1000


@dataclass(slots=True)
class Pause:
    """A point in a reply, before its piece number `before`, where the engine waits until the test sets `go`."""

    before: int
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    """One reply: its pieces (one token each), why it ends by itself, an error before piece `fails_before`, a pause.

    `waits` is what the caller hears of the line before the first piece.
    """

    pieces: tuple[str, ...]
    reason: FinishReason = FinishReason.END
    error: EngineError | None = None
    fails_before: int = 0
    pause: Pause | None = None
    waits: tuple[Waiting, ...] = ()


@dataclass(slots=True, eq=False)
class _Writing:
    """A reply on its way, and whether its session was forgotten meanwhile."""

    session: SessionId
    reply: ScriptedReply
    is_forgotten: bool = False

    def end(self) -> None:
        self.is_forgotten = True
        if self.reply.pause:
            self.reply.pause.go.set()

    def check(self) -> None:
        if self.is_forgotten:
            raise StoryForgotten


class ScriptedEngine:
    """Writes the given replies in order, and the last one again for ever. A plain string is split into words.

    While `away` is set, it cannot even tell what it runs.

    One piece is one token, so `max_tokens` counts pieces. It keeps what it was asked in `requests` and `warms` (the adapters
    in `warmed_with`, what it forgot in `forgotten`), counts streams closed before their end in `abandoned`, and spells ids back
    with `spell`. While `holds_on` is set it cannot tell whether it forgets. A forgotten session's paused reply goes on, to end.
    """

    def __init__(
        self,
        replies: Iterable[str | Sequence[str] | ScriptedReply] = ('"Come in," she said.',),
        *,
        context: int = 2048,
        rating: Rating = Rating.GENERAL,
        model: str = "scripted",
        fingerprint: str = "",
    ) -> None:
        self.replies = [_script(reply) for reply in replies]
        self.context = context
        self.rating = rating
        self.model = model
        self.fingerprint = fingerprint
        self.requests: list[GenerationRequest] = []
        self.warms: list[tuple[SessionId, tuple[Segment, ...]]] = []
        self.warmed_with: list[str] = []
        self.abandoned = 0
        self.away = False
        self.holds_on = False
        self.forgotten: list[SessionId] = []
        self._ids: dict[str, int] = {}
        self._read: dict[SessionId, str] = {}
        self._writing: list[_Writing] = []

    async def capabilities(self) -> EngineCapabilities:
        if self.away:
            raise EngineUnavailable("The scripted engine is away.")
        return EngineCapabilities(self.model, self.context, self.rating, fingerprint=self.fingerprint)

    async def count(self, segments: Sequence[Segment]) -> tuple[int, ...]:
        return tuple(_tokens(segment) for segment in segments)

    async def warm(self, session: SessionId, segments: Sequence[Segment], adapter: str = "") -> None:
        self.warms.append((session, tuple(segments)))
        self.warmed_with.append(adapter)
        self._read[session] = "".join(segment.text for segment in segments)

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[StreamItem, None]:
        self.requests.append(request)
        reply = self.replies[0] if len(self.replies) == 1 else self.replies.pop(0)
        tokens = sum(_tokens(segment) for segment in request.segments)
        if tokens + request.max_tokens > self.context:
            raise PromptTooLong(tokens, self.context - request.max_tokens)
        cached = self._cached(request)
        whole, stop = _before_stop("".join(reply.pieces[: request.max_tokens]), request.stop)
        self._read[request.session] = "".join(segment.text for segment in request.segments)
        written: list[int] = []
        ended = False
        writing = _Writing(request.session, reply)
        self._writing.append(writing)
        try:
            for wait in reply.waits:
                yield wait
            async for delta in self._pieces(reply, request, whole):
                writing.check()
                written.extend(delta.token_ids)
                self._read[request.session] += delta.text
                yield delta
            writing.check()
            ended = True
            yield Finished(_reason(reply, request, stop), Usage(tokens, cached, tokens - cached, len(written)), stop)
        except EngineError:
            ended = True
            raise
        finally:
            self._writing.remove(writing)
            self.abandoned += not ended

    async def forget(self, session: SessionId) -> None:
        if self.holds_on:
            raise EngineUnavailable("The scripted engine holds on to what it read.")
        self.forgotten.append(session)
        self._read.pop(session, None)
        for writing in self._writing:
            if writing.session == session:
                writing.end()

    def spell(self, ids: Sequence[int]) -> str:
        """The text of ids that this engine has streamed."""
        pieces = {number: piece for piece, number in self._ids.items()}
        return "".join(pieces[each] for each in ids)

    async def _pieces(self, reply: ScriptedReply, request: GenerationRequest, whole: str) -> AsyncGenerator[TextDelta, None]:
        at = 0
        for number, piece in enumerate((*reply.pieces[: request.max_tokens], "")):
            if reply.pause and reply.pause.before == number:
                reply.pause.reached.set()
                await reply.pause.go.wait()
            if reply.error and reply.fails_before == number:
                raise reply.error
            await asyncio.sleep(0)
            if piece and at < len(whole):
                yield TextDelta(whole[at : at + len(piece)], (self._ids.setdefault(piece, FIRST_ID + len(self._ids)),))
                at += len(piece)

    def _cached(self, request: GenerationRequest) -> int:
        known = self._read.get(request.session, "")
        text, cached = "", 0
        for segment in request.segments[:-1]:
            text += segment.text
            if not known.startswith(text):
                break
            cached += _tokens(segment)
        return cached


def _script(reply: str | Sequence[str] | ScriptedReply) -> ScriptedReply:
    if isinstance(reply, ScriptedReply):
        return reply
    return ScriptedReply(tuple(WORDS.findall(reply)) if isinstance(reply, str) else tuple(reply))


def _tokens(segment: Segment) -> int:
    return len(segment.token_ids) or len(segment.text) // 4 + 1


def _before_stop(text: str, stops: Sequence[str]) -> tuple[str, str]:
    met = [(at, -len(stop), stop) for stop in stops if stop and (at := text.find(stop)) >= 0]
    if not met:
        return text, ""
    at, _, stop = min(met)
    return text[:at], stop


def _reason(reply: ScriptedReply, request: GenerationRequest, stop: str) -> FinishReason:
    if stop:
        return FinishReason.STOP
    return FinishReason.LENGTH if len(reply.pieces) > request.max_tokens else reply.reason
