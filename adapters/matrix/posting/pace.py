"""How fast the account may post, learnt from the homeserver's answers; and whose turn it is. Pure: it tells no time.

A homeserver counts events in a bucket that leaks: so many fit in at once, and one more each few seconds (Synapse where nobody
changes it: 10, and one each 5 seconds, https://element-hq.github.io/synapse/latest/usage/configuration/config_documentation.html).
It says nothing of this before it refuses an event, and then how long until the bucket has room for one.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass, field

from bot.ids import Place

USUAL_BURST = 10.0
USUAL_INTERVAL = 5.0
"""What is believed of a homeserver that has refused nothing yet."""

LEARNT_FOR = 600.0
"""Seconds after a refusal during which posts wait by themselves. Then one is tried: the operator may have lifted the limit."""

SPARE = 4.0
"""Events that must have room besides, before one goes out that is no post."""

FAR = 4.0
"""How many times longer than the longest refusal a long interval may seem: others use up the bucket, too."""

SHORTEST = 0.001
"""Seconds of a wait or an interval, at least."""

GRACE = 3.0
"""Seconds for which a turn is kept for a place that comes back late."""


@dataclass(slots=True)
class Pace:
    """The homeserver's bucket as far as it is known. All times are ticks, in seconds.

    `interval` is how long one event takes to leak, `burst` how many fit in.
    """

    interval: float = USUAL_INTERVAL
    burst: float = USUAL_BURST
    _level: float = 0.0
    _at: float = 0.0
    _refused_at: float = -math.inf
    _allowed_at: float = -math.inf
    _longest: float = 0.0
    _sent: int = 0

    def seconds_to_wait(self, now: float, ahead: int = 0) -> float:
        """Seconds until an event may go out after `ahead` others; 0 as long as nothing was refused lately."""
        if not self._is_limited(now):
            return 0.0
        return _worth((self._leaked(now) + ahead + 1 - self.burst) * self.interval)

    def seconds_to_spare(self, now: float) -> float:
        """Seconds until there is room for what is no post, if no post goes out meanwhile; 0 when there is."""
        return _worth((self._leaked(now) + 1 + SPARE - self.burst) * self.interval)

    def sent(self, now: float) -> None:
        """An event went out and was taken."""
        self._level, self._at = self._leaked(now) + 1, now
        self._sent += 1
        if self._level > self.burst:
            # More fits in than was believed. How much, nobody says.
            self.burst = 2 * self._level

    def refused(self, now: float, seconds: float) -> None:
        """An event was refused: there is room for it in so many seconds."""
        allowed = now + seconds
        if not self._is_limited(now):
            self.interval, self.burst, self._longest, self._sent = seconds, USUAL_BURST, 0.0, 0
        self._longest = max(self._longest, seconds)
        self.interval = max(self._measured(allowed), seconds)
        self._refused_at, self._allowed_at, self._sent = now, allowed, 0
        # Full but for what leaks until then. Nothing says how far over full it is, and it is not.
        self._level, self._at = self.burst - 1 + seconds / max(self.interval, SHORTEST), now

    def _measured(self, allowed: float) -> float:
        """The interval by the time that passed between two refusals, and what went out meanwhile.

        That is exact if the bucket never ran empty in between. Where it may have, the interval grows step by step.
        """
        if not self._sent:
            return self.interval
        passed, believed = allowed - self._allowed_at, max(self.interval, self._longest)
        is_sure = passed <= (self._sent + USUAL_BURST) * believed
        return min(passed / self._sent, max(FAR * self._longest, USUAL_INTERVAL) if is_sure else 2 * believed)

    def _is_limited(self, now: float) -> bool:
        return now < self._refused_at + LEARNT_FOR

    def _leaked(self, now: float) -> float:
        return max(0.0, self._level - (now - self._at) / max(self.interval, SHORTEST))


def _worth(seconds: float) -> float:
    """A wait that is one: what is shorter than a clock's step would be waited for for ever."""
    return seconds if seconds > SHORTEST else 0.0


@dataclass(slots=True)
class Turns:
    """Which places wait for room, in the order in which they asked. Each of them comes back by itself."""

    _waiting: OrderedDict[Place, float] = field(default_factory=OrderedDict)

    def ahead_of(self, place: Place, now: float) -> int:
        """How many places are to go first. One that does not come back in time loses its turn."""
        for late in [each for each, until in self._waiting.items() if until < now]:
            del self._waiting[late]
        waiting = list(self._waiting)
        return waiting.index(place) if place in self._waiting else len(waiting)

    def waits(self, place: Place, until: float) -> None:
        """A place was told to come back at this time. It keeps the turn that it has."""
        self._waiting[place] = until + GRACE

    def served(self, place: Place) -> None:
        """It need not wait any more."""
        self._waiting.pop(place, None)
