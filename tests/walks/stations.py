"""The stations of a walk at which a test kills the bot: crossings of its walls, by name and by number."""

import os
import signal
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

STATIONS = (
    "receive",
    "save:1",
    "generate",
    "delta:1",
    "delta:20",
    "save:2",
    "claim:2",
    "attempt:2",
    "send:2",
    "settle:2",
    "save:last",
    "resting",
    "warm",
)
"""Each is killed just before and just after it took effect. `name:n` is the n-th crossing of that name."""


@dataclass(slots=True)
class Death:
    """Kills its own process, with no chance to tidy up, at one station or at the n-th crossing of any wall."""

    station: str = ""
    before: bool = False
    crossing: int = 0
    _begun: Counter[str] = field(default_factory=Counter)
    _done: Counter[str] = field(default_factory=Counter)

    def before_call(self, name: str) -> None:
        """A wall is about to be crossed."""
        self._begun[name] += 1
        if self.before and self._is_here(name, self._begun):
            _die()

    def after_call(self, name: str) -> None:
        """A wall was crossed, and the crossing took effect."""
        # Counted for themselves: where two are under way, the first to take effect is not the last that began.
        self._done[name] += 1
        if self._done.total() == self.crossing or (not self.before and self._is_here(name, self._done)):
            _die()

    def _is_here(self, name: str, crossings: Counter[str]) -> bool:
        wanted, _, number = self.station.partition(":")
        return name == wanted and (not number.isdigit() or crossings[name] == int(number))


@dataclass(slots=True)
class Watched:
    """A wall with a death waiting at it: every method is passed through and counted."""

    real: Any
    death: Death

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.real, name)
        if name == "generate":
            return self._watch_stream(method)
        if name not in CROSSINGS:
            return method

        async def crossed(*args: Any, **kwargs: Any) -> Any:
            crossing = "save:last" if name == "save" and _finishes(args[0]) else name
            self.death.before_call(name)
            if crossing != name and self.death.before and self.death.station == crossing:
                _die()
            result = await method(*args, **kwargs)
            self.death.after_call(name)
            if crossing != name and not self.death.before and self.death.station == crossing:
                _die()
            return result

        return crossed

    def _watch_stream(self, method: Callable[..., AsyncGenerator[Any, None]]) -> Callable[..., AsyncGenerator[Any, None]]:
        async def watched(request: Any) -> AsyncGenerator[Any, None]:
            self.death.before_call("generate")
            stream = method(request)
            try:
                async for event in stream:
                    self.death.before_call("delta")
                    yield event
                    self.death.after_call("delta")
            finally:
                await stream.aclose()
                self.death.after_call("generate")

        return watched


CROSSINGS = frozenset(
    {"receive", "save", "claim", "attempt", "settle", "postpone", "send", "edit", "delete", "resting", "warm", "read_back"}
    | {"bookmark", "take_in", "let_go"}
)


def _finishes(change: Any) -> bool:
    return bool(change.before and change.before.writing is not None and change.after.writing is None)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
