"""How long the stations of a reply's walk take, from a post's arrival to its delivery. It knows no wall but the clock.

Rule: one line of the log a walk, when it is over; it holds no word that anybody wrote.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from bot.ids import EventId, Place, PostKey, SessionId
from bot.metrics import Metrics
from bot.ports.clock import Clock
from bot.ports.engine import Usage
from bot.ports.store import Wish
from bot.posts import Inbound, OutboundPost
from bot.story.session import Session

log = logging.getLogger(__name__)

OPEN = 8
"""How many walks of a place are kept in mind while their posts cannot be delivered; the oldest is told of as it is then."""


class Station(StrEnum):
    """What a walk passes, in this order."""

    DECIDED = "decided"
    FIRST_TOKEN = "first_token"  # noqa: S105  no password
    FIRST_POST = "first_post"
    FINISHED = "finished"
    DELIVERED = "delivered"


@dataclass(slots=True, eq=False)
class Walk:
    """One reply on its way. `began` and `at` are in seconds of a clock that never jumps; `expected` are posts not sent yet."""

    place: Place
    session: SessionId
    turn: int
    began: float
    at: dict[Station, float] = field(default_factory=dict)
    expected: set[PostKey] = field(default_factory=set)
    outcome: str = ""
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def seconds(self) -> dict[Station, float]:
        """Seconds from the beginning to each station that was passed, in order."""
        return {station: self.at[station] - self.began for station in Station if station in self.at}

    def expects(self, wishes: Iterable[Wish]) -> None:
        """These are about to be stored for it."""
        self.expected.update(wish.key for wish in wishes)

    def used(self, usage: Usage) -> None:
        """What the engine read and wrote for it; the last try counts."""
        self.facts |= {"prompt": usage.prompt_tokens, "cached": usage.cached_tokens, "written": usage.completion_tokens}


@dataclass(slots=True)
class _Arrival:
    """When an event came in, and when it was decided on."""

    began: float
    decided: float | None = None


@dataclass(slots=True)
class Walks:
    """Times the walks of all places. What was under way in an earlier run is timed from its resumption.

    `over` is told of each walk that is over.
    """

    clock: Clock
    metrics: Metrics
    over: Callable[[Walk], None] | None = None
    _came: dict[tuple[Place, EventId], float] = field(default_factory=dict)
    _handled: dict[Place, _Arrival] = field(default_factory=dict)
    _open: dict[Place, list[Walk]] = field(default_factory=dict)

    def came(self, event: Inbound, at: float) -> None:
        """An event came in at this time, and is stored."""
        self._came.setdefault((event.place, event.event), at)

    def taken(self, event: Inbound) -> None:
        """The lane of its place has come to an event."""
        self._handled[event.place] = _Arrival(self._came.pop((event.place, event.event), self.clock.ticks()))

    def decided(self, place: Place) -> None:
        """What comes of the event that a lane handles is stored."""
        if place in self._handled:
            self._handled[place].decided = self.clock.ticks()

    def left(self, place: Place) -> None:
        """A lane is done with its event."""
        self._handled.pop(place, None)

    def open(self, session: Session, turn: int) -> Walk:
        """The walk of the reply that is being written; the same one, if it begins again after a lost store."""
        walks = self._open.setdefault(session.place, [])
        for walk in walks:
            if walk.turn == turn and walk.session == session.id and not walk.outcome:
                return walk
        arrival = self._handled.pop(session.place, None)
        walk = Walk(session.place, session.id, turn, self.clock.ticks())
        # A reply of an earlier run is written before the event that a lane has come to is decided on.
        if arrival is not None and arrival.decided is not None:
            walk.began = arrival.began
            walk.at[Station.DECIDED] = arrival.decided
        walks.append(walk)
        if len(walks) > OPEN:
            self._tell(walks.pop(0))
        return walk

    def passes(self, walk: Walk, station: Station) -> None:
        """A walk comes to a station; only its first time there counts."""
        walk.at.setdefault(station, self.clock.ticks())

    def finish(self, walk: Walk, outcome: str) -> None:
        """Nothing more is written of a reply."""
        walk.outcome = outcome
        self.passes(walk, Station.FINISHED)
        self._end_if_over(walk)

    def settled(self, place: Place, wish: Wish, *, shown: bool = True) -> None:
        """A wish of a place has come true, or, where it is not `shown`, never will."""
        for walk in tuple(self._open.get(place, ())):
            if wish.key not in walk.expected:
                continue
            walk.expected.discard(wish.key)
            if not shown:
                walk.facts["undelivered"] = True
            elif isinstance(wish, OutboundPost) and wish.position is not None:
                self.passes(walk, Station.FIRST_POST)
            self._end_if_over(walk)

    def close(self) -> None:
        """Tell of the walks that have not come to their end."""
        for walk in [each for walks in self._open.values() for each in walks]:
            self._tell(walk)
        self._open.clear()

    def _end_if_over(self, walk: Walk) -> None:
        if not walk.outcome or walk.expected:
            return
        if Station.FIRST_POST in walk.at and "undelivered" not in walk.facts:
            self.passes(walk, Station.DELIVERED)
        walks = self._open[walk.place]
        walks.remove(walk)
        if not walks:
            del self._open[walk.place]
        self._tell(walk)

    def _tell(self, walk: Walk) -> None:
        seconds = walk.seconds
        for station, each in seconds.items():
            self.metrics.took("walk_seconds", each, station)
        shown = {station.value: round(each, 3) for station, each in seconds.items()}
        place = f"{walk.place.platform} {walk.place.channel}"
        facts = {"action": "turn", "place": place, "session": walk.session, "turn": walk.turn}
        facts |= {"outcome": walk.outcome or "unfinished", **shown, **walk.facts}
        log.info("a turn was written", extra=facts)
        if self.over is not None:
            self.over(walk)
