"""How late the event loop is, and how fast replies and tokens come: looked at again and again. It knows no part of the bot."""

from collections import deque
from dataclasses import dataclass, field

from bot.metrics import Metrics
from bot.ports.clock import Clock

BEAT = 0.5
"""Seconds between two looks at the event loop."""

NOTED_EVERY = 10.0
OVER = 300.0
"""Seconds between two notes of what was done so far, and over which rates are taken."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How much was done lately: replies a minute, and tokens written a second."""

    turns: float = 0.0
    tokens: float = 0.0


@dataclass(slots=True)
class Pulse:
    """`beat` is to run as a task. Rates are over the last five minutes, or since the start where that was later."""

    clock: Clock
    metrics: Metrics
    _notes: deque[tuple[float, int, int]] = field(default_factory=deque)

    async def beat(self) -> None:
        """Look until cancelled."""
        self.note()
        while True:
            began = self.clock.ticks()
            await self.clock.sleep(BEAT)
            self.metrics.took("event_loop_lag_seconds", max(0.0, self.clock.ticks() - began - BEAT))
            if self.clock.ticks() - self._notes[-1][0] >= NOTED_EVERY:
                self.note()

    def note(self) -> None:
        """Note what was done up to now."""
        self._notes.append(self._so_far())
        while len(self._notes) > 1 and self._notes[-1][0] - self._notes[1][0] >= OVER:
            self._notes.popleft()

    @property
    def rates(self) -> Rates:
        """How much is done lately."""
        at, turns, tokens = self._so_far()
        since, turns_then, tokens_then = self._notes[0] if self._notes else (at, turns, tokens)
        if at <= since:
            return Rates()
        return Rates((turns - turns_then) * 60 / (at - since), (tokens - tokens_then) / (at - since))

    def _so_far(self) -> tuple[float, int, int]:
        return self.clock.ticks(), self.metrics.total("turns"), self.metrics.counts["tokens", "written"]
