"""How sessions come to slots and leave them: cut, saved, brought back. It decides nothing about who goes first.

Rule 1. `slot.tokens` and `slot.ends` are what the runner has read into the slot, no more and no less.
Rule 2. A slot that cannot be trusted after a failure of the runner is emptied.
"""

import logging
from collections.abc import Callable, Collection

from bot.engine.chunks import divided
from bot.engine.gathering import exchanges
from bot.engine.job import Reading
from bot.engine.memory import StateMemory
from bot.engine.slots import Slot, SlotTable
from bot.errors import RunnerFailed
from bot.ids import SessionId
from bot.ports.runner import Runner
from bot.ports.shelf import KeptState, Shelf

logger = logging.getLogger(__name__)


class Placing:
    """The slots of a runner, and the memory behind them."""

    def __init__(self, runner: Runner, memory_bytes: int = 0, shelf: Shelf | None = None) -> None:
        self._runner = runner
        self.slots = SlotTable(runner.shape.slots)
        self.memory = StateMemory(memory_bytes, shelf)
        self._keeps = memory_bytes > 0 or shelf is not None
        # Divided otherwise, the same tokens come out otherwise.
        self._identity = f"{runner.identity} in {runner.shape.chunk}" if runner.is_exact else runner.identity
        self.evictions = 0
        self.hits = 0

    def place(self, session: SessionId, busy: Collection[int]) -> Slot | None:
        """A slot for the session, now its own, with what was kept of the session in it; None when all others are busy.

        It is its own slot, else an empty one, else the longest unused, whose session's state is saved. Raises RunnerFailed.
        """
        own = self.slots.of(session)
        if own is not None:
            self.hits += bool(own.tokens)
            self.slots.give(own, session)
            return own
        slot = self.slots.empty() or self.slots.longest_unused(busy)
        if slot is None:
            return None
        # Taken first: what is saved now could push it out of memory.
        state = self.memory.take(session)
        self._evict(slot)
        self._bring(slot, session, state)
        return slot

    def place_without_loss(self, session: SessionId) -> Slot | None:
        """As `place`, but never at the cost of another session: None when that would be needed. Raises RunnerFailed."""
        own = self.slots.of(session)
        slot = own or self.slots.empty()
        if slot is None:
            return None
        if own is None:
            self._bring(slot, session, self.memory.take(session))
        self.slots.give(slot, session)
        return slot

    def prepare(self, slot: Slot, reading: Reading, *, draws: bool) -> tuple[int, ...]:
        """Cut the slot to what serves the reading; returns where the stretches end that are left to read. Raises RunnerFailed.

        Where numbers depend on the neighbours anyway, borders do not count: longer stretches are worth more than equal ones.
        """
        exact, chunk, tokens = self._runner.is_exact, self._runner.shape.chunk, reading.tokens
        borders = reading.borders if exact else ()
        at = 0
        if slot.adapter == reading.adapter:
            plan = divided(len(tokens), borders, chunk)
            at = slot.resumed(tokens, borders, plan, draws=draws) if exact else slot.alike(tokens, draws=draws)
        self._cut(slot, at)
        slot.adapter = reading.adapter
        return divided(len(tokens), borders, chunk, len(slot.tokens))

    def gather(self, written: Collection[int], fixed: Collection[int]) -> None:
        """Bring the slots that are written together side by side where that pays. Raises RunnerFailed: as for `empty`."""
        if self._runner.shape.neighbours:
            for one, other in exchanges(written, fixed, [len(slot.tokens) for slot in self.slots]):
                self._runner.exchange(one, other)
                self.slots.exchange(one, other)

    def empty(self, slot: Slot) -> None:
        """Give up what the slot holds. Raises RunnerFailed when even that fails: the runner is of no more use then."""
        self._runner.keep(slot.index, 0)
        slot.clear()

    def forget(self, session: SessionId, done: Callable[[bool], None]) -> None:
        """Drop all that is held and kept of a session; `done` hears whether nothing is left, as Shelf.erase says.

        Raises RunnerFailed as for `empty`; the slot is not saved then, and `done` hears all the same.
        """
        self.memory.erase(session, done)
        slot = self.slots.of(session)
        if slot is not None:
            try:
                self._runner.keep(slot.index, 0)
            finally:
                slot.clear()

    def close(self) -> None:
        """Save what the slots hold, and have everything written down."""
        if self._keeps:
            for slot in self.slots.held():
                self._save(slot)
        self.memory.close()

    def _cut(self, slot: Slot, length: int) -> None:
        if length < len(slot.tokens):
            kept = self._runner.keep(slot.index, length)
            slot.cut(length if kept else 0)

    def _evict(self, slot: Slot) -> None:
        if slot.session is None:
            return
        self.evictions += 1
        if self._keeps and slot.tokens:
            self._save(slot)
        self.empty(slot)

    def _save(self, slot: Slot) -> None:
        session = slot.session
        if session is None:
            return
        try:
            data = self._runner.save(slot.index)
        except RunnerFailed:
            logger.warning("a story's place in the model could not be saved; it will be read again", exc_info=True)
            return
        state = KeptState(self._identity, slot.adapter, tuple(slot.tokens), tuple(slot.ends), data)
        self.memory.keep(session, state)

    def _bring(self, slot: Slot, session: SessionId, state: KeptState | None) -> None:
        """Put what was kept of the session into the slot, which is empty; what does not fit this runner is forgotten."""
        self.slots.give(slot, session)
        if state is None or state.identity != self._identity or len(state.tokens) > self._runner.shape.context:
            return
        try:
            restored = self._runner.restore(slot.index, state.data, len(state.tokens))
        except RunnerFailed:
            logger.warning("what was kept of a story could not be restored; it is read again", exc_info=True)
            self._runner.keep(slot.index, 0)
            return
        if restored:
            slot.adapter, slot.tokens, slot.ends = state.adapter, list(state.tokens), list(state.ends)
