"""An engine that quotes the numbers of the posts that it answers, so that what is lost and what is doubled can be counted."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence

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
)
from bot.story.policy import Rating
from tests.builders import MIRA

NUMBER = re.compile(r"Post (\d+)")
"""How the posts of players are numbered."""
HEADER = "### Response"
LINE = "In version {seed}, line {line} to {numbers}, the lamp burned low, the rain went on, and nobody at the bar spoke."
LINES_OF_A_POST = 14
MOST_POSTS = 4
PIECE = 150
"""Characters that are written at once."""


class QuotingEngine:
    """Writes one to four posts about the numbers of the posts since the last reply, and writes on what was begun."""

    async def capabilities(self) -> EngineCapabilities:
        return EngineCapabilities("quoting", 16_384, Rating.GENERAL)

    async def count(self, segments: Sequence[Segment]) -> tuple[int, ...]:
        return tuple(len(segment.text) // 4 + 1 for segment in segments)

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[StreamItem, None]:
        before, _, reply = "".join(segment.text for segment in request.segments).rpartition(HEADER)
        whole = reply_to(NUMBER.findall(before.rpartition(HEADER)[2]), request.seed)
        said = reply.partition(f"{MIRA.name}:")[2].strip()
        # One that was taken back after a crash keeps what was shown of it, and is written on with another seed.
        rest = whole.removeprefix(said) if whole.startswith(said) else f" {whole}"
        for at in range(0, len(rest), PIECE):
            await asyncio.sleep(0.003)
            yield TextDelta(rest[at : at + PIECE])
        yield Finished(FinishReason.END, Usage(1, 0, 1, 1))

    async def warm(self, session: SessionId, segments: Sequence[Segment], adapter: str = "") -> None:
        """There is nothing to read ahead."""

    async def forget(self, session: SessionId) -> None:
        """There is nothing to forget."""


def reply_to(numbers: Sequence[str], seed: int) -> str:
    """A reply in which no sentence is like another one of any reply."""
    lines = LINES_OF_A_POST * (1 + seed % MOST_POSTS) - LINES_OF_A_POST // 2
    return " ".join(LINE.format(seed=seed, line=line, numbers=" and ".join(numbers)) for line in range(1, lines + 1))
