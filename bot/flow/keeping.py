"""How long things are kept, and the sweep that deletes what is older: stories, reports, the ids of what was handled."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.errors import UnderstudyError
from bot.flow.forgetting import Forgetter
from bot.ports.clock import Clock
from bot.ports.store import Store

log = logging.getLogger(__name__)

DAY = 86_400.0
BETWEEN = 3_600.0
"""Seconds between two sweeps."""

EVENTS = 200_000
"""Of how many of the newest events it is known that they were handled."""

OF_PLACE = 100
"""Of how many of a place's own, whatever happens elsewhere: what a platform tells again is among the newest of a place.

After every start a place's last post is handed in once more, however long ago it was written.
"""


@dataclass(frozen=True, slots=True)
class Keep:
    """For how many days a story that has ended can be brought back, and an untouched one is kept (None: until it is ended).

    `report_days` is for how many days a report is kept that the operator has not taken off the list (None: until then).
    """

    bin_days: int = 7
    idle_days: int | None = None
    report_days: int | None = None

    @property
    def sentence(self) -> str:
        """The same in words, for players."""
        idle = f"Stories that nobody touches for {self.idle_days} days are deleted." if self.idle_days else ""
        reports = f" So is a report after {self.report_days} days, at the latest." if self.report_days else ""
        return f"{idle} A story that has ended is deleted after {self.bin_days} days.{reports}".strip()


@dataclass(slots=True)
class Sweeper:
    """Deletes what is too old, from the store and from what the engine remembers.

    `keeps_house` says whether this process does so for all that share the store.
    """

    store: Store
    forgetter: Forgetter
    clock: Clock
    keep: Keep
    keeps_house: Callable[[], Awaitable[bool]]
    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Sweep now, and again and again."""
        self._task = asyncio.create_task(self._run(), name="sweep")

    async def close(self) -> None:
        """Sweep no more."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def sweep(self) -> int:
        """Delete what is too old now; returns how many stories that was. Raises StoreUnavailable."""
        now = self.clock.now()
        gone = list(await self.store.empty_bin(now - self.keep.bin_days * DAY))
        await self.forgetter.forget(gone)
        if self.keep.idle_days is not None:
            idle = await self.store.delete_untouched(now - self.keep.idle_days * DAY)
            await self.forgetter.forget(idle, again=True)
            gone += idle
        if self.keep.report_days is not None:
            await self._drop_reports(now - self.keep.report_days * DAY)
        await self.store.drop_counts()
        if dropped := await self.store.drop_handled(EVENTS, OF_PLACE):
            log.info("old events are not known any more", extra={"action": "sweep", "events": dropped})
        if gone:
            log.info("stories were deleted for their age", extra={"action": "sweep", "stories": len(gone)})
        return len(gone)

    async def _drop_reports(self, before: float) -> None:
        for each in await self.store.reports():
            if each.report.at < before:
                await self.store.drop_report(each.number)
                log.info("a report was deleted for its age", extra={"action": "sweep", "report": each.number})

    async def _run(self) -> None:
        while True:
            try:
                if await self.keeps_house():
                    await self.sweep()
            except UnderstudyError as error:
                log.warning("the sweep failed; it comes again: %s", error, extra={"action": "sweep_later"})
            await self.clock.sleep(BETWEEN)
