"""A bot on a loopback Discord, in a process of its own that dies where it is told to, or when its standard input ends.

Its engine quotes the numbers of the posts that it answers, so that what is lost and what is doubled can be counted.
"""

import asyncio
import json
import logging
import re
import sys
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import aiohttp

from adapters import logs
from adapters.clock import SystemClock
from adapters.discord.face import Discord
from adapters.discord.line import Line
from adapters.discord.posting.courier import DiscordCourier
from adapters.discord.settings import Settings
from adapters.discord.words import place_of
from adapters.stories import Stories
from bot.flow.service import Service
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
from bot.ports.store import Store
from bot.prompt.format import FORMATS
from bot.story.policy import Rating
from storage.store import open_store
from tests.builders import MIRA, a_session
from tests.fakes.discord.pointing import connector_from_environment
from tests.walks.stations import Death, Watched

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


def connector() -> aiohttp.BaseConnector:
    """A connector to the loopback Discord that the environment names."""
    found = connector_from_environment()
    assert found is not None
    return found


async def play(folder: Path, token: str, threads: Sequence[int], death: Death) -> None:
    """Play the stories of these threads, and begin those that are not begun."""
    real, clock, stories = await open_store(f"sqlite+aiosqlite:///{folder / 'story.db'}"), SystemClock(), Stories()
    stories.open(real)
    store: Store = Watched(real, death)
    settings = Settings(token=token, shard_count=1, join_seconds=0.1, join_limit_seconds=1.0)
    courier = DiscordCourier(Line(), settings, clock, stories.face, stories.shown)
    service = Service(store, Watched(QuotingEngine(), death), (Watched(courier, death),), clock, FORMATS["limarp"])
    face = Discord(settings, store, courier, service, lambda _: None, connector)
    # The library waits this long for guilds that might still come; here none do.
    face.supervisor._guild_patience = 0.05
    await service.start()
    await face.start()
    for thread in threads:
        await begin(face, thread)
    await asyncio.to_thread(sys.stdin.read)
    await face.close()
    await service.close()
    await real.close()


async def begin(face: Discord, thread: int) -> None:
    """The story of a thread, if it is not begun yet."""
    place = place_of(thread)
    if await face.store.session_at(place) is not None:
        return
    while not face.courier.line.is_open:
        await asyncio.sleep(0.01)
    await face.service.begin(a_session(id=SessionId(f"story of {thread}"), place=place, personas=()))
    await face.hearing.watch(place, thread)


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    logs.set_up(logging.INFO)
    end = Death(wanted.get("station", ""), wanted.get("before", False))
    asyncio.run(play(Path(wanted["folder"]), wanted["token"], wanted["threads"], end))
