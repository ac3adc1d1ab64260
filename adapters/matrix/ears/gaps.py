"""Reads the events of a room that a sync left out, backwards and bounded. It knows no meaning but the bot's own comings."""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.matrix.ears.around import Around
from adapters.matrix.ears.arriving import KINDS, TOMBSTONE, Gap
from adapters.matrix.ears.asking import Unanswered, asked, part
from adapters.matrix.ears.attending import MEMBER, Step, attended, step
from adapters.matrix.ears.reading import sent_at
from adapters.matrix.ears.synced import Event
from adapters.network.retry import Backoff

log = logging.getLogger(__name__)

PAGE = 100
"""Events of a page, as many as Synapse gives."""

EMPTY_PAGES = 3
"""Pages with nothing on them before a room counts as read: some homeservers filter only what they have found."""

HOUR = 3600.0
WAITS = Backoff(first=2.0, longest=300.0, patience=float("inf"))
"""Between tries, while the homeserver cannot be asked."""

FILTER = json.dumps({"types": [*sorted(KINDS), MEMBER, TOMBSTONE]})

BOUND_HIT = (
    "More was written while Understudy was away than it reads afterwards: it read the newest %d events and left out what was "
    "before. The settings catch_up_hours and catch_up_messages say how far it reads."
)


@dataclass(slots=True)
class Found:
    """What is read of a gap so far: events with the newest first, and where to go on; `is_whole` once nothing is left."""

    next: str
    events: list[Event] = field(default_factory=list)
    empty: int = 0
    is_whole: bool = False
    is_cut: bool = False


@dataclass(slots=True)
class Gaps:
    """Reads gaps, few of them at a time."""

    around: Around
    _few: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))

    async def read(self, gap: Gap) -> tuple[Event, ...]:
        """What happened in a gap while the bot was there, in order, as far back as the settings let it be read.

        Asks again, later each time, while the homeserver cannot be asked; what it refuses to show is left out, with a line
        in the log.
        """
        found, failures = Found(gap.newest), 0
        while not found.is_whole:
            try:
                async with self._few:
                    page = await self._page(gap, found.next)
            except Unanswered as error:
                failures += 1
                if not await self._may_go_on(gap, error, failures):
                    break
                continue
            failures = 0
            self._add(gap, found, page)
        if found.is_cut:
            self.around.metrics.count("matrix_gaps_cut")
            log.warning(BOUND_HIT, len(found.events), extra={"action": "skip", "place": gap.room})
        return attended(tuple(reversed(found.events)), self.around.me)

    async def _page(self, gap: Gap, start: str) -> Mapping[str, Any]:
        client = self.around.client
        if client is None:
            raise Unanswered("there is no connection")
        query = {"dir": "b", "to": gap.oldest, "limit": str(PAGE), "filter": FILTER}
        if start:
            # Without it, the newest events of the room come first: some are known then, and recognised.
            query["from"] = start
        return await asked(client, "GET", f"/v3/rooms/{part(gap.room)}/messages", query)

    async def _may_go_on(self, gap: Gap, error: Unanswered, failures: int) -> bool:
        self.around.metrics.count("matrix_gap_failures")
        is_too_late = self.around.clock.now() - gap.at > max(self.around.settings.catch_up_hours, 1.0) * HOUR
        if is_too_late or not error.may_pass:
            log.error("what was written here while Understudy was away cannot be read: %s", error, extra=_of(gap, "skip"))
            return False
        if failures == 1:
            log.warning("what was written here meanwhile cannot be read yet: %s", error, extra=_of(gap, "retry"))
        await self.around.pause(WAITS, failures, error.seconds)
        return True

    def _add(self, gap: Gap, found: Found, page: Mapping[str, Any]) -> None:
        settings = self.around.settings
        chunk, end = page.get("chunk"), page.get("end")
        events = [each for each in chunk if isinstance(each, dict)] if isinstance(chunk, list) else []
        earliest = gap.at - settings.catch_up_hours * HOUR
        for event in events:
            if len(found.events) >= settings.catch_up_messages or 0 < sent_at(event) < earliest:
                found.is_whole = found.is_cut = True
                return
            found.events.append(event)
            if step(event, self.around.me, is_there=True) is Step.CAME:
                # Before its coming the bot was not there.
                found.is_whole = True
                return
        found.empty = 0 if events else found.empty + 1
        is_end = not isinstance(end, str) or not end or end == found.next or found.empty >= EMPTY_PAGES
        found.is_whole, found.next = is_end, end if isinstance(end, str) else ""


def _of(gap: Gap, action: str) -> dict[str, str]:
    return {"action": action, "place": gap.room}
