"""The wall to a platform: bringing posts to their place."""

from collections.abc import Sequence
from typing import Protocol

from bot.ids import EventId, MessageId, Place, Platform
from bot.posts import ChannelLimits, Draft, Fate, OutboundPost, PostReceipt


class Courier(Protocol):
    """Brings posts to places of one platform, one call at a time per place.

    Every method may raise TryLater, ChannelGone, PostRefused or OutcomeUnknown, and nothing else. A courier keeps no
    queue, never retries by itself and never calls back. It does not change a post's text.
    """

    @property
    def platform(self) -> Platform:
        """The platform whose places it serves."""
        ...

    async def limits(self, place: Place) -> ChannelLimits:
        """What this place accepts. No guess: where it cannot be known, raise TryLater."""
        ...

    async def send(self, post: OutboundPost) -> PostReceipt:
        """Show a new post. A second call with the same key must not show it twice and returns the first receipt."""
        ...

    async def edit(self, message: MessageId, post: OutboundPost) -> None:
        """Replace the text of a post in place. A message that is gone raises PostRefused, or PostGone: it can be sent anew."""
        ...

    async def delete(self, place: Place, message: MessageId) -> None:
        """Take a post away. A message that is already gone is no error."""
        ...

    async def read_back(self, post: OutboundPost, after: MessageId | None) -> PostReceipt | None:
        """Whether this post already stands in its place, looking after message `after`; None when it does not."""
        ...

    async def open(self, near: Place, title: str, key: str) -> Place:
        """A new place beside one, for a story of its own: a thread, say, with this title. The same key opens the same place.

        Raises PostRefused, with a sentence for the player, where none can be opened.
        """
        ...

    async def writing(self, place: Place, draft: Draft) -> None:
        """Let the place see that its character is writing, and what, where it can show that. Best effort: never raises."""
        ...

    async def tell_fate(self, place: Place, post: EventId, fate: Fate | None) -> None:
        """Show what became of a player's post beside it; None takes the sign away.

        Best effort: it neither raises nor waits for the platform.
        """
        ...

    async def resting(self, place: Place, turn: int) -> None:
        """Let the place see that nobody writes on this turn any more. Best effort: never raises."""
        ...


def courier_for(couriers: Sequence[Courier], place: Place) -> Courier:
    """The courier of a place's platform. Raises KeyError when no adapter serves it: a mistake of the wiring."""
    for courier in couriers:
        if courier.platform == place.platform:
            return courier
    raise KeyError(f"no courier serves the platform {place.platform}")
