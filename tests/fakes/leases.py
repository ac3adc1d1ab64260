"""The fake store's leases: a memory is one process's own, unless processes are put on it, which share it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from bot.errors import LeaseLost
from bot.ids import EventId, Place
from bot.ports.leases import LEASE_SECONDS, Lease
from bot.ports.store import Change, Store, Wish
from bot.story.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fakes.clock import FrozenClock
    from tests.fakes.store import MemoryStore


class MemoryLeases:
    """The part of the store port that says who works where, for a store that is one process's own."""

    is_shared = False

    async def beat(self) -> None:
        """There is nobody to be told."""

    async def lease(self, place: Place) -> Lease:
        del place
        return Lease.OURS

    async def give_back(self, place: Place) -> None:
        """There is nobody to be given it."""

    async def retire(self) -> None:
        """There is nobody to be told."""


@dataclass(slots=True)
class SharedMemory:
    """A memory for several processes; `process` puts one on it."""

    memory: "MemoryStore"
    clock: "FrozenClock"
    alive_until: dict[str, float] = field(default_factory=dict)
    holders: dict[Place, str] = field(default_factory=dict)

    def process(self, name: str) -> Store:
        return cast("Store", MemoryProcess(self, name))

    def is_alive(self, name: str) -> bool:
        return self.alive_until.get(name, 0.0) > self.clock.now()


class MemoryProcess:
    """The store as one of the processes has it. Dead ones forget nothing: nothing was theirs."""

    is_shared = True

    def __init__(self, shared: SharedMemory, name: str) -> None:
        self._shared = shared
        self._memory = shared.memory
        self.name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._memory, name)

    async def beat(self) -> None:
        self._shared.alive_until[self.name] = self._shared.clock.now() + LEASE_SECONDS

    async def lease(self, place: Place) -> Lease:
        former = self._shared.holders.get(place)
        if former in {None, self.name}:
            self._shared.holders[place] = self.name
            return Lease.OURS
        if self._shared.is_alive(str(former)):
            return Lease.THEIRS
        self._shared.holders[place] = self.name
        return Lease.INHERITED

    async def give_back(self, place: Place) -> None:
        if self._shared.holders.get(place) == self.name:
            del self._shared.holders[place]

    async def retire(self) -> None:
        self._shared.alive_until.pop(self.name, None)
        for place in [place for place, holder in self._shared.holders.items() if holder == self.name]:
            del self._shared.holders[place]

    async def unattended(self, now: float) -> tuple[Place, ...]:
        left = await self._memory.left_to_do(now)
        return tuple(place for place in left if not self._shared.is_alive(self._shared.holders.get(place, "")))

    async def save(self, change: Change) -> Session:
        if change.before is not None and not change.beside:
            self._hold(change.after.place)
        return await self._memory.save(change)

    async def dismiss(self, place: Place, event: EventId, wishes: "Sequence[Wish]" = ()) -> None:
        self._hold(place)
        await self._memory.dismiss(place, event, wishes)

    async def attempt(self, delivery: int) -> None:
        self._hold(self._memory.place_of_wish(delivery))
        await self._memory.attempt(delivery)

    async def postpone(self, delivery: int, until: float, *, uncertain: bool) -> None:
        self._hold(self._memory.place_of_wish(delivery))
        await self._memory.postpone(delivery, until, uncertain=uncertain)

    async def abandon(self, delivery: int, reason: str) -> None:
        self._hold(self._memory.place_of_wish(delivery))
        await self._memory.abandon(delivery, reason)

    def _hold(self, place: Place | None) -> None:
        if place is None or self._shared.holders.get(place) != self.name:
            raise LeaseLost("Another process works on this place by now.")
