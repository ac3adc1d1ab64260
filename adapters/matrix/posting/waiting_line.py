"""A short line in a place whose reply waits long for the model, changed in place and taken away when the wait is over.

Rule 1: nobody waits for it, and it fails no walk. It costs events of the account's few, so it comes late, changes seldom, and
only while there is room to spare.
Rule 2: what is shown is taken away again, however long there is no room for that; also what a run before this one left, after
the first reply of this one in its place.
"""

import asyncio
import logging
import math
from contextlib import suppress
from dataclasses import dataclass, field

from adapters.matrix.posting.content import Content, Spot, edit, message
from adapters.matrix.posting.looking import content_of
from adapters.matrix.posting.sealing import OURS
from adapters.matrix.posting.sending import MESSAGE, Sending
from adapters.matrix.words import room_of, root_of
from bot.errors import CourierError, OutcomeUnknown, TryLater
from bot.ids import Place
from bot.ports.clock import Clock

log = logging.getLogger(__name__)

AFTER = 15.0
"""Seconds of waiting before anything is said of it."""

CHANGED_EVERY = 60.0
"""Seconds between two changes of the line."""

BELIEVED = 300.0
"""Seconds for which a wait is believed of which nothing more is heard."""

SHORTEST_REST = 1.0
"""Seconds between two looks at whether there is room."""

AT_LAST = 5.0
"""Seconds in which the lines that stand are taken away when the courier closes."""

MARK = f"{OURS}waiting"
"""What a line bears, with its place, to be known again after a restart."""

SIGN = "⏳ "
LONGEST = 300
LOOKED_AT = 1
"""Pages of own messages among which a line of an earlier run is looked for."""

REMEMBERED = 1024


@dataclass(slots=True, eq=False)
class _Line:
    """What a place should show, and what it shows. Times are ticks."""

    wanted: str = ""
    since: float = math.inf
    heard_at: float = -math.inf
    shown: str = ""
    event: str = ""
    changed_at: float = -math.inf
    is_tidy: bool = False
    rests: bool = False
    key: str = ""
    bell: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class WaitingLines:
    """The lines of all places."""

    sending: Sending
    clock: Clock
    _lines: dict[Place, _Line] = field(default_factory=dict)
    _tasks: dict[Place, asyncio.Task[None]] = field(default_factory=dict)
    _made: int = 0

    def waiting(self, place: Place, sentence: str) -> None:
        """The place's reply waits, with this sentence; without one it waits no more. Returns at once."""
        line = self._lines.get(place)
        if line is None:
            if not sentence:
                return
            line = self._new(place)
        now = self.clock.ticks()
        if sentence and not line.wanted:
            line.since = now
        line.heard_at, line.rests = now, False
        if sentence != line.wanted:
            line.wanted = sentence
            self._see_to(place, line)

    def resting(self, place: Place) -> None:
        """Nobody writes or waits there any more. Returns at once."""
        line = self._lines.get(place) or self._new(place)
        line.wanted, line.rests = "", True
        self._see_to(place, line)

    async def settled(self, place: Place) -> None:
        """Return when a place shows what it should and nothing waits there."""
        while (task := self._tasks.get(place)) is not None:
            await asyncio.wait([task])

    async def close(self) -> None:
        """Show nothing more. A line that stands is taken away, if that can be done at once."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        standing = [(place, line.event) for place, line in self._lines.items() if line.event]
        with suppress(TimeoutError):
            async with asyncio.timeout(AT_LAST):
                await asyncio.gather(*(self.sending.redact(*each) for each in standing), return_exceptions=True)
        self._lines.clear()

    def _new(self, place: Place) -> _Line:
        idle = [each for each in self._lines if each not in self._tasks]
        for old in idle[: max(0, len(self._lines) - REMEMBERED)]:
            del self._lines[old]
        line = self._lines[place] = _Line()
        return line

    def _see_to(self, place: Place, line: _Line) -> None:
        if place in self._tasks:
            line.bell.set()
        elif self._pause(line) is not None:
            self._tasks[place] = asyncio.create_task(self._serve(place, line), name=f"waiting line in {place.channel}")

    async def _serve(self, place: Place, line: _Line) -> None:
        try:
            while (pause := self._pause(line)) is not None:
                if pause > 0:
                    await self._wait(line.bell, pause)
                    line.bell.clear()
                elif (rest := await self._safely(place, line)) is not None:
                    await self.clock.sleep(max(rest, SHORTEST_REST))
        finally:
            self._tasks.pop(place, None)

    def _pause(self, line: _Line) -> float | None:
        """Seconds until there is something to do; None when all is shown and nothing waits."""
        now = self.clock.ticks()
        if line.wanted and line.heard_at + BELIEVED <= now:
            line.wanted = ""
        if not line.wanted:
            return 0.0 if line.event or line.key or (line.rests and not line.is_tidy) else None
        due = line.since + AFTER if not line.event else line.changed_at + CHANGED_EVERY
        end = line.heard_at + BELIEVED
        return max(0.0, min(due if line.wanted != line.shown else end, end) - now)

    async def _safely(self, place: Place, line: _Line) -> float | None:
        """Show what is due now; the seconds to rest where that could not be done yet."""
        try:
            await self._show(place, line)
        except TryLater as patience:
            return patience.seconds
        except OutcomeUnknown:
            return SHORTEST_REST  # it bears the same key again, so it may be said again
        except CourierError as error:
            # It may not be shown, or not be taken away: what is left is tried once more when the place is tidied.
            line.event, line.key, line.shown, line.is_tidy = "", "", line.wanted, not line.wanted
            log.debug("a waiting line could not be shown: %s", error, extra={"action": "show_no_sign", "place": place})
        return None

    async def _show(self, place: Place, line: _Line) -> None:
        if line.wanted:
            await self._say(place, line)
        elif line.event or line.key:
            await self._take_away(place, line)
        else:
            await self._tidy(place)
            line.is_tidy = True

    async def _say(self, place: Place, line: _Line) -> None:
        text = f"{SIGN}{' '.join(line.wanted.split())[:LONGEST]}"
        shown = line.wanted
        if line.event:
            change = edit(line.event, text)
            await self.sending.send(place, MESSAGE, change, "line", line.key, text, is_sign=True)
        else:
            if not line.key:
                self._made += 1
                line.key = f"{self.clock.now()} {self._made}"
            line.event = await self.sending.send(place, MESSAGE, self._first(place, text), "line", line.key, is_sign=True)
        line.shown, line.changed_at = shown, self.clock.ticks()

    def _first(self, place: Place, text: str) -> Content:
        return {**message(text, spot=Spot(root_of(place))), MARK: place.channel}

    async def _take_away(self, place: Place, line: _Line) -> None:
        """Also what may stand without an answer that said so: by its mark, when the place is tidied."""
        if line.event:
            await self.sending.redact(place, line.event, is_sign=True)
        else:
            line.is_tidy = False
        line.event, line.key, line.shown = "", "", ""

    async def _tidy(self, place: Place) -> None:
        left = [
            str(each.get("event_id"))
            async for each in self.sending.looking.own(room_of(place), pages=LOOKED_AT)
            if content_of(each).get(MARK) == place.channel
        ]
        for event in left:
            await self.sending.redact(place, event, is_sign=True)

    async def _wait(self, bell: asyncio.Event, seconds: float) -> None:
        """Until the time has come, or there is news."""
        waits = asyncio.ensure_future(self.clock.sleep(seconds)), asyncio.ensure_future(bell.wait())
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
