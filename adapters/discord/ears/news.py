"""What reaches the ear of a place, and what all ears share. It decides nothing."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import discord

from adapters.discord.ears.telling import Telling
from adapters.discord.ears.translate import Heard, Listener
from adapters.discord.line import Line
from adapters.discord.settings import Settings
from adapters.network.retry import Backoff
from bot.errors import StoreUnavailable
from bot.ids import AuthorId, Place
from bot.ports.clock import Clock
from bot.ports.store import Store
from bot.posts import Inbound

log = logging.getLogger(__name__)

PATIENCE = Backoff(first=0.5, longest=30.0, patience=float("inf"))
"""Between tries while the store is away."""

NOBODY = Listener(0, 0)

T = TypeVar("T")


class Receiver(Protocol):
    """Where events go."""

    async def receive(self, event: Inbound) -> None:
        """Take an event in. Raises Refused and StoreUnavailable."""
        ...

    async def place_gone(self, place: Place) -> None:
        """The place is deleted or locked: its story ends. Raises StoreUnavailable."""
        ...


@dataclass(slots=True)
class Surroundings:
    """What all ears share. `listener` is who we are, known once connected; `fetching` bounds how many fetch at once.

    `expect` is told of each place where a post begins.
    """

    settings: Settings
    clock: Clock
    store: Store
    receiver: Receiver
    line: Line
    telling: Telling
    listener: Listener = NOBODY
    fetching: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))
    expect: Callable[[Place], None] = lambda place: None  # noqa: ARG005  nobody may want to know
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        self._started = self.clock.now() - self.clock.ticks()

    @property
    def now(self) -> float:
        """Seconds since the epoch by a clock that never jumps: one that was set back would hold posts open for as long."""
        return self._started + self.clock.ticks()

    async def patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Have something done that needs the store, however long it is away: whatever comes later waits, so order holds."""
        failures = 0
        while True:
            try:
                return await work()
            except StoreUnavailable as error:
                failures += 1
                log.warning("the store could not be used; trying again", exc_info=error, extra={"action": "wait_for_store"})
                await self.clock.sleep(PATIENCE.wait(failures, 0.0, random.random()) or 0.0)  # noqa: S311  no secret


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message came in. Times in seconds since the epoch, here and below."""

    heard: Heard
    at: float


@dataclass(frozen=True, slots=True)
class Changed:
    """A message was edited, or something beside its words was added."""

    heard: Heard
    at: float


@dataclass(frozen=True, slots=True)
class Lost:
    """Messages were deleted."""

    messages: frozenset[int]
    at: float


@dataclass(frozen=True, slots=True)
class Typing:
    """Somebody types."""

    author: AuthorId
    at: float


@dataclass(frozen=True, slots=True)
class Behind:
    """There may be messages that nobody told us of; this client can fetch them."""

    client: discord.AutoShardedClient


@dataclass(frozen=True, slots=True)
class Taken:
    """Somebody wants this message to be a post; `answer` gets what comes of it."""

    heard: Heard
    answer: asyncio.Future[None]


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody gave a command, which follows all that they wrote; `answer` is told once that is handed in."""

    author: AuthorId
    answer: asyncio.Future[None]


@dataclass(frozen=True, slots=True)
class Closed:
    """The place is deleted or locked."""


News = Arrived | Changed | Lost | Typing | Behind | Taken | Asked | Closed
