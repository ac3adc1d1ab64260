"""A shelf without files: it forgets by bytes, hands things over one call later, and can lose or hold them back."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from bot.ports.shelf import KeptState, ShelfStatistics


class MemoryShelf:
    """Keeps states in a dictionary. What was fetched comes with the next `fetched`, or later while `holds_back` is set.

    `damage` makes what is kept under a name untrustworthy; `reopened` is the shelf as the next process finds it. While
    `sticks` is set, nothing can be erased from it.
    """

    def __init__(self, limit: int = 1_000_000_000) -> None:
        self.limit = limit
        self.holds_back = False
        self.sticks = False
        self.closed = False
        self._states: OrderedDict[str, KeptState] = OrderedDict()
        self._damaged: set[str] = set()
        self._asked: list[str] = []
        self._counts = ShelfStatistics()

    def put(self, name: str, state: KeptState) -> None:
        self.drop(name)
        self._states[name] = replace(state, data=memoryview(bytes(state.data)))
        while sum(each.size for each in self._states.values()) > self.limit:
            self._states.popitem(last=False)
            self._count(dropped=1)

    def holds(self, name: str) -> bool:
        return name in self._states

    def fetch(self, name: str) -> None:
        if name not in self._asked:
            self._asked.append(name)

    def fetched(self) -> tuple[tuple[str, KeptState | None], ...]:
        if self.holds_back:
            return ()
        asked, self._asked = self._asked, []
        return tuple((name, self._handed_over(name)) for name in asked)

    def drop(self, name: str) -> None:
        self._states.pop(name, None)
        self._damaged.discard(name)

    def erase(self, name: str, done: Callable[[bool], None]) -> None:
        if not self.sticks:
            self.drop(name)
        done(not self.sticks)

    def statistics(self) -> ShelfStatistics:
        return replace(self._counts, entries=len(self._states), bytes=sum(each.size for each in self._states.values()))

    def close(self) -> None:
        self.closed = True

    def damage(self, name: str) -> None:
        """What is kept under this name can no longer be trusted."""
        self._damaged.add(name)

    def reopened(self) -> "MemoryShelf":
        """The shelf as the next process finds it. Raises ValueError when this one was not closed."""
        if not self.closed:
            raise ValueError("the shelf is still open")
        after = MemoryShelf(self.limit)
        after._states, after._damaged = self._states, self._damaged
        return after

    def _handed_over(self, name: str) -> KeptState | None:
        state = self._states.pop(name, None)
        if state is None:
            self._count(misses=1)
        elif name in self._damaged:
            self._damaged.discard(name)
            self._count(damaged=1)
            return None
        else:
            self._count(hits=1)
        return state

    def _count(self, **by: int) -> None:
        self._counts = replace(self._counts, **{name: getattr(self._counts, name) + more for name, more in by.items()})
