"""Deleting means gone: a byte search of the whole data folder, with the real store, the real engine and a log beside it."""

import asyncio
import json
import logging
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import pytest

from adapters.config import defaults
from adapters.engines import engine_here
from adapters.logs import OURS, FactsFormatter
from adapters.shelf.folder import key_of
from bot.engine.threaded import ThreadedEngine
from bot.flow.keeping import DAY, Keep
from bot.flow.service import Service
from bot.ids import AuthorId, ChannelKey, EventId, Place, SessionId
from bot.ports.engine import Segment
from bot.posts import Command, Deleted, Edited, InboundPost
from bot.prompt.format import FORMATS
from bot.story.persona import Persona
from bot.story.session import Session
from bot.story.table import Table
from bot.story.turn import Role
from bot.texts import FORGOTTEN
from storage.store import SqlStore, open_store, sqlite_url
from tests.builders import TOBIAS, a_session
from tests.fakes.clock import FrozenClock
from tests.fakes.courier import TEST_PLATFORM, RecordingCourier

ANN = Persona(AuthorId("author-2"), "Ann", "")
INN, OTHER = (Place(TEST_PLATFORM, ChannelKey(name)) for name in ("inn", "other"))
HIS = 'The ruby lies under the seventh stair, é, "said" Tobias, and nobody else may ever hear of it.'
HERS = "Ann counted nine swallows above the grey harbour wall that evening."


@dataclass(slots=True)
class Household:
    """A bot whose every file is in one folder. The model has one slot and no memory: who loses the slot goes to the disk."""

    folder: Path
    store: SqlStore
    engine: ThreadedEngine
    service: Service
    clock: FrozenClock
    courier: RecordingCourier
    _events: Iterator[int] = field(default_factory=lambda: count(1))

    async def begin(self, place: Place) -> Session:
        session = a_session(id=SessionId(f"story-{place.channel}"), place=place, table=Table(owner=TOBIAS.author))
        begun = await self.service.begin(session)
        await self.service.receiver.settled(place)
        return begun

    async def post(self, place: Place, player: Persona, text: str) -> EventId:
        event = EventId(f"event-{next(self._events)}")
        await self.receive(InboundPost(event, place, player.author, player.name, text))
        return event

    async def receive(self, event: InboundPost | Command | Edited | Deleted) -> None:
        await self.service.receiver.receive(event)
        await self.service.receiver.settled(event.place)

    async def act(self, name: str, **values: str | int) -> None:
        await self.receive(self.command(name, **values))

    def command(self, name: str, **values: str | int) -> Command:
        return Command(EventId(f"event-{next(self._events)}"), INN, TOBIAS.author, name, values)

    async def ask(self, name: str) -> str:
        answer = await self.service.desk.answer(self.command(name))
        return answer.text + answer.file.decode()

    async def lose_the_slot(self) -> None:
        """Another story takes the model's one slot: what was in it of the first one goes to the disk."""
        await self.post(OTHER, ANN, "Ann walked on.")
        async with asyncio.timeout(20):
            while not list(self.folder.rglob(f"{key_of('story-inn')}.state")):
                await asyncio.sleep(0.01)

    async def holds(self, words: str) -> list[str]:
        """Which files hold these words: as text, as JSON has it, or as tokens of the model."""
        ((*tokens,),) = await self.engine.tokenize((Segment(f" {words}"),))
        inside = tokens[2:-2]
        forms = {words, json.dumps(words, ensure_ascii=False)[1:-1], json.dumps(words)[1:-1]}
        needles = {form.encode(how) for form in forms for how in ("utf-8", "utf-16-le", "utf-16-be")}
        needles.add(struct.pack(f"<{len(inside)}I", *inside))
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return [path.name for path in files if any(needle in path.read_bytes() for needle in needles)]


@asynccontextmanager
async def a_household(folder: Path) -> AsyncIterator[Household]:
    """The bot with a story in the inn, and another one beside it."""
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240 - nothing else runs yet
    config = defaults({})
    cache = replace(config.engine.cache, ram_gib=0.0, disk_gib=1.0)
    model = replace(config.model, context=1536, slots=1, batch=64)
    storage = replace(config.storage, directory=str(folder))
    clock, courier = FrozenClock(), RecordingCourier()
    with logged(folder / "understudy.log"):
        engine = engine_here(replace(config, model=model, engine=replace(config.engine, cache=cache), storage=storage))
        store = await open_store(sqlite_url(folder / "stories.db"), clock.now)
        service = Service(
            store, engine, (courier,), clock, FORMATS["limarp"], sampling=config.sampling.settings, roll=lambda: 5, keep=Keep()
        )
        await service.start()
        house = Household(folder, store, engine, service, clock, courier)
        for place in (INN, OTHER):
            if await store.session_at(place) is None:
                await house.begin(place)
        try:
            yield house
        finally:
            await service.close()
            await store.close()
            await engine.close()


@contextmanager
def logged(file: Path) -> Iterator[None]:
    """All that this program logs, as much as it can say, in a file."""
    with file.open("a", encoding="utf-8") as stream:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(FactsFormatter())
        loggers = [logging.getLogger(name) for name in OURS]
        levels = [logger.level for logger in loggers]
        for logger in loggers:
            logger.addHandler(handler)
            logger.setLevel(logging.DEBUG)
        yield
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)


async def test_a_forgotten_player_is_in_no_file_and_the_story_plays_on(tmp_path: Path) -> None:
    async with a_household(tmp_path / "data") as house:
        await house.post(INN, TOBIAS, HIS)
        await house.post(INN, ANN, HERS)
        await house.lose_the_slot()
        held = await house.holds(HIS)
        assert any(name.endswith(".state") for name in held)
        assert any(name.startswith("stories.db") for name in held)
        assert "under the seventh stair" in await house.ask("privacy export")
        assert "Everything of yours is deleted" in await house.ask("privacy forget")
        await house.service.receiver.settled(INN)
        assert await house.holds(HIS) == []
        assert await house.holds(TOBIAS.description) == []
        assert "stories.db" in await house.holds(HERS)
        story = await house.store.session_at(INN)
        assert story is not None
        assert [turn.text for turn in story.turns if turn.role is Role.PLAYER] == [FORGOTTEN, HERS]
        await house.post(INN, ANN, "Ann rang the bell.")
        story = await house.store.session_at(INN)
        assert story is not None
        assert [turn.role for turn in story.turns[-2:]] == [Role.PLAYER, Role.CHARACTER]
    async with a_household(tmp_path / "data") as house:
        assert await house.holds(HIS) == []
        assert await house.store.session_at(INN) is not None


async def test_a_story_that_ended_is_in_no_file_once_its_days_in_the_bin_are_over(tmp_path: Path) -> None:
    async with a_household(tmp_path / "data") as house:
        await house.post(INN, TOBIAS, HIS)
        await house.lose_the_slot()
        await house.ask("end")
        assert await house.holds(HIS) != []
        house.clock.move(8 * DAY)
        async with asyncio.timeout(20):
            while await house.store.ended(INN) or await house.store.unforgotten():
                await asyncio.sleep(0.01)
        assert await house.holds(HIS) == []


@pytest.mark.parametrize("way", ["undo", "delete", "rewind", "edit", "edited there", "deleted there"])
async def test_what_leaves_the_story_leaves_the_files(tmp_path: Path, way: str) -> None:
    async with a_household(tmp_path / "data") as house:
        source = await house.post(INN, TOBIAS, HIS)
        await house.lose_the_slot()
        assert any(name.endswith(".state") for name in await house.holds(HIS))
        match way:
            case "undo":
                await house.act("undo")
            case "edit":
                await house.act("edit", turn=1, text="Tobias said nothing.")
            case "edited there":
                await house.receive(Edited(EventId("an edit"), INN, TOBIAS.author, source, "Tobias said nothing."))
            case "deleted there":
                await house.receive(Deleted(EventId("an end"), INN, source))
            case _:
                await house.act(way, turn=1)
        assert await house.holds(HIS) == []
        assert await house.store.unforgotten() == ()
    async with a_household(tmp_path / "data") as house:
        assert await house.holds(HIS) == []
