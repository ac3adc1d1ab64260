"""How many posts a channel's webhooks may still bring in this minute. It tells no time and sends nothing.

The trap avoided: Discord allows 30 webhook posts a minute in a channel and all of its threads together, says so in no header,
and answers one too many with a rest of about 40 seconds for everybody.
"""

from collections import defaultdict, deque
from dataclasses import dataclass, field

BUDGET = 28
"""Posts in a window; two less than Discord's own count, whose window does not begin when ours does."""

WINDOW = 60.0
"""Seconds of a window."""


@dataclass(slots=True)
class Pace:
    """Counts the posts of each channel in a sliding window. All times are ticks, in seconds."""

    budget: int = BUDGET
    window: float = WINDOW
    _resting: dict[int, float] = field(default_factory=dict)
    _posted: defaultdict[int, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def seconds_to_wait(self, channel: int, now: float) -> float:
        """Seconds until the channel has room for another post; 0 when it has."""
        rest = self._resting.get(channel, now) - now
        if rest <= 0:
            self._resting.pop(channel, None)
        posted = self._recent(channel, now)
        full = posted[len(posted) - self.budget] + self.window - now if len(posted) >= self.budget else 0.0
        return max(0.0, rest, full)

    def posted(self, channel: int, now: float) -> None:
        """A post is on its way."""
        self._recent(channel, now)
        self._posted[channel].append(now)

    def rest(self, channel: int, until: float) -> None:
        """Discord asked one of the channel's posts to wait: it means all of them, whichever thread they go to."""
        self._resting[channel] = max(until, self._resting.get(channel, until))

    def _recent(self, channel: int, now: float) -> deque[float]:
        posted = self._posted.get(channel)
        if posted is None:
            return deque()
        while posted and posted[0] + self.window <= now:
            posted.popleft()
        if not posted:
            del self._posted[channel]
        return posted
