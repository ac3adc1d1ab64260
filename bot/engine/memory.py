"""States of sessions without a slot: in this process's memory by bytes, and behind it on a shelf. It knows no model.

Rule 1. A session's state is in one place at a time: its slot, here, or the shelf. Whoever takes it has it alone.
Rule 2. What finds no room here moves to the shelf, the longest unused first; what finds none there is gone.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import replace

from bot.ids import SessionId
from bot.ports.shelf import KeptState, Shelf, ShelfStatistics


class StateMemory:
    """Keeps states for `limit` bytes, and the overflow on `shelf` if there is one."""

    def __init__(self, limit: int, shelf: Shelf | None) -> None:
        self._limit = limit
        self._shelf = shelf
        self._states: OrderedDict[SessionId, KeptState] = OrderedDict()
        self._arrived: dict[SessionId, KeptState] = {}
        self._coming: set[SessionId] = set()
        self._counts = ShelfStatistics()

    @property
    def is_coming(self) -> bool:
        """Whether something was sent for and has not arrived."""
        return bool(self._coming)

    def keep(self, session: SessionId, state: KeptState) -> None:
        """Keep the state of a session, in place of what is known of it."""
        self.forget(session)
        if state.size > self._limit:
            self._put_away(session, state)
            return
        self._states[session] = state
        self._count(bytes=state.size, entries=1)
        while self._counts.bytes > self._limit:
            oldest, overflow = self._states.popitem(last=False)
            self._count(bytes=-overflow.size, entries=-1, dropped=1)
            self._put_away(oldest, overflow)

    def send_for(self, session: SessionId) -> None:
        """Have the session's state brought from the shelf, if it is there: until then it `is_away`."""
        if self._shelf is None or session in self._coming or session in self._states or session in self._arrived:
            return
        if self._shelf.holds(session):
            self._coming.add(session)
            self._shelf.fetch(session)

    def is_away(self, session: SessionId) -> bool:
        """Whether the session's state is on the shelf or on its way from there."""
        if session in self._states or session in self._arrived or self._shelf is None:
            return False
        return session in self._coming or self._shelf.holds(session)

    def receive(self, wanted: Collection[SessionId]) -> None:
        """Take in what has arrived from the shelf; what is not wanted any more stays here like any other."""
        if self._shelf is None or not self._coming:
            return
        for name, state in self._shelf.fetched():
            session = SessionId(name)
            self._coming.discard(session)
            if state is not None:
                self._arrived[session] = state
            if session not in wanted:
                self.give_back(session)

    def take(self, session: SessionId) -> KeptState | None:
        """The state of a session, which then is no longer here; None when there is none."""
        state = self._arrived.pop(session, None)
        if state is not None:
            return state
        state = self._states.pop(session, None)
        self._count(**({"misses": 1} if state is None else {"hits": 1, "entries": -1, "bytes": -state.size}))
        return state

    def give_back(self, session: SessionId) -> None:
        """What was sent for is not needed now: it stays here like any other."""
        state = self._arrived.pop(session, None)
        if state is not None:
            self.keep(session, state)

    def forget(self, session: SessionId) -> None:
        """Drop whatever is known of a session, but for what is still on its way."""
        self._drop(session)
        if self._shelf is not None and session not in self._coming and self._shelf.holds(session):
            self._shelf.drop(session)

    def erase(self, session: SessionId, done: Callable[[bool], None]) -> None:
        """Drop whatever is known of a session, also on its way; `done` hears whether nothing is left, as Shelf.erase says."""
        self._drop(session)
        if self._shelf is None:
            done(True)
        else:
            self._shelf.erase(session, done)

    def statistics(self) -> tuple[ShelfStatistics, ShelfStatistics]:
        """What is here, and what is on the shelf."""
        return self._counts, self._shelf.statistics() if self._shelf else ShelfStatistics()

    def close(self) -> None:
        """Move everything to the shelf and wait until it is there."""
        if self._shelf is None:
            return
        for session, state in (*self._states.items(), *self._arrived.items()):
            self._shelf.put(session, state)
        self._states.clear()
        self._arrived.clear()
        self._shelf.close()

    def _drop(self, session: SessionId) -> None:
        self._arrived.pop(session, None)
        state = self._states.pop(session, None)
        if state is not None:
            self._count(bytes=-state.size, entries=-1)

    def _put_away(self, session: SessionId, state: KeptState) -> None:
        if self._shelf is not None:
            self._shelf.put(session, state)

    def _count(self, **by: int) -> None:
        self._counts = replace(self._counts, **{name: getattr(self._counts, name) + more for name, more in by.items()})
