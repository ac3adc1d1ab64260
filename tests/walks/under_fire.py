"""A whole bot whose engine's process is killed again and again while many places play: `python -m tests.walks.under_fire 50`.

The store is SQLite on disk and the model is real. With two slots, no room in memory and more places than slots, states go
to disk and come back all the time; one of their files is changed at every kill.
"""

import asyncio
import logging
import os
import random
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path

from adapters import logs
from adapters.clock import SystemClock
from adapters.config import Config, defaults
from adapters.engines import engine_in_child
from adapters.supervisor import Supervisor
from bot.flow.service import Service
from bot.ids import ChannelKey, EventId, Place, SessionId
from bot.ports.engine import Engine, EngineCapabilities, Finished, GenerationRequest, Segment, StreamItem, TextDelta
from bot.posts import InboundPost, Voice
from bot.prompt.format import FORMATS
from bot.story.session import Session, with_length
from bot.story.settings import Length
from bot.story.turn import Role, VariantState
from storage.store import open_store
from tests.builders import TOBIAS, a_session
from tests.fakes.courier import TEST_PLATFORM, RecordingCourier

PLACES = tuple(Place(TEST_PLATFORM, ChannelKey(f"thread-{number}")) for number in range(6))
MOST_DELTAS = 1500
"""A kill comes after at most so many stretches of text since the last one."""


@dataclass(slots=True)
class WatchedEngine:
    """An engine, with a note of every stretch of text that passes, and of the last request of each session."""

    real: Engine
    deltas: asyncio.Queue[None] = field(default_factory=asyncio.Queue)
    last: dict[SessionId, GenerationRequest] = field(default_factory=dict)

    async def capabilities(self) -> EngineCapabilities:
        return await self.real.capabilities()

    async def count(self, segments: Sequence[Segment]) -> tuple[int, ...]:
        return await self.real.count(segments)

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[StreamItem, None]:
        self.last[request.session] = request
        async with aclosing(self.real.generate(request)) as stream:
            async for item in stream:
                if isinstance(item, TextDelta):
                    self.deltas.put_nowait(None)
                yield item

    async def warm(self, session: SessionId, segments: Sequence[Segment], adapter: str = "") -> None:
        await self.real.warm(session, segments, adapter)

    async def forget(self, session: SessionId) -> None:
        await self.real.forget(session)


@dataclass(slots=True)
class Outcome:
    """What came of it: kills, files of the cache that were changed, posts, and how their replies ended."""

    kills: int = 0
    spoilt: int = 0
    posts: int = 0
    whole: int = 0
    broken: int = 0
    none: int = 0


@dataclass(slots=True)
class Battlefield:
    """The running parts, and what has happened."""

    folder: Path
    service: Service
    engine: WatchedEngine
    supervisor: Supervisor
    courier: RecordingCourier
    chance: random.Random
    outcome: Outcome = field(default_factory=Outcome)
    is_over: bool = False

    async def fight(self, kills: int) -> None:
        """Play in all places at once while the killing goes on, and look what stands at the end."""
        for place in PLACES:
            await self.service.begin(_story(place))
        async with asyncio.TaskGroup() as group:
            for place in PLACES:
                group.create_task(self.play(place))
            group.create_task(self.kill(kills))
        await self.assert_whole()

    async def play(self, place: Place) -> None:
        """Post in one place, again and again, and judge what came of each post, until the killing is over; then once more."""
        number, is_last = 0, False
        while not is_last:
            is_last = self.is_over
            number += 1
            text = f"Tobias asked a question for the {number}th time in {place.channel}."
            event = EventId(f"{place.channel} {number}")
            notices = self._notices(place)
            await self.service.receiver.receive(InboundPost(event, place, TOBIAS.author, TOBIAS.name, text))
            await self.service.receiver.settled(place)
            state = await self._judge(place, number, text, told=self._notices(place) > notices)
            assert not is_last or state is VariantState.WHOLE, f"{place}: a reply broke although nobody died"

    async def _judge(self, place: Place, number: int, text: str, *, told: bool) -> VariantState | None:
        """The post stands once and last among the player's, and it was answered, or the place was told why not."""
        session = await self.service.store.session_at(place)
        assert session is not None
        turns = (await self.service.store.page(place, limit=4)).turns
        posts = [turn for turn in turns if turn.role is Role.PLAYER and turn.text == text]
        assert len(posts) == 1, f"{place}: post {number} stands {len(posts)} times"
        after = [turn for turn in turns if turn.number > posts[0].number]
        assert len(after) <= 1, f"{place}: post {number} has {len(after)} replies"
        state = after[0].variant.state if after else None
        assert state is VariantState.WHOLE or told, f"{place}: post {number} has no whole reply, and nobody was told"
        assert state is not VariantState.WRITING, f"{place}: the reply to post {number} was left open"
        self.outcome.posts += 1
        self.outcome.whole += state is VariantState.WHOLE
        self.outcome.broken += state is VariantState.BROKEN
        self.outcome.none += state is None
        return state

    def _notices(self, place: Place) -> int:
        return sum(post.speaker.voice is Voice.MACHINERY for post in self.courier.standing[place].values())

    async def kill(self, times: int) -> None:
        """Kill the engine's process so many times, each after some text of the one before, and change a file of the cache."""
        for _ in range(times):
            for _ in range(self.chance.randint(1, MOST_DELTAS)):
                await self.engine.deltas.get()
            self._flip_a_byte()
            assert self.supervisor.pid
            restarts = self.supervisor.restarts
            os.kill(self.supervisor.pid, signal.SIGKILL)
            self.outcome.kills += 1
            while self.supervisor.restarts == restarts:
                await asyncio.sleep(0)
            while not self.engine.deltas.empty():
                self.engine.deltas.get_nowait()
        self.is_over = True

    def _flip_a_byte(self) -> None:
        files = sorted((self.folder / "kv").glob("*.state"))
        if not files:
            return
        file = self.chance.choice(files)
        try:
            raw = bytearray(file.read_bytes())
            raw[self.chance.randrange(len(raw))] ^= 1 << self.chance.randrange(8)
            file.write_bytes(raw)
            self.outcome.spoilt += 1
        except (FileNotFoundError, ValueError):
            # The engine took it in the meantime, or an earlier kill came before its first byte: nothing to spoil.
            return

    async def assert_whole(self) -> None:
        """What stands in the places is what the stories hold, once; and what the cache holds is what the stories say."""
        store = self.service.store
        assert await store.waiting() == ()
        assert await store.outstanding() == ()
        assert self.service.metrics.total("failures") == 0
        for place in PLACES:
            turns = (await store.page(place, limit=10_000)).turns
            told = [post for post in self.courier.standing[place].values() if post.speaker.voice is Voice.CHARACTER]
            assert [post.text for post in told] == [
                post for turn in turns if turn.role is Role.CHARACTER for post in turn.posts
            ]
            keys = [call.post.key for call in self.courier.calls if call.verb == "send" and call.post and call.place == place]
            assert len(keys) == len(set(keys)), f"{place}: a post was sent twice"
        for request in tuple(self.engine.last.values()):
            cached = await written(self.engine, request)
            anew = await written(self.engine, replace(request, session=SessionId(f"{request.session} anew")))
            assert cached == anew, f"{request.session}: what was restored is not what the story says"


async def written(engine: Engine, request: GenerationRequest) -> str:
    """The text of a reply."""
    items = [each async for each in engine.generate(replace(request, max_tokens=24))]
    assert isinstance(items[-1], Finished)
    return "".join(each.text for each in items if isinstance(each, TextDelta))


async def under_fire(folder: Path, kills: int, seed: int) -> Outcome:
    """Play in all places while the engine's process is killed; raises AssertionError for whatever is lost or doubled."""
    store = await open_store(f"sqlite+aiosqlite:///{folder / 'story.db'}")
    courier = RecordingCourier()
    async with engine_in_child(_config(folder)) as (engine, supervisor):
        # The usual pauses grow to half a minute when a process dies again and again, as this one does.
        supervisor.rules = replace(supervisor.rules, longest_pause=0.3)
        watched = WatchedEngine(engine)
        service = Service(store, watched, (courier,), SystemClock(), FORMATS["limarp"])
        field_ = Battlefield(folder, service, watched, supervisor, courier, random.Random(seed))  # noqa: S311  a test's dice
        await service.start()
        try:
            await field_.fight(kills)
        finally:
            await service.close()
            await store.close()
        return field_.outcome


def _config(folder: Path) -> Config:
    config = defaults({})
    engine = replace(config.engine, cache=replace(config.engine.cache, ram_gib=0.0))
    model = replace(config.model, slots=2, context=1024)
    return replace(config, model=model, engine=engine, storage=replace(config.storage, directory=str(folder)))


def _story(place: Place) -> Session:
    return with_length(a_session(id=SessionId(f"story of {place.channel}"), place=place), Length.LONG)


def main() -> None:
    """Be under fire once, and tell what came of it."""
    logs.set_up(logging.WARNING)
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with tempfile.TemporaryDirectory() as folder:
        print(asyncio.run(under_fire(Path(folder), kills, seed=kills)))  # noqa: T201  what the script is for


if __name__ == "__main__":
    main()
