"""The wall to the store, eighth part: how much there is of everything, for the operator. It tells nothing of stories' words."""

from dataclasses import dataclass
from typing import Protocol

from bot.ids import Place


@dataclass(frozen=True, slots=True)
class SessionInBrief:
    """A session as the operator sees it: where it is, who plays in it, how many turns it has had, and when it changed last.

    `name` is its first character's; `touched` is in seconds since the epoch.
    """

    place: Place
    name: str
    turns: int
    touched: float


@dataclass(frozen=True, slots=True)
class Inventory:
    """How much there is.

    `sessions` are in places and `ended` ones in the bin, `events` are not handled and `wishes` not settled; `newest` are the
    sessions in places that changed last.
    """

    sessions: int = 0
    ended: int = 0
    events: int = 0
    wishes: int = 0
    newest: tuple[SessionInBrief, ...] = ()


class Overview(Protocol):
    """Counts. Every method is one transaction."""

    async def inventory(self, newest: int = 0) -> Inventory:
        """How much there is, with this many of the sessions in places, the one that changed last first."""
        ...
