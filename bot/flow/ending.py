"""How the walk ends in good order: begin nothing, finish what is being written, deliver what is due. It knows no signal.

Whatever is not finished in time is handed back: it is stored, and the next start takes it up as after a crash.
"""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from bot.errors import StoreUnavailable
from bot.flow.deliver import Deliverer
from bot.flow.handle import Handler
from bot.flow.lanes import Lanes
from bot.ports.clock import Clock
from bot.ports.store import Store

log = logging.getLogger(__name__)

REPLIES_SECONDS = 18.0
"""What the replies that the model is writing get to come to their end."""

POSTS_SECONDS = 6.0
"""What their last posts get, beyond that, to reach their places. The faces need a few seconds more to close."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Brings lanes and deliverer to rest."""

    store: Store
    lanes: Lanes
    handler: Handler
    deliverer: Deliverer
    clock: Clock

    async def run(self) -> None:
        """End in good order, as far as time allows. Never raises: what fails now is taken up by the next start."""
        began = self.clock.ticks()
        self.handler.begin_nothing_more()
        self.lanes.rest(unless=self.handler.has_words)
        in_time = await self._within(REPLIES_SECONDS, self.lanes.rested())
        delivered = await self._within(POSTS_SECONDS, self.deliverer.drain(POSTS_SECONDS))
        try:
            left = {
                "waiting": len(await self.store.waiting()),
                "unfinished": len(await self.store.unfinished()),
                "outstanding": len(await self.store.outstanding()),
            }
        except StoreUnavailable as error:
            log.warning("what is left for the next start cannot be looked up: %s", error, extra={"action": "drain"})
            return
        facts = {"action": "drain", "seconds": round(self.clock.ticks() - began, 3), **left}
        sentence = "all replies under way were finished" if in_time and delivered else "the next start takes up what was not"
        log.info("nothing new is begun, and %s", sentence, extra=facts)

    async def _within(self, seconds: float, work: Coroutine[Any, Any, None]) -> bool:
        """Do something for so long at most; whether it was done."""
        both = asyncio.ensure_future(work), asyncio.ensure_future(self.clock.sleep(seconds))
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            return both[0].done()
        finally:
            for each in both:
                each.cancel()
            for outcome in await asyncio.gather(*both, return_exceptions=True):
                if isinstance(outcome, Exception):
                    log.warning("the end was not in good order: %s", outcome, extra={"action": "drain"})
