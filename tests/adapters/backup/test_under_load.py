"""A backup that is made while many places play is one state of the story: it reads back whole, and can be played on."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from adapters.backup import back_up, restore
from adapters.clock import SystemClock
from adapters.config import Config
from bot.flow.service import Service
from bot.ids import ChannelKey, EventId, Place, SessionId
from bot.ports.store import Store
from bot.posts import ChannelLimits, InboundPost
from bot.prompt.format import FORMATS
from bot.story.session import with_length
from bot.story.settings import Length
from bot.story.turn import Role, VariantState
from storage.dialects import Database
from storage.store import open_store
from storage.tables import messages, outbox
from tests.adapters.backup.conftest import Noting, Places, make, url_of
from tests.builders import TOBIAS, a_session
from tests.fakes.courier import TEST_PLATFORM, RecordingCourier
from tests.fakes.engine import ScriptedEngine

PLACES = tuple(Place(TEST_PLATFORM, ChannelKey(f"thread-{number}")) for number in range(10))
REPLY = "This is a sentence of a reply that is cut into posts. " * 12
BACKUPS = 3


@dataclass(slots=True)
class Players:
    """People who post in all places as fast as they are answered, until they are told to stop."""

    service: Service
    posted: Counter[Place] = field(default_factory=Counter)
    _playing: asyncio.Task[None] | None = None

    async def _play(self, place: Place) -> None:
        while True:
            self.posted[place] += 1
            number = self.posted[place]
            event = EventId(f"{place.channel}/{number}")
            text = f"Post number {number}."
            await self.service.receiver.receive(InboundPost(event, place, TOBIAS.author, TOBIAS.name, text))
            await self.service.receiver.settled(place)

    @asynccontextmanager
    async def playing(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._play(place)) for place in PLACES]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def service_over(store: Store) -> Service:
    courier = RecordingCourier(channel_limits=ChannelLimits(200))
    return Service(store, ScriptedEngine([REPLY], context=8192), (courier,), SystemClock(), FORMATS["limarp"])


async def assert_consistent(config: Config) -> int:
    """Every story reads back whole, and each of its posts stands in its place or is on its way; how many turns there are."""
    store, database, turns = await open_store(url_of(config)), Database(url_of(config)), 0
    waiting = {event.event for event in await store.waiting()}
    async with database.reading() as connection:
        stands = await connection.execute(select(messages.c.channel, messages.c.turn, messages.c.position))
        on_its_way = await connection.execute(select(outbox.c.channel, outbox.c.turn, outbox.c.position))
        shown = Counter([*map(tuple, stands), *map(tuple, on_its_way)])
    for place in PLACES:
        session = await store.session_at(place)
        assert session is not None
        told = await store.turns(session.id)
        turns += len(told)
        assert [turn.number for turn in told] == list(range(session.next_number))
        assert told[-len(session.turns) :] == session.turns
        assert all(turn.role is (Role.PLAYER if turn.number % 2 else Role.CHARACTER) for turn in told)
        for turn in told:
            if turn.role is Role.PLAYER:
                assert not waiting & set(turn.sources), "it is in the story, and so it is handled"
                assert turn.text == f"Post number {turn.number // 2 + 1}."
            else:
                spots = [(place.channel, turn.number, position) for position in range(len(turn.posts))]
                assert all(shown[spot] == 1 for spot in spots), f"a post is lost or doubled: {turn.number} of {place}"
    await store.close()
    await database.close()
    return turns


async def assert_goes_on(config: Config) -> None:
    """Another run answers what waits, finishes what is half written and delivers what is on its way."""
    store = await open_store(url_of(config))
    service = service_over(store)
    await service.start()
    for place in PLACES:
        await service.receiver.settled(place)
    assert await store.waiting() == ()
    assert await store.unfinished() == ()
    assert await store.outstanding() == ()
    for place in PLACES:
        session = await store.session_at(place)
        assert session is not None
        # What was half written is written on: this engine writes all of it again, behind what there was.
        assert session.turns[-1].variant.state is VariantState.WHOLE
        assert session.turns[-1].text.endswith(REPLY.strip())
    assert service.metrics.total("failures") == 0
    await service.close()
    await store.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_a_backup_under_load_restores_to_a_consistent_story(all_places: Places, kind: str, tmp_path: Path) -> None:
    config = all_places.new(kind)
    make(config)
    store = await open_store(url_of(config))
    service = service_over(store)
    courier = service.couriers[0]
    assert isinstance(courier, RecordingCourier)
    await service.start()
    for place in PLACES:
        await service.begin(with_length(a_session(id=SessionId(f"story of {place.channel}"), place=place), Length.UNLIMITED))
    players, files, sizes = Players(service), [], []
    async with players.playing():
        for number in range(BACKUPS):
            before = players.posted.total()
            while players.posted.total() < before + 3 * len(PLACES):
                await asyncio.sleep(0.01)
            files.append(tmp_path / f"backup-{number}.zip")
            calls = len(courier.calls)
            await back_up(config, files[-1], Noting())
            assert len(courier.calls) > calls, "nobody waited for it"
    await service.close()
    await store.close()
    for file in files:
        restored = all_places.new("postgres" if kind == "sqlite" else "sqlite")
        await restore(restored, file, Noting())
        sizes.append(await assert_consistent(restored))
        await assert_goes_on(restored)
    assert sizes == sorted(set(sizes)), "each is of a later moment"
