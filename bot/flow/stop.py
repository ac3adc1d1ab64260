"""The sign that a reply shall not be written on, and why. It knows no story."""

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stop:
    """Set by whoever wants the writing to end. `is_stale` says that the story moved on: what was written is taken away.

    `has_words` says that the model writes this reply now, and `is_last` that the program ends: nothing is to follow it.
    """

    signal: asyncio.Event = field(default_factory=asyncio.Event)
    is_stale: bool = False
    has_words: bool = False
    is_last: bool = False

    @property
    def is_set(self) -> bool:
        """Whether the writing shall end."""
        return self.signal.is_set()

    def set(self, *, stale: bool = False) -> None:
        """End the writing."""
        self.is_stale = self.is_stale or stale
        self.signal.set()
