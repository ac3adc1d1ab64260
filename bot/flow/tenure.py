"""Which places this process works on, where several share a store: asked for, kept while needed, given back. It knows no work.

Rule 1: work on a place begins when the place is ours, and waits as long as it is another process's. Rule 2: who takes a place
over from a process that died does first what that one left. Rule 3: signs of life wait for nothing else.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field

from bot.errors import LeaseLost, StoreError
from bot.ids import ChannelKey, Place, Platform
from bot.ports.clock import Clock
from bot.ports.leases import Lease
from bot.ports.store import Store

log = logging.getLogger(__name__)

BEAT = 2.0
"""Seconds between two signs of life: several must fail before this process counts as dead."""

LOOK = 1.0
"""Seconds between two looks at what nobody works on."""

AGAIN = 0.5
"""Seconds until a place that is another process's is asked for again."""

HOUSE = Place(Platform("understudy"), ChannelKey("the house"))
"""What one process does for all, reminders say, is worked on as if it were a place."""

Hold = Callable[[Place], AbstractAsyncContextManager[None]]
"""Something that is entered to work on a place, and left afterwards."""


def alone(place: Place) -> AbstractAsyncContextManager[None]:
    """The place is ours anyway: nobody shares the store."""
    del place
    return nullcontext()


@dataclass(slots=True)
class _Held:
    """A place that something here works on, or waits for. `owes` says that what a dead process left is still to be taken up."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    workers: int = 0
    is_ours: bool = False
    owes: bool = False


@dataclass(slots=True)
class Tenure:
    """Asks the store for places, and gives back those that rest.

    `serves` says whether a place's platform is ours to serve. `take_up` puts all that is left to do in a place before
    whatever waits here to be done in it.
    """

    store: Store
    clock: Clock
    serves: Callable[[Place], bool]
    take_up: Callable[[Place], Awaitable[None]]
    _held: dict[Place, _Held] = field(default_factory=dict)
    _beating: asyncio.Task[None] | None = None
    _looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up what nobody works on, and from now on what others leave. Raises StoreUnavailable."""
        await self.store.beat()
        await self.look()
        if self.store.is_shared and self._beating is None:
            self._beating = asyncio.create_task(self._again_and_again(BEAT, self.store.beat), name="beat")
            self._looking = asyncio.create_task(self._again_and_again(LOOK, self.look), name="look")

    async def look_no_more(self) -> None:
        """Take up nothing that others leave, from now on; what is ours stays so."""
        await _end(self._looking)
        self._looking = None

    async def close(self) -> None:
        """Give everything back. Work must have ended."""
        await self.look_no_more()
        await _end(self._beating)
        self._beating = None
        self._held.clear()
        try:
            await self.store.retire()
        except StoreError as error:
            log.warning("others will have to wait until this process counts as dead: %s", error, extra={"action": "retire"})

    @asynccontextmanager
    async def of(self, place: Place) -> AsyncIterator[None]:
        """Work on a place, once it is ours. LeaseLost that leaves the block means that it is ours no longer."""
        if not self.store.is_shared:
            yield
            return
        held = self._held.setdefault(place, _Held())
        held.workers += 1
        try:
            await self._wait_for(place, held)
            yield
        except LeaseLost:
            log.info("another process works on a place by now", extra={"action": "lose_lease", "place": place})
            held.is_ours = False
            raise
        finally:
            held.workers -= 1

    async def keeps_house(self) -> bool:
        """Whether this process does what only one does for all; once it does, it goes on as long as it lives."""
        return await self.store.lease(HOUSE) is not Lease.THEIRS

    async def look(self) -> None:
        """Give back what rests, and take up what nobody works on. Raises StoreUnavailable."""
        for place, held in tuple(self._held.items()):
            await self._let_rest(place, held)
        for place in await self.store.unattended(self.clock.now()):
            if self.serves(place):
                await self._visit(place)

    async def _visit(self, place: Place) -> None:
        if not self.store.is_shared:
            await self.take_up(place)
            return
        held = self._held.setdefault(place, _Held())
        if held.lock.locked() or held.is_ours:
            return  # Somebody here is at it.
        async with held.lock:
            held.owes = True
            await self._ask(place, held)

    async def _wait_for(self, place: Place, held: _Held) -> None:
        async with held.lock:
            while not held.is_ours:
                try:
                    await self._ask(place, held)
                except StoreError as error:
                    log.warning("a place waits for the store: %s", error, extra={"action": "wait_for_store", "place": place})
                except Exception:
                    # A defect met once must not end the place's lane, with all that waits in it.
                    log.exception("a place could not be asked for", extra={"action": "fail", "place": place})
                if not held.is_ours:
                    await self.clock.sleep(AGAIN)

    async def _ask(self, place: Place, held: _Held) -> None:
        lease = await self.store.lease(place)
        if lease is Lease.THEIRS:
            held.owes = False
            return
        if lease is Lease.INHERITED:
            log.warning("a place of a process that died is taken over", extra={"action": "take_over", "place": place})
        if held.owes or lease is Lease.INHERITED:
            held.owes = True
            await self.take_up(place)
        held.is_ours, held.owes = True, False

    async def _let_rest(self, place: Place, held: _Held) -> None:
        """A place that nobody here works on is given back; whoever comes meanwhile waits, and asks for it again."""
        if held.workers:
            return
        async with held.lock:
            if not held.workers:
                await self.store.give_back(place)
                held.is_ours = False
        if not held.workers:
            self._held.pop(place, None)

    async def _again_and_again(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self.clock.sleep(seconds)
            try:
                await work()
            except StoreError as error:
                log.warning("the store cannot be used: %s", error, extra={"action": "wait_for_store"})
            except Exception:
                # A defect met once must not make this process look dead, or blind to what others leave.
                log.exception("places could not be looked after", extra={"action": "fail"})


async def _end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
