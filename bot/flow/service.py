"""The bot as one object: the walk wired together, started, and closed. Adapters see its receiver and `begin`."""

import asyncio
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from bot.commands.help import Written
from bot.errors import LeaseLost, Refused, StaleSession
from bot.flow.deliver import Deliverer
from bot.flow.desk import Desk
from bot.flow.desk.library import LibraryDesk
from bot.flow.desk.people import PeopleDesk
from bot.flow.desk.status import Status
from bot.flow.desk.stories import StoryDesk
from bot.flow.ending import Drain
from bot.flow.errands import Errands
from bot.flow.faces import Faces
from bot.flow.fates import Fates
from bot.flow.forgetting import Forgetter
from bot.flow.gate import Gate
from bot.flow.handle import Handler
from bot.flow.joining import Joining
from bot.flow.keeping import Keep, Sweeper
from bot.flow.lanes import Lanes
from bot.flow.lore import LoreTeller
from bot.flow.opening import opened
from bot.flow.places import Places
from bot.flow.receive import Receiver
from bot.flow.reminding import Reminder
from bot.flow.summing import Summariser
from bot.flow.take_turn import Writer
from bot.flow.tenure import Tenure
from bot.flow.turnstile import Turnstile
from bot.flow.walks import Walk, Walks
from bot.flow.window import Reading
from bot.ids import AuthorId, Place, Platform
from bot.limits import Limits
from bot.metrics import Metrics, Vitals
from bot.ports.clock import Clock
from bot.ports.courier import Courier
from bot.ports.engine import Engine
from bot.ports.store import Store
from bot.posts import Deleted, Edited, Inbound
from bot.prompt.format import PromptFormat
from bot.prompt.length import LengthTable
from bot.safety.blocklist import Blocklist
from bot.sampling import LIMARP, SamplingSettings
from bot.story.session import Session
from bot.story.settings import SessionSettings

POST_LIMIT = 16_000
"""The longest post of a player, in characters, unless configured otherwise."""


def roll() -> int:
    """A seed for a reply, rolled once and stored with it."""
    return secrets.randbits(31)


@dataclass(slots=True)
class Service:
    """Plays the stories of all places that its couriers serve.

    `deadline` is how many seconds a reply may take at most; `lengths` are what is known of models' replies, by the models'
    fingerprints. `operators` are the players who run this program, `usual` the settings of new sessions, `keep` says how
    long things are kept, `written` how platforms write commands, and `links` how they write links to their places.
    `ending` is set once it begins nothing any more. `limits` say how much of the model is anybody's.
    `walk_over` is told of each reply that has come to its place.
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
    blocklist: Blocklist = field(default_factory=Blocklist)
    operators: Collection[AuthorId] = ()
    usual: SessionSettings = field(default_factory=SessionSettings)
    keep: Keep | None = None
    limits: Limits = field(default_factory=Limits)
    written: Mapping[Platform, Written] = field(default_factory=dict)
    links: Mapping[Platform, Callable[[Place], str]] = field(default_factory=dict)
    walk_over: Callable[[Walk], None] | None = None
    ending: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    receiver: Receiver = field(init=False)
    desk: Desk = field(init=False)
    faces: Faces = field(init=False)
    _gate: Gate = field(init=False)
    _forgetter: Forgetter = field(init=False)
    _sweeper: Sweeper | None = field(init=False)
    reminder: Reminder = field(init=False)
    _places: Places = field(init=False)
    _tenure: Tenure = field(init=False)
    _lanes: Lanes = field(init=False)
    _walks: Walks = field(init=False)
    _deliverer: Deliverer = field(init=False)
    _writer: Writer = field(init=False)
    _handler: Handler = field(init=False)

    def __post_init__(self) -> None:
        places = self._places = Places(self.couriers, self.clock)
        walks = self._walks = Walks(self.clock, self.metrics, self.walk_over)
        self.faces = Faces(self.store)
        tenure = self._tenure = Tenure(self.store, self.clock, places.serves, self._take_up)
        self._lanes = Lanes(tenure.of)
        self._forgetter = Forgetter(self.store, self.engine, self.clock, self._lanes)
        self._sweeper = Sweeper(self.store, self._forgetter, self.clock, self.keep, tenure.keeps_house) if self.keep else None
        self._gate = Gate(self.engine, places, self.clock, self.store, self.blocklist)
        self._deliverer = Deliverer(self.store, places, self.clock, self.metrics, walks, tenure.of)
        wake = self._deliverer.wake
        self.reminder = Reminder(self.store, places, self._lanes, self.clock, wake, tenure.keeps_house)
        reading = Reading(self.store, self.engine, self.prompt_format, LoreTeller(self.engine), self.lengths)
        writer = Writer(
            self.store,
            self.engine,
            places,
            self._gate,
            self.clock,
            reading,
            self.sampling,
            self.metrics,
            wake,
            walks,
            self.deadline,
        )
        joining, fates = Joining(self.roll), Fates(places)
        turnstile = Turnstile(self.store, places, self.metrics, self.operators, wake, self.limits)
        library = LibraryDesk(self.store, self._gate, self._lanes)
        summariser = Summariser(self.engine, self.prompt_format, self.sampling, self.roll)
        errands = Errands(self.store, places, self._gate, summariser, library.find, wake, self._link)
        self._writer, self._handler = (
            writer,
            Handler(
                self.store,
                self._forgetter,
                places,
                self._gate,
                errands,
                self.operators,
                self.clock,
                self.metrics,
                writer,
                joining,
                wake,
                fates,
                walks,
                turnstile,
            ),
        )
        self.receiver = self._door(fates, turnstile)
        self.desk = self._desk(library, reading)

    @property
    def vitals(self) -> Vitals:
        """What it is busy with at this moment."""
        return Vitals(self._handler.writing, self._lanes.waiting, self._deliverer.oldest_seconds)

    def _link(self, place: Place) -> str:
        link = self.links.get(place.platform)
        return link(place) if link else str(place.channel)

    def _door(self, fates: Fates, turnstile: Turnstile) -> Receiver:
        return Receiver(
            self.store,
            self.clock,
            self.metrics,
            self._gate,
            self.operators,
            self.post_limit,
            self._queue,
            self._handler.stop_writing,
            self._handler.drop_stale,
            self._handler.is_writing,
            fates,
            self._settled,
            self._walks,
            turnstile,
        )

    def _desk(self, library: LibraryDesk, reading: Reading) -> Desk:
        status = Status(reading, self.sampling, self._handler.reasons)
        stories = StoryDesk(
            self.store,
            self._gate,
            self._places,
            self.clock,
            self._lanes,
            library,
            self.faces,
            status,
            self.begin,
            self._handler.stop_writing,
            self._deliverer.wake,
            self._write_on,
            self.usual,
        )
        kept = self.keep.sentence if self.keep else ""
        people = PeopleDesk(self.store, self._forgetter, self._places, self.clock, self._deliverer.wake, kept)
        return Desk(self.store, self.operators, stories, people, library, self.written)

    async def start(self) -> None:
        """Take up what an earlier run left, and where others share the store, from now on also what these leave.

        What belongs to a platform that no courier serves now is left for a run that does.
        """
        if self._sweeper:
            self._sweeper.start()
            self.reminder.start()
        self._forgetter.start()
        await self._tenure.start()

    async def drain(self) -> None:
        """Begin nothing any more, and let what is being written come to its end and to its places. Takes 25 seconds at most.

        What comes in meanwhile is kept for the next start. To be followed by `close`, while the couriers can still send.
        """
        self.ending.set()
        await self._look_no_more()
        await Drain(self.store, self._lanes, self._handler, self._deliverer, self.clock).run()

    async def _look_no_more(self) -> None:
        if self._sweeper:
            await self._sweeper.close()
            await self.reminder.close()
        await self._forgetter.close()
        await self._tenure.look_no_more()

    async def close(self) -> None:
        """Stop working. Nothing is lost: what is unfinished is taken up by the next start."""
        await self._look_no_more()
        await self._lanes.close()
        await self._deliverer.close()
        await self._tenure.close()
        self._walks.close()

    async def begin(self, session: Session) -> Session:
        """Open a story in its place, with its character's greeting shown.

        Raises Refused when the age gate is closed or the place already holds a story, and ChannelGone.
        """
        await self._gate.check(session)
        change = opened(session, await self._places.limits(session.place))
        await self._gate.check_story(change.after)
        try:
            saved = await self.store.save(change)
        except StaleSession:
            raise Refused("This place already has a story.") from None
        self._deliverer.wake(saved.place)
        try:
            return await self._writer.read_ahead(saved)
        except LeaseLost:  # It begins beside the lane; whatever is done in its place first reads it.
            return saved

    async def _take_up(self, place: Place) -> None:
        """Take up what was left in a place: undelivered posts, a half-written reply, unhandled events, in this order."""
        self._deliverer.wake(place)
        waiting = await self.store.waiting(place)
        for event in waiting:
            self._handler.expect(event)
        works = [partial(self._handler.handle, event) for event in waiting]
        # Where the story moved on under a reply, the change comes first: it takes the reply back.
        if place not in self._handler.stuck and not any(isinstance(event, Edited | Deleted) for event in waiting):
            works.insert(0, partial(self._handler.resume, place))
        self._lanes.put_first(place, works)

    def _write_on(self, place: Place) -> None:
        self._lanes.put(place, partial(self._handler.resume, place))

    def _queue(self, event: Inbound) -> None:
        self._handler.expect(event)
        self._lanes.put(event.place, partial(self._handler.handle, event))

    async def _settled(self, place: Place) -> None:
        await self._lanes.settled(place)
        await self._deliverer.settled(place)
