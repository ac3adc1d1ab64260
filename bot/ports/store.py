"""The wall to the store: what the bot wants remembered, and in which steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.ids import EventId, MessageId, Place, PostKey
from bot.posts import Inbound, OutboundPost
from bot.story.session import Session
from bot.story.turn import Turn


@dataclass(frozen=True, slots=True)
class Removal:
    """Take away what stands at one position of a turn."""

    key: PostKey
    place: Place
    turn: int
    position: int


Wish = OutboundPost | Removal
"""What a place should come to show: this text at this position (sent or edited in place), or nothing there any more."""


@dataclass(frozen=True, slots=True)
class Change:
    """All that one step of the walk wants stored, in one transaction or not at all.

    `before` is the session as it was read (None: it is new), `after` as it shall be: turns that differ are written, turns
    that `after` lost at its end are deleted, turns that left its window stay. `handled` is the inbound event that
    this change answers.
    """

    before: Session | None
    after: Session
    wishes: tuple[Wish, ...] = ()
    handled: EventId | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A post that stands in its place: which message the platform calls it, what it shows, and when it was last brought."""

    message: MessageId
    post: OutboundPost


@dataclass(frozen=True, slots=True)
class Delivery:
    """A wish whose time has come, claimed for one deliverer.

    `standing` is the message that stands at the wish's position, if one does. `attempts` counts earlier tries; `uncertain`
    says that an earlier try may have arrived without its receipt being kept.
    """

    id: int
    wish: Wish
    standing: MessageId | None
    last_message: MessageId | None
    attempts: int
    uncertain: bool


@dataclass(frozen=True, slots=True)
class StoryPage:
    """A stretch of a story as people read it: turns in order, the posts that stand for them, and whether older turns exist."""

    turns: tuple[Turn, ...]
    shown: tuple[Shown, ...]
    has_older: bool


class Store(Protocol):
    """Remembers. Every method is one transaction; when it returns, the step survives a crash. May raise StoreUnavailable."""

    async def receive(self, event: Inbound) -> bool:
        """Keep an inbound event until it is handled. False when this platform's event id was kept before: drop it."""
        ...

    async def waiting(self) -> tuple[Inbound, ...]:
        """The events that are kept and not handled, in the order in which they came."""
        ...

    async def dismiss(self, place: Place, event: EventId, wishes: Sequence[Wish] = ()) -> None:
        """An event is handled without changing the story; the wishes (a notice, say) are kept in the same transaction.

        Raises AlreadyHandled, and stores nothing, when the event is not waiting.
        """
        ...

    async def session_at(self, place: Place) -> Session | None:
        """The session of a place with the turns of its window; None when the place has none."""
        ...

    async def places(self) -> tuple[Place, ...]:
        """The places that hold a session, in the order in which these began."""
        ...

    async def save(self, change: Change) -> Session:
        """Store a change; returns `after` with its new version.

        Raises StaleSession, and stores nothing, when the stored session is not at `before`'s version any more (or, for
        a new one, when the place already holds a session); AlreadyHandled, likewise, when `handled` names an event that
        is not waiting: it was answered before, or never received. The cost depends on the change, not on the story's length.
        """
        ...

    async def unfinished(self) -> tuple[Place, ...]:
        """The places whose session has a turn that is still being written: after a start, what a crash left behind."""
        ...

    async def page(self, place: Place, *, before: int | None = None, limit: int = 50) -> StoryPage:
        """The newest `limit` turns of a story (older than turn number `before`), for people to read."""
        ...

    async def claim(self, place: Place, now: float) -> Delivery | None:
        """The oldest wish of a place, if its time has come. It stays the oldest until it is settled: order holds."""
        ...

    async def outstanding(self) -> tuple[Place, ...]:
        """The places that have wishes which are not settled."""
        ...

    async def attempt(self, delivery: int) -> None:
        """A try begins: from now until it is settled or postponed its outcome is uncertain."""
        ...

    async def settle(self, delivery: int, message: MessageId | None) -> None:
        """The wish has come true: `message` stands at its position now (None: nothing stands there)."""
        ...

    async def postpone(self, delivery: int, until: float, *, uncertain: bool) -> None:
        """The try failed; the wish is due again at `until` (seconds since the epoch)."""
        ...

    async def abandon(self, delivery: int, reason: str) -> None:
        """The wish will never come true; the reason is kept, and later wishes of the place go on."""
        ...

    async def close(self) -> None:
        """Give back the connections."""
        ...
