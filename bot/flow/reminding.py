"""Reminders: whoever's turn it has been for too long is told so, once for each of their turns. It writes nothing for them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from bot import texts
from bot.errors import UnderstudyError
from bot.flow.lanes import Lanes
from bot.flow.places import Places
from bot.flow.wishes import notice
from bot.ids import Place
from bot.ports.clock import Clock
from bot.ports.store import Change, Store
from bot.story.policies import nudge_due, whose_turn

log = logging.getLogger(__name__)

BETWEEN = 60.0
"""Seconds between two looks at the stories."""


@dataclass(slots=True)
class Reminder:
    """Looks at every story that reminds its players, now and then.

    What it remembers is gone after a restart: the time then runs anew.

    `keeps_house` says whether this process does so for all that share the store.
    """

    store: Store
    places: Places
    lanes: Lanes
    clock: Clock
    wake: Callable[[Place], None]
    keeps_house: Callable[[], Awaitable[bool]]
    _since: dict[Place, tuple[int, float]] = field(default_factory=dict)
    _told: dict[Place, int] = field(default_factory=dict)
    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look now, and again and again."""
        self._task = asyncio.create_task(self._run(), name="remind")

    async def close(self) -> None:
        """Look no more."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """Remind whoever must be reminded now. Raises StoreUnavailable."""
        if not await self.keeps_house():
            self._since.clear()
            return
        places = await self.store.reminding()
        for gone in (self._since.keys() | self._told.keys()) - set(places):
            self._since.pop(gone, None)
            self._told.pop(gone, None)
        for place in places:
            session = await self.store.session_at(place)
            if session is None or session.settings.nudge_seconds is None or not self.places.serves(place):
                self._since.pop(place, None)
                continue
            number, moved = self._since.get(place, (-1, 0.0))
            if number != session.next_number:
                moved = self.clock.ticks()
                self._since[place] = session.next_number, moved
            if self._told.get(place) != session.next_number and nudge_due(session, moved, self.clock.ticks()):
                self._told[place] = session.next_number
                self.lanes.put(place, partial(self._remind, place))

    async def _remind(self, place: Place) -> None:
        try:
            session = await self.store.session_at(place)
            waited_for = whose_turn(session) if session else None
            if session is None or waited_for is None:
                return
            said = notice(session, texts.NUDGE.format(name=waited_for.name), f"nudge {session.next_number}")
            await self.store.save(Change(session, session, (said,)))
        except UnderstudyError as error:
            log.warning("a reminder was lost: %s", error, extra={"action": "lose_reminder", "place": place})
        else:
            self.wake(place)

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except UnderstudyError as error:
                log.warning("the reminders failed; they come again: %s", error, extra={"action": "remind_later"})
            await self.clock.sleep(BETWEEN)
