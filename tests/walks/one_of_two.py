"""One of two bots on one PostgreSQL, in a process of its own: `python -m tests.walks.one_of_two URL PLATFORM`.

It reads what people post from standard input, a JSON line each, and names each event on standard output once it is taken in.
"""

import asyncio
import json
import logging
import re
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

from adapters.clock import SystemClock
from bot.flow.service import Service
from bot.ids import ChannelKey, EventId, Place
from bot.ports.engine import GenerationRequest, StreamItem
from bot.posts import InboundPost
from bot.prompt.format import FORMATS
from storage.store import open_store
from tests.builders import TOBIAS
from tests.fakes.courier import TEST_PLATFORM
from tests.fakes.engine import ScriptedEngine, ScriptedReply
from tests.walks.shown_once import FilePlatform

REPLY = (
    "Mira looked at the rain behind the window for a while before she said a word. "
    "There is a room under the roof, she told him at last, and it is dry enough. "
    "She took a key from the board and put it down between them on the ledger. "
    "Nobody asks questions here after dark, and nobody answers any."
)
PIECE_SECONDS = 0.02


class SlowEngine(ScriptedEngine):
    """Takes its time for every word."""

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[StreamItem, None]:
        async for item in super().generate(request):
            await asyncio.sleep(PIECE_SECONDS)
            yield item


async def play(url: str, platform: Path) -> None:
    """Play until standard input ends."""
    store = await open_store(url)
    engine = SlowEngine([ScriptedReply(tuple(re.findall(r"\s*\S+", REPLY)))], context=8192)
    service = Service(store, engine, (FilePlatform(platform),), SystemClock(), FORMATS["limarp"])
    await service.start()
    print("holder", store.holder, flush=True)  # noqa: T201 - whoever started it waits for it
    while line := await asyncio.to_thread(sys.stdin.readline):
        told = json.loads(line)
        place = Place(TEST_PLATFORM, ChannelKey(told["channel"]))
        await service.receiver.receive(InboundPost(EventId(told["event"]), place, TOBIAS.author, TOBIAS.name, told["text"]))
        print("had", told["event"], flush=True)  # noqa: T201 - as a platform hears that its event has arrived
    await service.close()
    await store.close()
    if service.metrics.total("failures"):
        raise SystemExit("something failed; see the log")


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(play(sys.argv[1], Path(sys.argv[2])))
