"""A shelf in memory: keeps states by name as the real ones do, and brings one by the next call of `fetched`."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from bot.ports.shelf import KeptState, ShelfStatistics


class MemoryShelf:
    """The Shelf port without files or threads. It copies on the way in and out, so that no caller's buffer lives on in it.

    While `holds_back` is set, nothing arrives. `reopened` is the shelf as the next process finds it.
    """

    def __init__(self, limit: int = 1_000_000_000, *, notify: Callable[[], None] = lambda: None) -> None:
        self._limit = limit
        self._notify = notify
        self.holds_back = False
        self._closed = False
        self._kept: dict[str, KeptState] = {}
        self._brought: list[tuple[str, KeptState | None]] = []
        self._spoiled: set[str] = set()
        self._counts: Counter[str] = Counter()

    def put(self, name: str, state: KeptState) -> None:
        self._kept.pop(name, None)
        self._kept[name] = _copy(state)
        self._spoiled.discard(name)
        while sum(each.size for each in self._kept.values()) > self._limit:
            del self._kept[next(iter(self._kept))]
            self._counts["dropped"] += 1

    def holds(self, name: str) -> bool:
        return name in self._kept or any(each == name and state is not None for each, state in self._brought)

    def fetch(self, name: str) -> None:
        if not any(each == name and state is not None for each, state in self._brought):
            state = self._kept.pop(name, None)
            if state is not None and name in self._spoiled:
                self._counts["damaged"] += 1
                state = None
            else:
                self._counts["misses" if state is None else "hits"] += 1
            self._brought.append((name, state and _copy(state)))
        self._notify()

    def fetched(self) -> tuple[tuple[str, KeptState | None], ...]:
        if self.holds_back:
            return ()
        brought, self._brought = tuple(self._brought), []
        return brought

    def drop(self, name: str) -> None:
        self._kept.pop(name, None)
        self._brought = [(each, None if each == name else state) for each, state in self._brought]

    def damage(self, name: str) -> None:
        """What a bad disk does: the state is there until somebody wants it."""
        self._spoiled.add(name)

    def statistics(self) -> ShelfStatistics:
        return ShelfStatistics(len(self._kept), sum(each.size for each in self._kept.values()), **self._counts)

    def close(self) -> None:
        self._kept.update({name: state for name, state in self._brought if state is not None})
        self._closed = True

    def reopened(self) -> "MemoryShelf":
        """The shelf as the next process finds it. Raises ValueError when this one was not closed."""
        if not self._closed:
            raise ValueError("the shelf is still open")
        after = MemoryShelf(self._limit)
        after._kept, after._spoiled = self._kept, self._spoiled
        return after


def _copy(state: KeptState) -> KeptState:
    return replace(state, data=memoryview(bytes(state.data)))
