"""An engine's server with a scripted engine behind it, and an HTTP client in front."""

import json
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from adapters.remote.server import EngineServer
from adapters.remote.settings import EngineServerSettings
from bot.engine.statistics import EngineStatistics
from bot.errors import EngineUnavailable, RunnerFailed
from bot.ports.engine import EngineCapabilities, Segment
from bot.story.policy import Rating
from tests.fakes.engine import ScriptedEngine, ScriptedReply
from tests.fakes.runner import CountingRunner

MODEL = "scripted"
ADAPTER = "mira"


class ServedScript(ScriptedEngine):
    """A ScriptedEngine as a server holds one: it tokenises bytes, tells numbers, and can be closed."""

    def __init__(self, replies: Iterable[str | Sequence[str] | ScriptedReply]) -> None:
        super().__init__(replies)
        self.closed = False
        self.broken = ""
        self._bytes = CountingRunner()

    async def capabilities(self) -> EngineCapabilities:
        return EngineCapabilities(MODEL, self.context, Rating.GENERAL, (ADAPTER,))

    async def tokenize(self, segments: Sequence[Segment]) -> tuple[tuple[int, ...], ...]:
        if self.closed or self.broken:
            raise EngineUnavailable(self.broken or "The engine was closed.")
        try:
            return tuple(self._tokens_of(segment, first=not place) for place, segment in enumerate(segments))
        except RunnerFailed as failure:
            raise EngineUnavailable(f"The model cannot read the story: {failure}") from failure

    def statistics(self) -> EngineStatistics:
        return EngineStatistics(slots=2, requests=len(self.requests), cached_tokens=7)

    async def close(self) -> None:
        self.closed = True

    def _tokens_of(self, segment: Segment, *, first: bool) -> tuple[int, ...]:
        for token in segment.token_ids:
            self._bytes.piece(token)
        return segment.token_ids or self._bytes.tokenize(segment.text, special=segment.trusted, first=first)


@dataclass(slots=True)
class Answered:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.text)
        return found

    @property
    def error(self) -> dict[str, object]:
        found = self.json["error"]
        assert isinstance(found, dict)
        return found

    @property
    def error_in_stream(self) -> dict[str, object]:
        """The error object that ends a stream."""
        found = self.events[-1]["error"]
        assert isinstance(found, dict)
        return found

    @property
    def events(self) -> list[dict[str, object]]:
        """The events of a stream but for its end mark."""
        data = [line.removeprefix("data: ") for line in self.text.split("\n\n") if line.startswith("data: ")]
        return [json.loads(each) for each in data if each != "[DONE]"]


@dataclass(slots=True)
class Stage:
    """All parts of a server that is open at `address`."""

    engine: ServedScript
    server: EngineServer
    address: str
    http: aiohttp.ClientSession

    async def get(self, route: str, **headers: str) -> Answered:
        async with self.http.get(self.address + route, headers=headers) as response:
            return Answered(response.status, response.headers, await response.text())

    async def post(self, route: str, body: object, headers: dict[str, str] | None = None) -> Answered:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.http.post(self.address + route, data=data, headers=headers) as response:
            return Answered(response.status, response.headers, await response.text())

    async def complete(self, **fields: object) -> Answered:
        return await self.post("/v1/completions", {"prompt": "A door stands open.", "max_tokens": 20, **fields})


@asynccontextmanager
async def a_stage(
    *replies: str | Sequence[str] | ScriptedReply, settings: EngineServerSettings | None = None
) -> AsyncGenerator[Stage, None]:
    """A server of an engine that gives these replies."""
    engine = ServedScript(replies or ('"Come in," she said.',))
    server = EngineServer(engine, settings or EngineServerSettings(port=0))
    address = await server.start()
    async with aiohttp.ClientSession() as http:
        yield Stage(engine, server, address, http)
        await server.close()
