"""Signs that a character is writing, or that a reply waits in line: typing, and one short line that is edited in place.

Rule 1: nobody waits for a sign, and no sign fails a walk: each channel has a task of its own that shows what is true by now.
Rule 2: one call at a time in a channel; typing every 8 seconds and a change of the line every 5 at most.
Rule 3: a line that a run before this one left is taken away after the first reply of this one in its channel.
"""

import asyncio
import logging
import math
from contextlib import suppress
from dataclasses import dataclass, field

from adapters.discord.errors import Attempt, translated
from adapters.discord.posting.own_posts import OwnPosts, nonce_of
from adapters.discord.rooms import Rooms
from bot.errors import CourierError, OutcomeUnknown, PostRefused
from bot.ports.clock import Clock

log = logging.getLogger(__name__)

TYPING_EVERY = 8.0
"""Seconds between two signs of typing; each of them shows for ten."""

LINE_EVERY = 5.0
"""Seconds between two changes of the line."""

BELIEVED = 120.0
"""Seconds for which a character is taken to be writing that nothing more is heard of: a long prompt takes its time."""

MARK = "-# ⏳ "
"""What the line begins with: small print, and known again after a restart."""

AT_LAST = 5.0
"""Seconds in which the lines that stand are taken away when the courier closes."""

LONGEST = 300
LOOKED_BACK = 20
"""Newest messages among which a line of an earlier run is looked for."""

REMEMBERED = 1024


@dataclass(slots=True, eq=False)
class _Signs:
    """What a channel should show, and what it shows. Times are ticks; `made` counts its lines."""

    wanted: str = ""
    writing_until: float = -math.inf
    shown: str = ""
    message: int | None = None
    changed_at: float = -math.inf
    typed_at: float = -math.inf
    is_tidy: bool = False
    made: int = 0
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def is_at_rest(self, now: float) -> bool:
        """Whether nobody writes, and nothing is shown or should be."""
        return not self.wanted and not self.shown and self.writing_until <= now


@dataclass(slots=True)
class StatusLines:
    """The signs of all channels."""

    own: OwnPosts
    rooms: Rooms
    clock: Clock
    _signs: dict[int, _Signs] = field(default_factory=dict)

    def writing(self, channel: int, waiting: str) -> None:
        """Its character is writing, or waits in line with this sentence."""
        signs = self._signs.get(channel) or self._new(channel)
        signs.writing_until = self.clock.ticks() + BELIEVED
        changed, signs.wanted = signs.wanted != waiting, waiting
        self._see_to(channel, signs, news=changed)

    def resting(self, channel: int) -> None:
        """Nobody writes there any more."""
        if (signs := self._signs.get(channel)) is not None:
            signs.writing_until, signs.wanted = -math.inf, ""
            self._see_to(channel, signs, news=True)

    def line_of(self, channel: int) -> int | None:
        """The message that is the line of a channel at this moment, if there is one."""
        signs = self._signs.get(channel)
        return signs.message if signs else None

    async def settled(self, channel: int) -> None:
        """Return when a channel shows what it should and nobody writes there."""
        signs = self._signs.get(channel)
        while signs is not None and signs.task is not None:
            await asyncio.wait([signs.task])

    async def close(self) -> None:
        """Show nothing more. A line that stands is taken away, if that can be done at once."""
        tasks = [signs.task for signs in self._signs.values() if signs.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        lines = [(channel, signs) for channel, signs in self._signs.items() if signs.message is not None]
        with suppress(TimeoutError):
            async with asyncio.timeout(AT_LAST):
                await asyncio.gather(*(self._take_away(*each) for each in lines))
        self._signs.clear()

    async def _take_away(self, channel: int, signs: _Signs) -> None:
        signs.wanted, signs.writing_until, signs.is_tidy = "", -math.inf, True
        await self._safely(channel, signs)

    def _new(self, channel: int) -> _Signs:
        for old in [each for each, signs in self._signs.items() if signs.task is None][: max(0, len(self._signs) - REMEMBERED)]:
            del self._signs[old]
        signs = self._signs[channel] = _Signs()
        return signs

    def _see_to(self, channel: int, signs: _Signs, *, news: bool) -> None:
        if signs.task is None:
            if self._pause(signs) is not None:
                signs.task = asyncio.create_task(self._serve(channel, signs), name=f"signs in {channel}")
        elif news:
            signs.bell.set()

    async def _serve(self, channel: int, signs: _Signs) -> None:
        try:
            while (pause := self._pause(signs)) is not None:
                if pause > 0:
                    await self._wait(signs.bell, pause)
                signs.bell.clear()
                await self._safely(channel, signs)
        finally:
            signs.task = None

    def _pause(self, signs: _Signs) -> float | None:
        """Seconds until there is something to show; None when all is shown and nobody writes."""
        now = self.clock.ticks()
        due = []
        if signs.wanted != signs.shown:
            # Taking the line away is never put off: the text that it speaks of is there.
            due.append(signs.changed_at + LINE_EVERY if signs.wanted else now)
        if signs.writing_until > now and not signs.wanted:
            due.append(signs.typed_at + TYPING_EVERY)
        if not signs.is_tidy and signs.is_at_rest(now):
            due.append(now)
        return max(0.0, min(due) - now) if due else None

    async def _wait(self, bell: asyncio.Event, seconds: float) -> None:
        """Until the time has come, or there is news."""
        waits = asyncio.ensure_future(self.clock.sleep(seconds)), asyncio.ensure_future(bell.wait())
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _safely(self, channel: int, signs: _Signs) -> None:
        """Show what is due now. What fails is not shown, and not tried again before it changes."""
        try:
            await self._show(channel, signs)
            if not signs.is_tidy and signs.is_at_rest(self.clock.ticks()):
                signs.is_tidy = True
                await self._tidy(channel)
        except CourierError as error:
            if isinstance(error, PostRefused):
                signs.message = None  # somebody else took the line away, or it may not be shown
            signs.is_tidy &= not isinstance(error, OutcomeUnknown)
            log.debug("a sign of writing could not be shown: %s", error, extra={"action": "show_no_sign", "channel": channel})

    async def _show(self, channel: int, signs: _Signs) -> None:
        now = self.clock.ticks()
        if signs.wanted != signs.shown and (not signs.wanted or signs.changed_at + LINE_EVERY <= now):
            signs.shown, signs.changed_at = signs.wanted, now
            await self._change_line(channel, signs)
        if signs.writing_until > now and not signs.wanted and signs.typed_at + TYPING_EVERY <= now:
            signs.typed_at = now
            async with translated(Attempt(act="show that somebody writes")):
                await self.own.line.client.http.send_typing(channel)

    async def _change_line(self, channel: int, signs: _Signs) -> None:
        room = await self.rooms.about(channel)
        text = f"{MARK}{' '.join(signs.shown.split())[:LONGEST]}"
        if signs.message is None and signs.shown:
            signs.made += 1
            nonce = nonce_of(str(channel), f"line {self.clock.now()} {signs.made}")
            signs.message = await self.own.post(room, text, nonce)
        elif signs.message is not None and signs.shown:
            await self.own.edit(room, signs.message, text)
        elif signs.message is not None:
            await self.own.delete(room, signs.message)
            signs.message = None

    async def _tidy(self, channel: int) -> None:
        room = await self.rooms.about(channel)
        for each in await self.own.after(room, None, LOOKED_BACK):
            if int(each["author"]["id"]) == self.own.bot and str(each["content"]).startswith(MARK):
                await self.own.delete(room, int(each["id"]))
