"""The wall to the store, seventh part: what an adapter took in from its platform, stored together with how far it has read.

For platforms that are read as one stream: the place in the stream and what came up to there are kept in one step, so that a
crash neither loses an event nor brings it twice. What a payload and a mark say only the adapter knows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.ids import AuthorId, ChannelKey, EventId, Platform


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event of a platform as it came. `author` is whose words it may hold; the payload shows up in no representation."""

    event: EventId
    channel: ChannelKey
    author: AuthorId
    payload: str = field(repr=False)


class Arrivals(Protocol):
    """Remembers arrivals until they are let go. Every method is one transaction."""

    async def take_in(self, platform: Platform, mark: str, arrivals: Sequence[Arrival]) -> tuple[Arrival, ...]:
        """Keep how far a platform was read, and what came up to there. Returns what is new; the rest was taken in before."""
        ...

    async def arrived(self, platform: Platform) -> tuple[Arrival, ...]:
        """What was taken in and not let go, in the order in which it came."""
        ...

    async def let_go(self, platform: Platform, event: EventId) -> None:
        """An arrival needs nothing more: its payload goes. Its id stays for a week, so that it is not taken in again."""
        ...

    async def read_up_to(self, platform: Platform) -> str:
        """How far a platform was read; empty where it never was."""
        ...
