"""A real engine that notes what it is asked, so that walks can say how often that was. It changes nothing."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from bot.ids import SessionId
from bot.ports.engine import Engine, EngineCapabilities, GenerationRequest, Segment, StreamItem


@dataclass(slots=True)
class Noted:
    """An engine that notes what it is asked."""

    real: Engine
    requests: list[GenerationRequest] = field(default_factory=list)
    warms: list[tuple[SessionId, tuple[Segment, ...]]] = field(default_factory=list)

    async def capabilities(self) -> EngineCapabilities:
        return await self.real.capabilities()

    async def count(self, segments: Sequence[Segment]) -> tuple[int, ...]:
        return await self.real.count(segments)

    async def warm(self, session: SessionId, segments: Sequence[Segment], adapter: str = "") -> None:
        self.warms.append((session, tuple(segments)))
        await self.real.warm(session, segments, adapter)

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[StreamItem, None]:
        self.requests.append(request)
        stream = self.real.generate(request)
        try:
            async for event in stream:
                yield event
        finally:
            await stream.aclose()

    async def forget(self, session: SessionId) -> None:
        await self.real.forget(session)
