"""The wall to the store: what the bot wants remembered, and in which steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.ids import EventId, MessageId, Place, PostKey, SessionId
from bot.ports.arrivals import Arrivals
from bot.ports.bin import Bin
from bot.ports.bookmarks import Bookmarks
from bot.ports.leases import Leases
from bot.ports.ledger import Ledger
from bot.ports.library import Library
from bot.ports.overview import Overview
from bot.ports.privacy import Privacy
from bot.ports.reports import Reports
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

    `before` is the session as it was read (None: it is new), `after` as it shall be: what differs is written. Turns of
    `before` that `after` has lost are deleted, wherever they stood, but for those older than its window and than all of
    its turns: they have left the window and stay. `handled` is the inbound event that this change answers. `loses_words`
    says that what an engine has read of the session holds words that are gone now: see `Privacy.unforgotten`. `beside` says
    that it is no step of the work on its place, so that no lease of it is needed: who works there finds the story moved on.
    `spent` are the tokens that a model has read and written for it since the last change: see `Ledger`.

    `after` may hold turns older than its window: those of a new session that began as a copy (they are kept outside its
    window), and those of a session that was read by `widened`.
    """

    before: Session | None
    after: Session
    wishes: tuple[Wish, ...] = ()
    handled: EventId | None = None
    loses_words: bool = False
    beside: bool = False
    spent: int = 0


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


class Store(Bin, Library, Reports, Privacy, Bookmarks, Arrivals, Leases, Overview, Ledger, Protocol):
    """Remembers. Every method is one transaction; when it returns, the step survives a crash. May raise StoreUnavailable.

    Any text at all may be stored, and comes back as it was. Text that a step takes away is gone from the files of SQLite when
    the step returns, but for copies that it now and then leaves in pages which it divided; the next deletion for good, or
    forgetting of a player, clears those. PostgreSQL clears them when it cleans its tables.
    """

    async def receive(self, event: Inbound) -> bool:
        """Keep an inbound event until it is handled. False when this platform's event id was kept before: drop it."""
        ...

    async def waiting(self, place: Place | None = None) -> tuple[Inbound, ...]:
        """The events that are kept and not handled, in the order in which they came: of all places, or of one."""
        ...

    async def dismiss(self, place: Place, event: EventId, wishes: Sequence[Wish] = ()) -> None:
        """An event is handled without changing the story; the wishes (a notice, say) are kept in the same transaction.

        Raises AlreadyHandled, and stores nothing, when the event is not waiting.
        """
        ...

    async def session_at(self, place: Place) -> Session | None:
        """The session of a place with the turns of its window; None when the place has none."""
        ...

    async def widened(self, place: Place, back_to: int) -> Session | None:
        """The session of a place with its window begun at turn number `back_to`, if that is earlier, to change older turns.

        A change whose `before` was read so, and whose `after` has the same `window_start`, leaves the window where it was,
        unless it deletes so much that the window would be all but empty: then it begins at `back_to` from now on.
        """
        ...

    async def turns(self, session: SessionId) -> tuple[Turn, ...]:
        """All turns of a session, in a place or in the bin, in order; none when it is not stored."""
        ...

    async def turn_of(self, place: Place, event: EventId) -> int | None:
        """The number of the turn that a place's session made of this message of the platform, in its window or not."""
        ...

    async def post_shown_as(self, place: Place, message: MessageId) -> OutboundPost | None:
        """The post that this message of the platform shows for the session of a place; None when it is none of its."""
        ...

    async def places(self) -> tuple[Place, ...]:
        """The places that hold a session, in the order in which these began."""
        ...

    async def reminding(self) -> tuple[Place, ...]:
        """Those of them whose session reminds whoever holds it up. No story is read for that."""
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
