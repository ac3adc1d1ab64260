"""The door through which adapters bring events in: cleaned, stored once, and handed to the lane of their place."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.cleaning import clean_input, clean_name
from bot.ids import Place
from bot.metrics import Metrics
from bot.ports.store import Store
from bot.posts import Act, Command, Inbound

WORD = 64
"""The most characters that are taken of a command that is answered with one word."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Takes events from adapters. `post_limit` is the longest post of a player, in characters."""

    store: Store
    metrics: Metrics
    post_limit: int
    queue: Callable[[Inbound], None]
    stop_writing: Callable[[Place], bool]
    wait_until_settled: Callable[[Place], Awaitable[None]]

    async def receive(self, event: Inbound) -> None:
        """Take an event in. Once this returns it will be handled, whatever happens, and once, however often it comes.

        Raises Refused, with a sentence for the player, when the text cannot be used (nothing is stored then), and
        StoreUnavailable.
        """
        cleaned = self._cleaned(event)
        if not await self.store.receive(cleaned):
            # It may still wait: kept by a call whose answer was lost. If it was handled, its lane finds that out.
            self.metrics.count("duplicate_events")
        self.queue(cleaned)

    def stop(self, place: Place) -> bool:
        """Stop the reply that is being written in a place; False when none is."""
        return self.stop_writing(place)

    async def settled(self, place: Place) -> None:
        """Return when nothing of this place is waiting, being written or undelivered."""
        await self.wait_until_settled(place)

    def _cleaned(self, event: Inbound) -> Inbound:
        if isinstance(event, Command):
            text = clean_input(event.text, self.post_limit) if event.act is Act.EDIT else event.text[:WORD]
            return replace(event, text=text)
        return replace(event, text=clean_input(event.text, self.post_limit), author_name=clean_name(event.author_name))
