"""All that operators can see of a running bot, put together: figures, the state of its parts, what went wrong last.

It asks and shows; it decides nothing, and knows no HTTP. Rule: looking at the bot never fails, and never piles up questions.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from adapters.metrics import catalogue
from adapters.metrics.exposition import page, process, read
from adapters.metrics.figures import Figure, Labels, Reading
from adapters.metrics.pulse import Pulse, Rates
from adapters.metrics.troubles import Trouble, Troubles
from bot.errors import UnderstudyError
from bot.metrics import Durations, Metrics, Vitals
from bot.ports.clock import Clock
from bot.ports.overview import Inventory

log = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds that an answer is waited for: who looks must not wait for what is stuck, and be told that it is."""

NEWEST = 100
"""How many sessions are told of."""

ENGINE = "understudy_engine_"
"""What the names of an engine's figures begin with."""

MOST = 200
"""How many figures of an engine are taken."""

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Connection:
    """How a part stands: whether it can be reached, if not why (for the operator), and how often it could not be.

    `shards` are those that are connected (None: it has none); `heard` is when it was heard of last, in seconds since the epoch.
    """

    is_up: bool
    trouble: str = ""
    breaks: int = 0
    shards: int | None = None
    heard: float | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """The bot at a glance, `at` a time in seconds since the epoch.

    `inventory` is None where the store does not answer; `engine` has the engine's figures that have no labels.
    """

    at: float
    connections: Mapping[str, Connection]
    vitals: Vitals
    rates: Rates
    inventory: Inventory | None
    engine: Mapping[str, float]
    turns: Mapping[str, int]
    tokens: Mapping[str, int]
    troubles: tuple[Trouble, ...]


@dataclass(slots=True)
class _Question(Generic[Found]):
    """Something that is asked for, once at a time, whoever wants to know."""

    ask: Callable[[], Awaitable[Found]]
    _asking: asyncio.Task[Found] | None = None

    async def answer(self) -> Found | None:
        """The answer; None where there is none in time. The question goes on then, for the next one who asks."""
        if self._asking is None:
            self._asking = asyncio.ensure_future(self._ask())
        asked = self._asking
        done, _ = await asyncio.wait({asked}, timeout=PATIENCE)
        if not done:
            return None
        if self._asking is asked:
            self._asking = None
        if asked.cancelled():
            return None
        error = asked.exception()
        if error is None:
            return asked.result()
        if not isinstance(error, UnderstudyError):
            log.warning("a part could not be looked at", exc_info=error, extra={"action": "look"})
        return None

    async def _ask(self) -> Found:
        return await self.ask()

    async def close(self) -> None:
        """Ask no longer."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)


class Instruments:
    """What can be seen. `connections` are filled in by who opens them. `start` it, and `close` it.

    `inventory` counts what the store has; `engine` gives an engine's page of figures ("": it has none), and `relays` says that
    nobody else can ask it for them.
    """

    def __init__(  # noqa: PLR0913  each is a part of its own
        self,
        clock: Clock,
        metrics: Metrics,
        vitals: Callable[[], Vitals],
        inventory: Callable[[int], Awaitable[Inventory]],
        engine: Callable[[], Awaitable[str]],
        *,
        relays: bool,
        version: str,
    ) -> None:
        self.connections: dict[str, Callable[[], Connection]] = {}
        self.troubles = Troubles()
        self._clock, self._metrics, self._vitals, self._relays, self._version = clock, metrics, vitals, relays, version
        self._pulse = Pulse(clock, metrics)
        self._inventory = _Question(lambda: inventory(NEWEST))
        self._counts = _Question(lambda: inventory(0))
        self._engine = _Question(engine)
        self._beating: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch the event loop."""
        self._beating = asyncio.create_task(self._pulse.beat(), name="pulse")

    async def close(self) -> None:
        """Watch no longer."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
        for question in (self._inventory, self._counts, self._engine):
            await question.close()

    async def page(self) -> bytes:
        """All figures in Prometheus' text format."""
        inventory, engine = await asyncio.gather(self._counts.answer(), self._engine_readings())
        readings = [*self._kept(), *self._asked(inventory), *process(catalogue.PREFIX)]
        return page([*readings, *(engine if self._relays else ())])

    async def parts(self) -> Mapping[str, bool]:
        """Which parts can be reached, by name."""
        inventory = await self._counts.answer()
        return {name: each.is_up for name, each in self._connections(inventory).items()}

    async def look(self) -> Sight:
        """The bot at a glance."""
        inventory, engine = await asyncio.gather(self._inventory.answer(), self._engine_readings())
        return Sight(
            self._clock.now(),
            self._connections(inventory),
            self._vitals(),
            self._pulse.rates,
            inventory,
            {each.figure.name: each.values[()] for each in engine if () in each.values},
            self._by_label("turns"),
            self._by_label("tokens"),
            tuple(self.troubles.last),
        )

    def _kept(self) -> Iterator[Reading]:
        for name, figure in catalogue.COUNTED.items():
            counts = self._by_label(name)
            yield figure.by(counts) if figure.labels else figure.now(sum(counts.values()))
        for name, figure in catalogue.TIMED.items():
            yield Reading(figure, durations=self._spread(name, figure))
        yield Reading(catalogue.ERRORS, dict(self.troubles.counts))

    def _asked(self, inventory: Inventory | None) -> Iterator[Reading]:
        vitals, connections = self._vitals(), self._connections(inventory)
        yield catalogue.INFO.by({self._version: 1})
        yield catalogue.CONNECTED.by({name: each.is_up for name, each in connections.items()})
        yield catalogue.BREAKS.by({name: each.breaks for name, each in connections.items() if name in self.connections})
        for each in connections.values():
            if each.shards is not None:
                yield catalogue.SHARDS.now(each.shards)
            if each.heard:
                yield catalogue.SYNC_LAG.now(max(0.0, self._clock.now() - each.heard))
        yield catalogue.WRITING.now(vitals.writing)
        yield catalogue.LANES.now(vitals.queued)
        yield catalogue.OUTBOX_AGE.now(vitals.oldest_delivery)
        if inventory is not None:
            yield catalogue.SESSIONS.now(inventory.sessions)
            yield catalogue.ENDED.now(inventory.ended)
            yield catalogue.INBOX.now(inventory.events)
            yield catalogue.OUTBOX.now(inventory.wishes)

    def _connections(self, inventory: Inventory | None) -> Mapping[str, Connection]:
        store = Connection(inventory is not None, "" if inventory is not None else "It does not answer; the log says why.")
        return {"store": store, **{name: state() for name, state in self.connections.items()}}

    def _by_label(self, name: str) -> Mapping[str, int]:
        return {label: count for (counter, label), count in self._metrics.counts.items() if counter == name}

    def _spread(self, name: str, figure: Figure) -> Mapping[Labels, Durations]:
        found = ((label, each) for (of, label), each in self._metrics.durations.items() if of == name)
        return {(label,) if figure.labels else (): each for label, each in found}

    async def _engine_readings(self) -> tuple[Reading, ...]:
        text = await self._engine.answer()
        try:
            readings = read(text or "")
        except ValueError:
            log.warning("the engine's figures cannot be read", extra={"action": "look"})
            return ()
        return tuple(each for each in readings if each.figure.name.startswith(ENGINE))[:MOST]
