"""The wall to where the model's memory of a story is kept between turns. It knows no model and no session's words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bot.ports.runner import SlotState


@dataclass(frozen=True, slots=True)
class KeptState:
    """What a slot held: its tokens, where the stretches ended in which they were read, and its bytes.

    `ends` rises strictly from the first stretch's end to the number of tokens. `identity` is the runner's.
    """

    identity: str
    adapter: str
    tokens: tuple[int, ...]
    ends: tuple[int, ...]
    data: SlotState

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        return self.data.nbytes + 8 * (len(self.tokens) + len(self.ends))


@dataclass(frozen=True, slots=True)
class ShelfStatistics:
    """What is on the shelf now (`entries`, `bytes`) and what happened since the start (the rest are sums).

    `damaged` counts states that could not be trusted when they were wanted, and were thrown away; `dropped` those that
    left for want of room, `failed_writes` those that could not be written.
    """

    entries: int = 0
    bytes: int = 0
    hits: int = 0
    misses: int = 0
    dropped: int = 0
    damaged: int = 0
    failed_writes: int = 0


class Shelf(Protocol):
    """Keeps states by name for as long as there is room, the longest unused leaving first. Never raises.

    Every call returns at once; the work is done elsewhere. What cannot be kept or trusted is dropped, logged and counted:
    a lost state costs reading time and nothing else. All calls come from one thread.
    """

    def put(self, name: str, state: KeptState) -> None:
        """Keep this state under this name, in place of what is there. The state must not change any more."""
        ...

    def holds(self, name: str) -> bool:
        """Whether there is a state of this name (it may prove damaged when it is fetched)."""
        ...

    def fetch(self, name: str) -> None:
        """Begin to bring a state; `fetched` tells when it is there."""
        ...

    def fetched(self) -> tuple[tuple[str, KeptState | None], ...]:
        """What has been brought since the last call, by name; None where there was nothing that could be trusted.

        A state that was brought is off the shelf: it is in one place at a time, so that forgetting it there is enough.
        """
        ...

    def drop(self, name: str) -> None:
        """Forget the state of this name, if there is one; nothing of it is left where it was kept."""
        ...

    def erase(self, name: str, done: Callable[[bool], None]) -> None:
        """As `drop`, and `done` is called once, from any thread, when nothing of it is left where it was kept.

        It is called with False when that cannot be known: what keeps it could not be reached, or would not let go of it.
        """
        ...

    def statistics(self) -> ShelfStatistics:
        """What it holds and what happened."""
        ...

    def close(self) -> None:
        """Finish what was begun: what was put is kept. May take seconds. Nothing may be called afterwards but this."""
        ...
