"""Keeps in mind what the log warned of last, and counts it: what kind, when, at which action. It keeps no sentence of it."""

import logging
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from adapters.metrics.figures import Labels
from bot.metrics import LABELS, OTHER

KEPT = 50
LONGEST = 64
OURS = ("bot", "adapters", "storage")


@dataclass(frozen=True, slots=True)
class Trouble:
    """A warning or an error: when (seconds since the epoch), how grave, told by which module, at which action, which error."""

    at: float
    level: str
    source: str
    action: str
    error: str

    @property
    def kind(self) -> str:
        """The error's name; without one the action; without that the module."""
        return self.error or self.action or self.source


@dataclass(slots=True, eq=False)
class Troubles:
    """The last ones, the newest first, and counts by level and kind."""

    last: deque[Trouble] = field(default_factory=lambda: deque(maxlen=KEPT))
    counts: Counter[Labels] = field(default_factory=Counter)

    def note(self, trouble: Trouble) -> None:
        """Keep and count one."""
        self.last.appendleft(trouble)
        key = (trouble.level, trouble.kind)
        if key not in self.counts and len(self.counts) >= LABELS:
            key = (trouble.level, OTHER)
        self.counts[key] += 1

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear of what our own modules log, until the block ends."""
        handler = _Handler(self)
        loggers = [logging.getLogger(name) for name in OURS]
        for each in loggers:
            each.addHandler(handler)
        try:
            yield
        finally:
            for each in loggers:
                each.removeHandler(handler)


class _Handler(logging.Handler):
    def __init__(self, troubles: Troubles) -> None:
        super().__init__(logging.WARNING)
        self._troubles = troubles

    def emit(self, record: logging.LogRecord) -> None:
        """Take what is no sentence: sentences may quote what others sent."""
        kind = record.exc_info[0] if record.exc_info else None
        action = str(vars(record).get("action", ""))[:LONGEST]
        self._troubles.note(Trouble(record.created, record.levelname, record.name, action, kind.__name__ if kind else ""))
