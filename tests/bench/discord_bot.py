"""The whole bot on Discord in a process of its own, for a benchmark: SQLite, a scripted engine, and a watch on its event loop.

It is told where to play by a file, tells of itself on its output whenever a line comes in, and ends with its input.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncGenerator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import aiohttp

from adapters.clock import SystemClock
from adapters.discord.face import Discord
from adapters.discord.line import Line
from adapters.discord.posting.courier import DiscordCourier
from adapters.discord.settings import Settings
from adapters.discord.words import place_of
from adapters.stories import Stories
from bot.flow.service import Service
from bot.ids import SessionId
from bot.ports.engine import GenerationRequest, StreamItem
from bot.ports.store import Change, Store
from bot.prompt.format import FORMATS
from bot.story import acts as story
from bot.story.session import Session, with_turn
from bot.story.turn import VariantState
from storage.store import open_store
from tests.bench.prose import prose
from tests.builders import TOBIAS, a_session
from tests.fakes.discord.pointing import connector_from_environment
from tests.fakes.engine import ScriptedEngine

PLAYED = 8
"""Posts that each story holds before it is measured, half of them replies."""

WORDS = 80
"""Words of each of them, and of the replies."""

CONTEXT = 8192
LOOK_EVERY = 0.005
"""Seconds between two looks of the watch on the event loop."""


@dataclass(frozen=True, slots=True)
class Orders:
    """Where to play, with what token, how long posts are gathered, and how many seconds the engine takes for a reply."""

    token: str
    threads: tuple[int, ...]
    join_seconds: float
    engine_seconds: float

    def write(self, folder: Path) -> None:
        """Leave them in a folder."""
        (folder / "orders.json").write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Orders":
        """Find them there."""
        found = json.loads((folder / "orders.json").read_text(encoding="utf-8"))
        return cls(**(found | {"threads": tuple(found["threads"])}))


class PunctualEngine(ScriptedEngine):
    """Takes so many seconds before its first word, and none for the others."""

    def __init__(self, seconds: float) -> None:
        super().__init__([prose("reply", WORDS)], context=CONTEXT)
        self._seconds = seconds

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[StreamItem, None]:
        if self._seconds:
            await asyncio.sleep(self._seconds)
        async for each in super().generate(request):
            yield each


@dataclass(slots=True)
class Watch:
    """How long the event loop kept others waiting at most since it was last asked, in seconds."""

    longest: float = 0.0
    _life: asyncio.Task[None] | None = field(default=None)

    def start(self) -> None:
        """Begin to look."""
        self._life = asyncio.create_task(self._look())

    def taken(self) -> float:
        """The longest stall; the next one counts anew."""
        longest, self.longest = self.longest, 0.0
        return longest

    def stop(self) -> None:
        """Look no more."""
        if self._life is not None:
            self._life.cancel()

    async def _look(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(LOOK_EVERY)
            self.longest = max(self.longest, time.monotonic() - before - LOOK_EVERY)


async def main(folder: Path) -> None:
    """Play until the input ends."""
    orders = Orders.read(folder)
    settings = Settings(token=orders.token, shard_count=1, join_seconds=orders.join_seconds)
    store = await open_store(f"sqlite+aiosqlite:///{folder / 'stories.db'}")
    await _fill(store, orders)
    stories, clock = Stories(store), SystemClock()
    courier = DiscordCourier(Line(), settings, clock, stories.face, stories.shown)
    service = Service(store, PunctualEngine(orders.engine_seconds), (courier,), clock, FORMATS["limarp"])
    face = Discord(settings, store, courier, service, lambda _: None, connector=_connector)
    await service.start()
    await face.start()
    try:
        await _tell()
    finally:
        await face.close()
        await service.close()
        await store.close()


def _connector() -> aiohttp.BaseConnector:
    found = connector_from_environment()
    if found is None:
        raise RuntimeError("there is no loopback Discord in the environment")
    return found


async def _tell() -> None:
    """Answer each line of the input with what happened since the last one."""
    watch, loop = Watch(), asyncio.get_running_loop()
    watch.start()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while await lines.readline():
        sys.stdout.write(json.dumps({"cpu": time.process_time(), "stall": watch.taken()}) + "\n")
        sys.stdout.flush()
    watch.stop()


async def _fill(store: Store, orders: Orders) -> None:
    for thread in orders.threads:
        await store.save(Change(None, _story(thread)))
        await store.bookmark(place_of(thread), f"{thread} {thread}")


def _story(thread: int) -> Session:
    session = a_session(id=SessionId(f"story-{thread}"), place=place_of(thread))
    for turn in range(PLAYED // 2):
        session = story.open_reply(story.add_post(session, TOBIAS, prose(f"{thread} {turn}", WORDS)), seed=1)
        open_turn = session.turns[-1]
        variant = replace(open_turn.variant, text=prose(f"{thread} {turn} reply", WORDS), state=VariantState.WHOLE)
        session = with_turn(session, open_turn.with_variant(variant))
    return session


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
