"""The wall to the store, second part: sessions that have ended, and how long anything is kept."""

from dataclasses import dataclass
from typing import Protocol

from bot.ids import AuthorId, Place, SessionId
from bot.story.session import Session


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session in the bin, as a list shows it: its character's name, when it ended (seconds since the epoch), its length.

    `place` is where it was played last.
    """

    id: SessionId
    name: str
    ended: float
    turns: int
    place: Place


class Bin(Protocol):
    """Sessions leave their place for the bin, and the bin for good. Every method is one transaction.

    What is deleted for good is gone when the method returns: from the tables, and from the files of the database as far as
    the store reaches (see `Privacy`).
    """

    async def end(self, place: Place, now: float) -> SessionId | None:
        """The session of a place leaves it for the bin. None when the place has none.

        Wishes that are outstanding stay so; they and the posts that stand in the place go on belonging to the ended session,
        so that the next one there numbers its turns from 0 without meeting them. Changes to the session are stale from now on.
        """
        ...

    async def ended(self, place: Place) -> tuple[EndedSession, ...]:
        """The sessions in the bin that had this place, the one that ended last first."""
        ...

    async def ended_of(self, owner: AuthorId) -> tuple[EndedSession, ...]:
        """The sessions in the bin that this player began, wherever they were played, the one that ended last first."""
        ...

    async def resume(self, session: SessionId, place: Place) -> Session:
        """A session leaves the bin for a place: its old one, where its posts can be changed again, or another.

        A reply that was being written when it ended is open still, as after a crash. Raises Refused when the place
        holds a session, or when the bin does not have this one (any more).
        """
        ...

    async def empty_bin(self, before: float) -> tuple[SessionId, ...]:
        """Delete for good what ended before a time, with all that stands and waits for it; returns what that was."""
        ...

    async def delete_untouched(self, before: float) -> tuple[SessionId, ...]:
        """Delete for good, likewise, what was changed before a time for the last time, in a place or in the bin."""
        ...

    async def drop_handled(self, keep: int, of_place: int) -> int:
        """Drop the ids of events that are handled, and why they were refused, but for the newest `keep` of all events.

        Kept too are the newest `of_place` of each place: where it is quiet, a platform tells the last post again however much
        has happened elsewhere. Returns how many were dropped. What comes again after that is new.
        """
        ...
