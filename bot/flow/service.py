"""The bot as one object: the walk wired together, started, and closed. Adapters see its receiver and `begin`."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from bot.chunking.chunker import cut
from bot.errors import Refused, StaleSession
from bot.flow.deliver import Deliverer
from bot.flow.handle import Handler
from bot.flow.lanes import Lanes
from bot.flow.places import Places
from bot.flow.receive import Receiver
from bot.flow.take_turn import Writer
from bot.flow.wishes import wishes_for
from bot.ids import Place
from bot.metrics import Metrics
from bot.ports.clock import Clock
from bot.ports.courier import Courier
from bot.ports.engine import Engine
from bot.ports.store import Change, Store, Wish
from bot.posts import ChannelLimits, Inbound
from bot.prompt.format import PromptFormat
from bot.prompt.length import LengthTable
from bot.sampling import LIMARP, SamplingSettings
from bot.story.policy import refusal
from bot.story.session import Session, greet, with_turn

POST_LIMIT = 16_000
"""The longest post of a player, in characters, unless configured otherwise."""


def roll() -> int:
    """A seed for a reply, rolled once and stored with it."""
    return secrets.randbits(31)


@dataclass(slots=True)
class Service:
    """Plays the stories of all places that its couriers serve. `deadline` is how many seconds a reply may take at most.

    `lengths` are what is known of models' replies, by the models' fingerprints.
    """

    store: Store
    engine: Engine
    couriers: Sequence[Courier]
    clock: Clock
    prompt_format: PromptFormat
    sampling: SamplingSettings = LIMARP
    metrics: Metrics = field(default_factory=Metrics)
    post_limit: int = POST_LIMIT
    deadline: float | None = None
    lengths: Mapping[str, LengthTable] = field(default_factory=dict)
    roll: Callable[[], int] = roll
    receiver: Receiver = field(init=False)
    _places: Places = field(init=False)
    _lanes: Lanes = field(init=False, default_factory=Lanes)
    _deliverer: Deliverer = field(init=False)
    _writer: Writer = field(init=False)
    _handler: Handler = field(init=False)

    def __post_init__(self) -> None:
        self._places = Places(self.couriers, self.clock)
        self._deliverer = Deliverer(self.store, self._places, self.clock, self.metrics)
        self._writer = Writer(
            self.store,
            self.engine,
            self._places,
            self.clock,
            self.prompt_format,
            self.sampling,
            self.metrics,
            self._deliverer.wake,
            self.deadline,
            self.lengths,
        )
        self._handler = Handler(
            self.store,
            self.engine,
            self._places,
            self.clock,
            self.metrics,
            self._writer,
            self.roll,
            self._deliverer.wake,
        )
        self.receiver = Receiver(
            self.store, self.metrics, self.post_limit, self._queue, self._handler.stop_writing, self._settled
        )

    async def start(self) -> None:
        """Take up what an earlier run left: undelivered posts, half-written replies, unhandled events, in this order.

        What belongs to a platform that no courier serves now is left for a run that does.
        """
        await self._deliverer.start()
        for place in await self.store.unfinished():
            if self._places.serves(place):
                self._lanes.put(place, partial(self._handler.resume, place))
        for event in await self.store.waiting():
            if self._places.serves(event.place):
                self._queue(event)

    async def close(self) -> None:
        """Stop working. Nothing is lost: what is unfinished is taken up by the next start."""
        await self._lanes.close()
        await self._deliverer.close()

    async def begin(self, session: Session) -> Session:
        """Open a story in its place, with its character's greeting shown.

        Raises Refused when the age gate is closed or the place already holds a story, and ChannelGone.
        """
        model = (await self.engine.capabilities()).rating
        if blocked := refusal(model=model, character=session.character.rating, session=session.rating):
            raise Refused(blocked)
        change = _opening(session, await self._places.limits(session.place))
        try:
            saved = await self.store.save(change)
        except StaleSession:
            raise Refused("This place already has a story.") from None
        self._deliverer.wake(saved.place)
        return await self._writer.read_ahead(saved)

    def _queue(self, event: Inbound) -> None:
        self._lanes.put(event.place, partial(self._handler.handle, event))

    async def _settled(self, place: Place) -> None:
        await self._lanes.settled(place)
        await self._deliverer.settled(place)


def _opening(session: Session, limits: ChannelLimits) -> Change:
    opened = greet(session)
    greeting = opened.last
    if greeting is None:
        return Change(None, opened)
    posts = tuple(chunk.text for chunk in cut(greeting.text, limits))
    wishes: tuple[Wish, ...] = wishes_for(opened, greeting, posts)
    return Change(None, with_turn(opened, replace(greeting, posts=posts)), wishes)
