"""Events whose keys are not here: put aside, told of once, tried again, given up in the end. It knows no lane and no sync."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from adapters.matrix.ears.around import Around
from adapters.matrix.ears.arriving import Came, name_of
from adapters.matrix.ears.deciphering import Sealed, session_of, understood, unreadable
from adapters.matrix.ears.keys import Keys
from adapters.matrix.ears.reading import sent_at
from bot.ids import EventId

log = logging.getLogger(__name__)

TOLD_AFTER = 20.0
"""Seconds for which an event lies here before it is told that it cannot be read. Its room waited for the key before."""

GIVEN_UP_AFTER = 86400.0
"""Seconds after which nobody sends its key any more."""

LOOKED_AT_EVERY = 5.0
TRIED_EVERY = 300.0
"""Seconds between two looks at what lies here, and between two tries at it without a new key."""

MOST = 500
"""How many events of a room lie here; older ones are given up."""


@dataclass(slots=True)
class _Lying:
    """An event, since when it lies here and when it was last tried (a clock that never jumps), and whether that was told."""

    item: Came
    since: float
    tried: float
    is_told: bool = False


@dataclass(slots=True)
class Aside:
    """What is put aside, by rooms. `look` is told of each room that is to be looked at, and sees to `look_at` in its turn."""

    around: Around
    keys: Keys
    let_go: Callable[[EventId], Awaitable[None]]
    look: Callable[[str], None]
    _rooms: dict[str, dict[EventId, _Lying]] = field(default_factory=dict)
    _watch: asyncio.Task[None] | None = None

    def holds(self, room: str) -> bool:
        """Whether anything of a room lies here."""
        return room in self._rooms

    async def put(self, item: Came) -> None:
        """Put an event aside. It stays in the store until it is done with."""
        now = self.around.clock.ticks()
        lying = self._rooms.setdefault(item.room, {})
        lying[name_of(item)] = _Lying(item, now, now)
        self.around.metrics.count("matrix_sealed")
        while len(lying) > MOST:
            await self._done(item.room, next(iter(lying)))
        if self._watch is None or self._watch.done():
            self._watch = asyncio.get_running_loop().create_task(self._watching(), name="matrix sealed events")

    async def forget(self, room: str) -> None:
        """The bot is in a room no longer: nothing of it will be read."""
        for name in tuple(self._rooms.get(room, {})):
            await self._done(room, name)

    def keys_came(self) -> None:
        """All of it may be readable now."""
        for room, lying in self._rooms.items():
            for each in lying.values():
                each.tried = float("-inf")
            self.look(room)

    async def look_at(self, room: str) -> None:
        """Try what is due of a room, in order, and tell of what cannot be read."""
        for name, lying in tuple(self._rooms.get(room, {}).items()):
            try:
                is_done = await self._tried(lying)
            except Exception:
                log.exception("an event could not be heard", extra={"action": "fail", "place": room})
                is_done = True
            if is_done:
                await self._done(room, name)

    async def close(self) -> None:
        """Stop looking, and forget what lies here; the store has it."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        self._rooms.clear()

    async def _done(self, room: str, name: EventId) -> None:
        lying = self._rooms.get(room, {})
        lying.pop(name, None)
        if not lying:
            self._rooms.pop(room, None)
        await self.let_go(name)

    async def _tried(self, lying: _Lying) -> bool:
        """Try an event if that is due. Returns whether it is done with."""
        if not self._is_due(lying) or self.around.client is None:
            return False
        around, item = self.around, lying.item
        lying.tried = around.clock.ticks()
        try:
            heard = understood(around, item.room, item.event)
        except Sealed:
            return await self._still_sealed(lying)
        log.info("a key came late; its event is heard now", extra={"action": "decrypt", "place": item.room})
        if heard is not None:
            await around.patiently(lambda: around.listener.heard(heard))
        return True

    async def _still_sealed(self, lying: _Lying) -> bool:
        around, item, now = self.around, lying.item, self.around.clock.ticks()
        sent = sent_at(item.event)
        if max(now - lying.since, around.clock.now() - sent if sent else 0.0) >= GIVEN_UP_AFTER:
            log.warning("an event could not be decrypted within a day; it is given up", extra=_of(item, "give_up"))
            around.metrics.count("matrix_sealed_given_up")
            return True
        if not lying.is_told and self._is_to_be_told(lying):
            lying.is_told = True
            sealed = unreadable(self.keys, item.room, item.event)
            log.warning("an event cannot be decrypted so far", extra=_of(item, "decrypt"))
            if await around.patiently(lambda: around.listener.concerns(sealed)):
                await around.patiently(lambda: around.listener.heard(sealed))
        return False

    def _is_due(self, lying: _Lying) -> bool:
        is_untold = not lying.is_told and self._is_to_be_told(lying)
        return is_untold or self.around.clock.ticks() - lying.tried >= TRIED_EVERY

    def _is_to_be_told(self, lying: _Lying) -> bool:
        is_withheld = self.keys.withheld(lying.item.room, session_of(lying.item.event)) != ""
        return is_withheld or self.around.clock.ticks() - lying.since >= TOLD_AFTER

    async def _watching(self) -> None:
        while self._rooms:
            await self.around.clock.sleep(LOOKED_AT_EVERY)
            for room, lying in tuple(self._rooms.items()):
                if any(map(self._is_due, lying.values())):
                    self.look(room)


def _of(item: Came, action: str) -> dict[str, str]:
    return {"action": action, "place": item.room}
