"""The wall to the store, eighth part: which of several processes on one database works on a place. It knows no work."""

from enum import Enum, auto
from typing import Protocol

from bot.ids import Place

LEASE_SECONDS = 6.0
"""After so many seconds without a beat a process counts as dead, and others take over its places."""


class Lease(Enum):
    """Whose a place is. `INHERITED` is ours, from a process that died: what it was doing may be half done."""

    OURS = auto()
    INHERITED = auto()
    THEIRS = auto()


class Leases(Protocol):
    """Says who may work on a place. A process counts as alive for LEASE_SECONDS after each beat, by the database's own clock.

    Where several processes can share the store, what works on a place is stored for its holder only: `save` of a session
    that was read before (unless the change is made beside the work on its place), `dismiss`, `attempt`, `postpone` and
    `abandon` raise LeaseLost for everybody else, and store nothing. So a process that was taken for dead does no harm.
    """

    @property
    def is_shared(self) -> bool:
        """Whether several processes can share the store. Where not, every place is ours, and nothing is ever lost."""
        ...

    async def beat(self) -> None:
        """This process is alive. It holds nothing before its first beat."""
        ...

    async def lease(self, place: Place) -> Lease:
        """Work on a place from now on, if nobody who is alive does. It may be asked again; it never waits for anybody."""
        ...

    async def give_back(self, place: Place) -> None:
        """Work on a place no longer."""
        ...

    async def unattended(self, now: float) -> tuple[Place, ...]:
        """The places where something is left to do and nobody who is alive works on it.

        Left to do are events that wait, half-written replies, and wishes; where the store is shared, only wishes whose time
        has come at `now` (seconds since the epoch), as whoever postponed one may still look after it.
        """
        ...

    async def retire(self) -> None:
        """This process works on nothing any more: others need not wait until it counts as dead."""
        ...
