"""The second walk: wishes out of the store, through a courier, receipts back in. One worker per place, so order holds.

Rule 1: an attempt is stored before it is made, so that after a crash its outcome counts as uncertain.
Rule 2: an uncertain sending is read back before it is made again.
Rule 3: where several processes share the store, posts are brought by the one whose place it is.
Rule 4: a post that was taken away by others, and is to be changed, is sent anew, and what follows it in its turn after it.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field

from bot.errors import ChannelGone, LeaseLost, OutcomeUnknown, PostGone, PostRefused, StoreError, StoreUnavailable, TryLater
from bot.flow.places import Places
from bot.flow.tenure import Hold, alone
from bot.flow.walks import Walks
from bot.ids import MessageId, Place
from bot.lately import Lately
from bot.metrics import Metrics
from bot.ports.clock import Clock
from bot.ports.store import Delivery, Removal, Store
from bot.posts import OutboundPost

log = logging.getLogger(__name__)

BACKOFF = 1.0
BACKOFF_LIMIT = 300.0
RECHECK = 1.0

ANEW = 1_000
"""Of how many places is known where a turn was shown anew last: more than there are in which one is changed at a time."""


@dataclass(slots=True)
class Deliverer:
    """Brings wishes to their places. `wake` after storing some; `hold` is entered while posts are brought to a place."""

    store: Store
    places: Places
    clock: Clock
    metrics: Metrics
    walks: Walks
    hold: Hold = alone
    _bells: dict[Place, asyncio.Event] = field(default_factory=dict)
    _idle: dict[Place, asyncio.Event] = field(default_factory=dict)
    _workers: dict[Place, asyncio.Task[None]] = field(default_factory=dict)
    _anew_after: Lately[Place, tuple[int, int]] = field(default_factory=lambda: Lately(ANEW))
    _oldest: dict[Place, tuple[int, float]] = field(default_factory=dict)

    def wake(self, place: Place) -> None:
        """There may be something to deliver to this place."""
        if place not in self._workers:
            self._bells[place] = asyncio.Event()
            self._idle[place] = asyncio.Event()
            self._workers[place] = asyncio.create_task(self._work(place), name=f"deliver {place.channel}")
        self._bells[place].set()

    @property
    def oldest_seconds(self) -> float:
        """For how long the post that has been the oldest of its place for longest has been so; 0 where none waits."""
        now = self.clock.ticks()
        return max((now - since for _, since in self._oldest.values()), default=0.0)

    async def settled(self, place: Place) -> None:
        """Return when nothing is left to deliver to this place."""
        if place in self._idle:
            await self._idle[place].wait()

    async def drain(self, seconds: float) -> None:
        """Return when whatever is due within so many seconds has reached its place."""
        until = self.clock.now() + seconds
        for place in tuple(self._workers):
            if await self.store.claim(place, until) is not None:
                await self.settled(place)

    async def close(self) -> None:
        """End all workers; what is not delivered stays stored."""
        for worker in self._workers.values():
            worker.cancel()
        await asyncio.gather(*self._workers.values(), return_exceptions=True)
        self._workers.clear()

    async def _work(self, place: Place) -> None:
        while place in self._workers:
            try:
                await self._deliver_all(place)
            except LeaseLost:
                continue
            except StoreUnavailable as error:
                log.error("the store is unavailable; delivery waits", exc_info=error, extra={"action": "wait_for_store"})  # noqa: TRY400 - the cause is in the sentence
                await self.clock.sleep(BACKOFF)
                continue
            if not self._bells[place].is_set():
                # Places come and go: those that rest must not add up.
                del self._bells[place], self._workers[place]
                self._idle.pop(place).set()

    async def _deliver_all(self, place: Place) -> None:
        while True:
            self._bells[place].clear()
            if await self.store.claim(place, self.clock.now()) is not None:
                await self._deliver_due(place)
            elif place in await self.store.outstanding():
                await self._pause(place)
            else:
                self._oldest.pop(place, None)
                return

    async def _deliver_due(self, place: Place) -> None:
        async with self.hold(place):
            # Whoever had the place until now may have brought what was due.
            while (delivery := await self.store.claim(place, self.clock.now())) is not None:
                if self._oldest.get(place, (None, 0.0))[0] != delivery.id:
                    self._oldest[place] = delivery.id, self.clock.ticks()
                await self._deliver(place, delivery)

    async def _pause(self, place: Place) -> None:
        """Wait a moment, or until there is something new: it may have been stored since it was looked for."""
        waits = asyncio.ensure_future(self.clock.sleep(RECHECK)), asyncio.ensure_future(self._bells[place].wait())
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _deliver(self, place: Place, delivery: Delivery) -> None:
        try:
            message = await self._bring(delivery)
        except TryLater as patience:
            await self.store.postpone(delivery.id, self.clock.now() + patience.seconds, uncertain=delivery.uncertain)
        except OutcomeUnknown:
            wait = min(BACKOFF * 2**delivery.attempts, BACKOFF_LIMIT)
            self.metrics.count("deliveries", "uncertain")
            await self.store.postpone(delivery.id, self.clock.now() + wait, uncertain=True)
        except (ChannelGone, PostRefused) as refusal:
            log.warning("a post was refused: %s", refusal, extra={"action": "abandon_post", "place": place})
            self.metrics.count("deliveries", "abandoned")
            await self.store.abandon(delivery.id, str(refusal))
            self.walks.settled(place, delivery.wish, shown=False)
        except StoreError:
            raise
        except Exception:
            # A defect must not end this place's worker: the wish stays the oldest, and is tried again.
            log.exception("a post could not be brought to its place", extra={"action": "retry_post", "place": place})
            self.metrics.count("failures")
            await self.store.postpone(delivery.id, self.clock.now() + BACKOFF_LIMIT, uncertain=True)
        else:
            self.metrics.count("deliveries", "settled")
            await self.store.settle(delivery.id, message)
            self.walks.settled(place, delivery.wish)

    async def _bring(self, delivery: Delivery) -> MessageId | None:
        """Make the wish come true; the message that stands at its position afterwards."""
        if isinstance(delivery.wish, Removal):
            await self._remove(delivery, delivery.wish)
            return None
        if delivery.standing is not None:
            return await self._change(delivery, delivery.wish, delivery.standing)
        return await self._send(delivery, delivery.wish)

    async def _change(self, delivery: Delivery, post: OutboundPost, standing: MessageId) -> MessageId:
        """Change what stands, or show it anew; the message that shows it then."""
        await self.store.attempt(delivery.id)
        courier, position = self.places.courier(post.place), post.position or 0
        turn, moved = self._anew_after.get(post.place, (post.turn, position))
        if turn != post.turn or moved >= position:
            try:
                await courier.edit(standing, post)
            except PostGone as gone:
                log.info("a post is shown anew: %s", gone, extra={"action": "show_anew", "place": post.place})
                self._anew_after[post.place] = post.turn, position
            else:
                self._anew_after.pop(post.place, None)
                return standing
        # What cannot be changed may stand all the same: the old text goes where it can.
        with suppress(PostRefused):
            await courier.delete(post.place, standing)
        return await self._send(delivery, post)

    async def _remove(self, delivery: Delivery, removal: Removal) -> None:
        if delivery.standing is not None:
            await self.store.attempt(delivery.id)
            await self.places.courier(removal.place).delete(removal.place, delivery.standing)

    async def _send(self, delivery: Delivery, post: OutboundPost) -> MessageId:
        courier = self.places.courier(post.place)
        if delivery.uncertain and (found := await courier.read_back(post, delivery.last_message)):
            return found.message
        await self.store.attempt(delivery.id)
        return (await courier.send(post)).message
