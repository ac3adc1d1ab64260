"""A bot on a loopback Discord, in a process of its own that dies where it is told to, or when its standard input ends."""

import asyncio
import json
import logging
import sys
from collections.abc import Sequence
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
from bot.ports.store import Store
from bot.prompt.format import FORMATS
from storage.store import open_store
from tests.builders import a_session
from tests.fakes.discord.pointing import connector_from_environment
from tests.walks.quoting import QuotingEngine
from tests.walks.stations import Death, Watched


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
