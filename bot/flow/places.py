"""The places of all platforms through one door: limits asked with patience, and the best-effort signs of writing."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import CourierError, OutcomeUnknown, TryLater
from bot.ids import CommunityId, EventId, Place
from bot.ports.clock import Clock
from bot.ports.courier import Courier, courier_for
from bot.posts import ChannelLimits, Draft, Fate

RECHECK = 1.0
"""Seconds until a platform that broke off is asked again."""


@dataclass(frozen=True, slots=True)
class Places:
    """All couriers, found by place."""

    couriers: Sequence[Courier]
    clock: Clock

    def courier(self, place: Place) -> Courier:
        """The courier that serves a place. Raises KeyError when no adapter does."""
        return courier_for(self.couriers, place)

    def serves(self, place: Place) -> bool:
        """Whether an adapter serves the place's platform now; stories of others rest until one does."""
        return any(courier.platform == place.platform for courier in self.couriers)

    async def limits(self, place: Place) -> ChannelLimits:
        """What a place accepts, asked again as long as the platform asks to wait. Raises ChannelGone."""
        while True:
            try:
                return await self.courier(place).limits(place)
            except TryLater as patience:
                await self.clock.sleep(patience.seconds)
            except OutcomeUnknown:
                # Asking again is harmless: nothing is shown by it, and the same key opens the same place.
                await self.clock.sleep(RECHECK)

    async def community(self, place: Place) -> CommunityId | None:
        """Whose community a place is of; None where that cannot be told at once."""
        try:
            return (await self.courier(place).limits(place)).community
        except CourierError:
            return None

    async def open(self, near: Place, title: str, key: str) -> Place:
        """A new place beside one, asked for again as long as the platform asks to wait. Raises PostRefused and ChannelGone."""
        while True:
            try:
                return await self.courier(near).open(near, title, key)
            except TryLater as patience:
                await self.clock.sleep(patience.seconds)
            except OutcomeUnknown:
                # Asking again is harmless: nothing is shown by it, and the same key opens the same place.
                await self.clock.sleep(RECHECK)

    async def writing(self, place: Place, draft: Draft) -> None:
        """Show that a reply is being written."""
        await self.courier(place).writing(place, draft)

    async def tell_fate(self, place: Place, post: EventId, fate: Fate | None) -> None:
        """Show what became of a player's post."""
        await self.courier(place).tell_fate(place, post, fate)

    async def resting(self, place: Place, turn: int) -> None:
        """Show that it no longer is."""
        await self.courier(place).resting(place, turn)
