"""Signs on the players' own messages of what became of them: reactions. Nobody waits for one, and none fails a walk.

Rule 1: a sign costs an event of the account's few, so it goes out only where there is room to spare, and what is no longer so
by then is never shown.
Rule 2: what is shown is taken away again, however long there is no room for that.
"""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass, field

from adapters.matrix.errors import ALREADY_REACTED, code_of
from adapters.matrix.posting.content import reaction
from adapters.matrix.posting.sending import REACTION, Sending
from adapters.matrix.words import room_of
from bot.errors import CourierError, OutcomeUnknown, TryLater
from bot.ids import EventId, Place
from bot.ports.clock import Clock
from bot.posts import Fate

log = logging.getLogger(__name__)

SIGNS = {Fate.QUEUED: "⏳", Fate.IGNORED: "🙈", Fate.BROKEN: "⚠️"}
REMEMBERED = 1024

TRIES = 5
"""How often a sign is tried whose outcome nobody tells."""

SHORTEST_REST = 1.0
"""Seconds between two looks at whether there is room."""

_PLAIN = {sign.rstrip("\ufe0f"): fate for fate, sign in SIGNS.items()}

Spot = tuple[Place, EventId]


@dataclass(slots=True)
class Fates:
    """Shows one sign at a time on a message: the one that was told last."""

    sending: Sending
    clock: Clock
    _wanted: OrderedDict[Spot, Fate | None] = field(default_factory=OrderedDict)
    _shown: OrderedDict[Spot, dict[Fate, str]] = field(default_factory=OrderedDict)
    _tries: dict[Spot, int] = field(default_factory=dict)
    _task: asyncio.Task[None] | None = None
    _made: int = 0

    def tell(self, place: Place, event: EventId, fate: Fate | None) -> None:
        """What became of a message; None takes the sign away. Returns at once."""
        spot = (place, event)
        self._wanted[spot] = fate
        self._tries.pop(spot, None)
        while len(self._wanted) > REMEMBERED:
            self._tries.pop(self._wanted.popitem(last=False)[0], None)
        if self._task is None:
            self._task = asyncio.create_task(self._serve(), name="fates")

    async def settled(self) -> None:
        """Return when all that was told is shown, or could not be."""
        while (task := self._task) is not None:
            await asyncio.wait([task])

    async def close(self) -> None:
        """Show nothing more."""
        if (task := self._task) is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _serve(self) -> None:
        try:
            while self._wanted:
                spot = next(iter(self._wanted))
                if (rest := await self._safely(spot)) is not None:
                    await self.clock.sleep(max(rest, SHORTEST_REST))
        finally:
            self._task = None

    async def _safely(self, spot: Spot) -> float | None:
        """Show what is wanted on one message; the seconds to rest before the next try, if it is to be tried again."""
        wanted = self._wanted[spot]
        try:
            await self._show(spot, wanted)
        except TryLater as patience:
            self._wanted.move_to_end(spot)
            return float(patience.seconds)
        except OutcomeUnknown as error:
            self._shown.pop(spot, None)  # it may be there: look before the next try
            self._tries[spot] = self._tries.get(spot, 0) + 1
            if self._tries[spot] < TRIES:
                return SHORTEST_REST * float(2 ** self._tries[spot])
            self._give_up(spot, error)
        except CourierError as error:
            self._give_up(spot, error)
        else:
            if self._wanted.get(spot, wanted) is wanted:
                self._wanted.pop(spot, None)
            self._tries.pop(spot, None)
        return None

    def _give_up(self, spot: Spot, error: CourierError) -> None:
        self._wanted.pop(spot, None)
        self._tries.pop(spot, None)
        log.debug("a sign could not be shown: %s", error, extra={"action": "show_no_sign", "place": spot[0]})

    async def _show(self, spot: Spot, wanted: Fate | None) -> None:
        place, event = spot
        shown = self._shown.get(spot)
        if shown is None:
            # A new sign needs no look at what an earlier run left; taking one away does.
            shown = {} if wanted and not self._tries.get(spot) else await self._look(spot)
        self._keep(spot, shown)
        for each in [each for each in shown if each is not wanted]:
            await self.sending.redact(place, shown[each], is_sign=True)
            del shown[each]
        if wanted is None or wanted in shown:
            return
        self._made += 1
        key = ("fate", event, f"{self.clock.now()} {self._made}")
        try:
            shown[wanted] = await self.sending.send(place, REACTION, reaction(event, SIGNS[wanted]), *key, is_sign=True)
        except CourierError as error:
            if code_of(error) != ALREADY_REACTED:
                raise
            self._keep(spot, await self._look(spot))

    def _keep(self, spot: Spot, shown: dict[Fate, str]) -> None:
        self._shown[spot] = shown
        self._shown.move_to_end(spot)
        while len(self._shown) > REMEMBERED:
            self._shown.popitem(last=False)

    async def _look(self, spot: Spot) -> dict[Fate, str]:
        """The signs of ours on a message."""
        place, event = spot
        found = await self.sending.looking.own_signs(room_of(place), event)
        plain = {sign.rstrip("\ufe0f"): own for sign, own in found.items()}
        return {fate: plain[sign] for sign, fate in _PLAIN.items() if sign in plain}
