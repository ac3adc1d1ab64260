"""Having the engine forget what the store has lost: at once, and again and again until it has. It decides nothing about what.

Rule 1: what must be forgotten is noted in the store by the step that loses it, so that neither a crash nor an engine that is
away lets it be missed. Rule 2: asked again later, it waits for its place's lane: to forget ends a reply that is being written.
"""

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass, field

from bot.errors import EngineError, StoreError
from bot.flow.lanes import Lanes
from bot.ids import SessionId
from bot.ports.clock import Clock
from bot.ports.engine import Engine
from bot.ports.privacy import Unforgotten
from bot.ports.store import Store

log = logging.getLogger(__name__)

BETWEEN = 60.0
"""Seconds between tries while the engine cannot be made to forget."""


@dataclass(slots=True)
class Forgetter:
    """Asks the engine to forget what is noted, and takes it off the notes."""

    store: Store
    engine: Engine
    clock: Clock
    lanes: Lanes
    _missed: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Take up what an earlier run left, and whatever cannot be forgotten at once from now on."""
        self._missed.set()
        self._task = asyncio.create_task(self._run(), name="forget")

    async def close(self) -> None:
        """Ask no more; what is noted stays noted."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def forget(self, sessions: Collection[SessionId], *, again: bool = False) -> bool:
        """Have what is noted of these sessions forgotten now; False when that must wait, and is asked again by itself.

        With `again` it is asked once more in the lanes of their places in any case, because one of these may just be having
        the engine read what it must forget. Raises StoreError.
        """
        self._missed.set()
        noted = [each for each in await self.store.unforgotten() if each.session in sessions]
        return all([await self._forget(each, keep_note=again) for each in _newest(noted)])

    async def _forget(self, which: Unforgotten, *, keep_note: bool = False) -> bool:
        try:
            await self.engine.forget(which.session)
        except EngineError as error:
            log.warning("the engine may still remember what is deleted: %s", error, extra={"action": "forget_later"})
            return False
        if not keep_note:
            await self.store.engine_forgot(which)
        return True

    async def _run(self) -> None:
        while True:
            await self._missed.wait()
            self._missed.clear()
            try:
                noted = _newest(await self.store.unforgotten())
                done = [await self._in_its_lane(each) for each in noted]
            except StoreError as error:
                log.warning("what must be forgotten cannot be looked up: %s", error, extra={"action": "forget_later"})
                done = [False]
            except Exception:
                # The task must outlive any defect: what is noted has to be forgotten some time.
                log.exception("forgetting failed", extra={"action": "fail"})
                done = [False]
            if not all(done):
                self._missed.set()
                await self.clock.sleep(BETWEEN)

    async def _in_its_lane(self, which: Unforgotten) -> bool:
        return await self.lanes.run(which.place, lambda: self._forget(which))


def _newest(noted: Collection[Unforgotten]) -> tuple[Unforgotten, ...]:
    """The newest note of each session: what has come true for it has come true for those before."""
    return tuple({each.session: each for each in noted}.values())
