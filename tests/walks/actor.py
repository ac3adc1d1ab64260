"""A bot in a process of its own, that plays one post and dies where it is told to: `python -m tests.walks.actor`."""

import asyncio
import json
import logging
import sys
from pathlib import Path

from adapters.clock import SystemClock
from adapters.llama.engine import open_engine
from bot.flow.service import Service
from bot.ids import EventId
from bot.posts import Command, Inbound
from bot.prompt.format import FORMATS
from bot.story.policy import Rating
from bot.story.session import with_length
from bot.story.settings import Length
from storage.store import open_store
from tests.builders import HERE, TOBIAS, a_post, a_session
from tests.models import DEMO_MODEL
from tests.walks.file_courier import FileCourier
from tests.walks.stations import Death, Watched

POST_LENGTH = 80
READY = "ready"
REPLY = 2
"""The number of the first reply, after the greeting and the post."""
EDITED = "It was edited. " * 20
ASKED: dict[str, tuple[str, dict[str, str | int]]] = {
    "swipe_left": ("swipe", {"side": "left"}),
    "edit": ("edit", {"turn": REPLY, "text": EDITED}),
}
FIRST_SEED, NEXT_SEED = 11, 12
"""Seeds of the first reply and of all later ones: with the same one a retry would write the same again, to the letter."""


async def play(folder: Path, death: Death, *, knows_keys: bool, act: str) -> None:
    """Start on what the folder holds, take one event in (again, where it was taken before), and wait until all is done."""
    store = await open_store(f"sqlite+aiosqlite:///{folder / 'story.db'}")
    engine = open_engine(DEMO_MODEL, context=1024, slots=1, threads=1, batch=256, gpu_layers=0, rating=Rating.GENERAL)
    courier = FileCourier(folder / "platform.jsonl", POST_LENGTH, knows_keys=knows_keys)
    service = Service(
        Watched(store, death),
        Watched(engine, death),
        (Watched(courier, death),),
        SystemClock(),
        FORMATS["limarp"],
        roll=lambda: NEXT_SEED,
    )
    print(READY, flush=True)  # noqa: T201 - the test that kills by the clock waits for it
    await service.start()
    await service.receiver.settled(HERE)
    await service.receiver.receive(_event(act))
    await service.receiver.settled(HERE)
    assert not service.metrics.total("failures"), "see the log"
    await service.close()
    await engine.close()
    await store.close()


async def open_story(folder: Path) -> None:
    """The story with its greeting shown, in a run that nobody kills."""
    store = await open_store(f"sqlite+aiosqlite:///{folder / 'story.db'}")
    engine = open_engine(DEMO_MODEL, context=1024, slots=1, threads=1, batch=256, gpu_layers=0, rating=Rating.GENERAL)
    courier = FileCourier(folder / "platform.jsonl", POST_LENGTH)
    service = Service(store, engine, (courier,), SystemClock(), FORMATS["limarp"], roll=lambda: FIRST_SEED)
    await service.start()
    await service.begin(with_length(a_session(), Length.HUGE))
    await service.receiver.settled(HERE)
    await service.receiver.receive(a_post("Tobias came in out of the rain.", "first"))
    await service.receiver.settled(HERE)
    await service.close()
    await engine.close()
    await store.close()


def _event(act: str) -> Inbound:
    if act == "post":
        return a_post('"Tell me about this house," Tobias said.', "second")
    name, values = ASKED.get(act, (act, {}))
    return Command(EventId(f"second {act}"), HERE, TOBIAS.author, name, values)


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    where = Path(wanted["folder"])
    if wanted["act"] == "open":
        asyncio.run(open_story(where))
    else:
        logging.basicConfig()
        end = Death(wanted.get("station", ""), wanted.get("before", False), wanted.get("crossing", 0))
        asyncio.run(play(where, end, knows_keys=wanted.get("knows_keys", True), act=wanted["act"]))
