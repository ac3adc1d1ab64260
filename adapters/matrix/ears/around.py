"""What all parts of the ears share. It decides nothing."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from adapters.matrix.client import Client
from adapters.matrix.heard import Listener
from adapters.matrix.rooms import Rooms
from adapters.matrix.settings import Settings
from adapters.matrix.words import MATRIX
from adapters.network.retry import Backoff
from bot.errors import StoreUnavailable
from bot.metrics import Metrics
from bot.ports.arrivals import Arrival
from bot.ports.clock import Clock
from bot.ports.store import Store

log = logging.getLogger(__name__)

PATIENCE = Backoff(first=0.5, longest=30.0, patience=float("inf"))
"""Between tries while the store is away."""

T = TypeVar("T")


@dataclass(slots=True)
class Inbox:
    """Takes what came into the store, with how far the stream was read. One after another, or the mark could go back."""

    store: Store
    mark: str = ""
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def take_in(self, arrivals: Sequence[Arrival], mark: str | None = None) -> tuple[Arrival, ...]:
        """Keep what came, and up to where; without a mark, what came late. Returns what is new. Raises StoreUnavailable."""
        async with self._one:
            new = await self.store.take_in(MATRIX, self.mark if mark is None else mark, arrivals)
            self.mark = self.mark if mark is None else mark
            return new


@dataclass(slots=True)
class Around:
    """What all share. `client` is the running one, and `me` the user whom it is logged in as."""

    settings: Settings
    clock: Clock
    store: Store
    rooms: Rooms
    listener: Listener
    metrics: Metrics
    inbox: Inbox
    client: Client | None = None
    me: str = ""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def connect(self, client: Client, me: str) -> None:
        """A client runs."""
        self.client, self.me = client, me
        self._news.set()

    def disconnect(self) -> None:
        """It runs no longer."""
        self.client = None
        self._news.clear()

    async def until_connected(self) -> None:
        """Wait until a client runs."""
        await self._news.wait()

    async def patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Have something done that needs the store, however long it is away: whatever comes later waits, so order holds."""
        failures = 0
        while True:
            try:
                return await work()
            except StoreUnavailable as error:
                failures += 1
                self.metrics.count("matrix_store_waits")
                log.warning("the store could not be used; trying again", exc_info=error, extra={"action": "wait_for_store"})
                await self.pause(PATIENCE, failures)

    async def pause(self, waits: Backoff, failures: int, asked: float = 0.0) -> None:
        """Wait before the next try, after so many failures in a row; never less than the other side asked for, in seconds."""
        await self.clock.sleep(waits.wait(failures, 0.0, random.random(), asked) or waits.longest)  # noqa: S311  no secret
