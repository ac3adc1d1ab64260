"""What is not said again so soon: for how long, and to whom. It says nothing itself."""

from collections import OrderedDict
from dataclasses import dataclass, field

from bot.ports.clock import Clock

REMEMBERED = 1_000


@dataclass(slots=True)
class Seldom:
    """Remembers what was said in the last `rest` seconds, by a key; of very many, the newest."""

    clock: Clock
    rest: float
    _said: OrderedDict[tuple[str, ...], float] = field(default_factory=OrderedDict)

    def is_due(self, *key: str) -> bool:
        """Whether this may be said now. Where it may, it counts as said."""
        now = self.clock.ticks()
        if now - self._said.get(key, -self.rest) < self.rest:
            return False
        self._said[key] = now
        self._said.move_to_end(key)
        while len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        return True
