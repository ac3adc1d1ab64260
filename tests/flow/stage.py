"""A whole bot on fakes: memory for a store, a scripted engine, a recording courier, a clock that stands still."""

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from bot.flow.service import Service
from bot.ids import EventId
from bot.ports.store import Change
from bot.posts import ChannelLimits
from bot.story.policy import Rating
from bot.story.session import Session, with_length
from bot.story.settings import Length
from tests.builders import HERE, TOBIAS, a_command, a_post, a_session
from tests.fakes.clock import FrozenClock
from tests.fakes.courier import Mishap, RecordingCourier
from tests.fakes.engine import ScriptedEngine, ScriptedReply
from tests.fakes.service import a_service, seeds
from tests.fakes.store import MemoryStore

LIMITS = ChannelLimits(2000, streams=True)
ADULTS = ChannelLimits(300, streams=True, adults_only=True)


@dataclass(slots=True)
class Stage:
    """The fakes and the service over them. `post` and `act` wait until the place has settled."""

    engine: ScriptedEngine
    courier: RecordingCourier
    store: MemoryStore = field(default_factory=MemoryStore)
    clock: FrozenClock = field(default_factory=FrozenClock)
    service: Service = field(init=False)
    _events: Iterable[int] = field(default_factory=lambda: count(1))
    _roll: Callable[[], int] = field(default_factory=seeds)

    def __post_init__(self) -> None:
        self.service = self.new_service()

    def new_service(self, **changes: Any) -> Service:
        """Another bot over the same store, as after a restart."""
        return a_service(self.store, self.engine, self.courier, self.clock, roll=self._roll, **changes)

    async def post(self, text: str, **changes: Any) -> None:
        await self.service.receiver.receive(a_post(text, **{"event": self._event(), **changes}))
        await self.service.receiver.settled(HERE)

    async def act(self, name: str, /, **values: str | int) -> None:
        await self.service.receiver.receive(a_command(name, self._event(), **values))
        await self.service.receiver.settled(HERE)

    async def session(self) -> Session:
        session = await self.store.session_at(HERE)
        assert session is not None
        return session

    @property
    def shown(self) -> tuple[str, ...]:
        return self.courier.texts(HERE)

    def _event(self) -> EventId:
        return EventId(f"event-{next(iter(self._events))}")


@asynccontextmanager
async def a_stage(
    replies: Iterable[str | Sequence[str] | ScriptedReply] = ('"Come in," she said.',),
    *,
    limits: ChannelLimits = LIMITS,
    mishaps: Sequence[Mishap] = (),
    begin: bool = True,
    **engine: int,
) -> AsyncGenerator[Stage, None]:
    """A started bot, with Mira's story opened in the thread unless `begin` is False."""
    stage = Stage(
        ScriptedEngine(replies, **engine),  # type: ignore[arg-type]  # only `context` is passed through
        RecordingCourier(channel_limits=limits, mishaps=mishaps),
    )
    await stage.service.start()
    try:
        if begin:
            await stage.service.begin(with_length(a_session(), Length.UNLIMITED))
            await stage.service.receiver.settled(HERE)
        yield stage
    finally:
        await stage.service.close()


@asynccontextmanager
async def adult_stage(*replies: str) -> AsyncGenerator[Stage, None]:
    """Mira's story as one for adults, in a place for them."""
    async with a_stage(replies, limits=ADULTS, begin=False, context=8192) as stage:
        await stage.service.begin(a_session(rating=Rating.ADULT))
        await stage.service.receiver.settled(HERE)
        yield stage


async def owned(stage: Stage) -> Session:
    """The story, begun by Tobias."""
    session = await stage.session()
    after = replace(session, table=replace(session.table, owner=TOBIAS.author))
    return await stage.store.save(Change(session, after))
