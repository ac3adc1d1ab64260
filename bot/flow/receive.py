"""The door through which adapters bring events in: cleaned, stored once, and handed to the lane of their place."""

import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace

from bot.cleaning import clean_input, clean_name
from bot.commands.spec import Who
from bot.errors import Refused
from bot.flow.decide import circle
from bot.flow.fates import Fates
from bot.flow.gate import Gate, sentence
from bot.flow.turnstile import Turnstile
from bot.flow.walks import Walks
from bot.ids import AuthorId, Place
from bot.metrics import Metrics
from bot.ports.clock import Clock
from bot.ports.store import Store
from bot.posts import Command, Deleted, Edited, Inbound, InboundPost
from bot.story.session import Session

log = logging.getLogger(__name__)

KINDS = {InboundPost: "post", Command: "command", Edited: "edited", Deleted: "deleted"}
"""What kinds of events are called where they are counted."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Takes events from adapters. `post_limit` is the longest post of a player, in characters."""

    store: Store
    clock: Clock
    metrics: Metrics
    gate: Gate
    operators: Collection[AuthorId]
    post_limit: int
    queue: Callable[[Inbound], None]
    stop_writing: Callable[[Place], bool]
    drop_stale: Callable[[Edited | Deleted], Awaitable[None]]
    is_writing: Callable[[Place], bool]
    fates: Fates
    wait_until_settled: Callable[[Place], Awaitable[None]]
    walks: Walks
    turnstile: Turnstile

    async def receive(self, event: Inbound) -> None:
        """Take an event in. Once this returns it will be handled, whatever happens, and once, however often it comes.

        Raises Refused, with a sentence for the player, when the text cannot be used or a command asks for more than a limit
        allows (nothing is stored then), and StoreUnavailable.
        """
        began, cleaned = self.clock.ticks(), self._cleaned(event)
        session = await self.store.session_at(event.place)
        await self._judge(session, cleaned)
        await self.turnstile.count(session, cleaned)
        is_new = await self.store.receive(cleaned)
        if is_new:
            self.metrics.count("events", KINDS[type(cleaned)])
        else:
            # It may still wait: kept by a call whose answer was lost. If it was handled, its lane finds that out.
            self.metrics.count("duplicate_events")
        if is_new and self.is_writing(cleaned.place):
            await self.fates.queued(cleaned)
        try:
            await self._interrupt(cleaned, is_new=is_new)
        finally:
            self.walks.came(cleaned, began)
            self.queue(cleaned)

    async def _interrupt(self, event: Inbound, *, is_new: bool) -> None:
        """What cannot wait for the reply that is being written: it is stopped, or taken back."""
        if isinstance(event, Edited | Deleted):
            await self.drop_stale(event)
        elif is_new and isinstance(event, Command) and event.name == "pause":
            session = await self.store.session_at(event.place)
            if session is not None and circle(session, event, self.operators).may(Who.PLAYER):
                self.stop_writing(event.place)

    async def place_gone(self, place: Place) -> None:
        """A place is gone, or nobody can post in it any more: its story rests in the bin. Raises StoreUnavailable."""
        self.stop_writing(place)
        if await self.store.end(place, self.clock.now()) is not None:
            log.info("a story ended, as its place is gone", extra={"action": "end_story", "place": place})

    def stop(self, place: Place) -> bool:
        """Stop the reply that is being written in a place; False when none is."""
        return self.stop_writing(place)

    async def settled(self, place: Place) -> None:
        """Return when nothing of this place is waiting, being written or undelivered."""
        await self.wait_until_settled(place)

    async def _judge(self, session: Session | None, event: Inbound) -> None:
        """Raises Refused for words that may not join the story of their place: they are gone, their id and the reason stay."""
        found = await self.gate.judge_at_once(session, event) if session else None
        if found is not None:
            if not await self.gate.put_away(event.event, event.place, found.reason):
                return  # It came again, and is in the story: its lane finds that out.
            self.metrics.count("refused_posts", found.reason)
            raise Refused(sentence(found, "That"))

    def _cleaned(self, event: Inbound) -> Inbound:
        match event:
            case Command():
                values = {name: self._value(value) for name, value in event.values.items()}
                return replace(
                    event, values=values, author_name=clean_name(event.author_name) if event.author_name.strip() else ""
                )
            case Edited():
                return replace(event, text=clean_input(event.text, self.post_limit))
            case Deleted():
                return event
        return replace(event, text=clean_input(event.text, self.post_limit), author_name=clean_name(event.author_name))

    def _value(self, value: str | int) -> str | int:
        return clean_input(value, self.post_limit) if isinstance(value, str) and value.strip() else value
