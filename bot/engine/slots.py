"""Which slot of the model holds which session's tokens. It moves no tokens itself and knows no requests."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.ids import SessionId


@dataclass(slots=True)
class Slot:
    """One sequence of the model's cache: whose it is, the tokens it holds, and when it was last used (a count)."""

    index: int
    session: SessionId | None = None
    tokens: list[int] = field(default_factory=list)
    used: int = 0

    def prefix(self, tokens: Sequence[int]) -> int:
        """How many tokens from the start on are the same in the slot and in `tokens`."""
        most = min(len(self.tokens), len(tokens))
        return next((at for at in range(most) if self.tokens[at] != tokens[at]), most)


class SlotTable:
    """All slots. A session has at most one."""

    def __init__(self, count: int) -> None:
        self._slots = tuple(Slot(index) for index in range(count))
        self._uses = 0

    def __getitem__(self, index: int) -> Slot:
        return self._slots[index]

    def take(self, session: SessionId) -> Slot:
        """The slot for this session's prompt, now the session's own.

        It is its own, else an empty one, else the least recently used one, whose session loses its cache. What a slot of
        another session shares with the prompt does not count: taking it would cost that session more than this one gains.
        """
        slot = self.take_without_loss(session) or min(self._slots, key=lambda each: each.used)
        return self._give(slot, session)

    def take_without_loss(self, session: SessionId) -> Slot | None:
        """The session's own slot, else an empty one, now its own; None, and nothing changed, when there is neither."""
        own = next((slot for slot in self._slots if slot.session == session), None)
        slot = own or next((slot for slot in self._slots if not slot.tokens), None)
        return slot and self._give(slot, session)

    def clear(self, slot: Slot) -> None:
        """The slot holds nothing and is nobody's."""
        slot.tokens.clear()
        slot.session = None

    def check_integrity(self, context: int) -> None:
        """Raise ValueError when a session has two slots or a slot holds more than the context."""
        owners = [slot.session for slot in self._slots if slot.session is not None]
        if len(owners) != len(set(owners)):
            raise ValueError(f"a session has more than one slot: {owners}")
        full = [slot.index for slot in self._slots if len(slot.tokens) > context]
        if full:
            raise ValueError(f"slots {full} hold more than {context} tokens")

    def _give(self, slot: Slot, session: SessionId) -> Slot:
        self._uses += 1
        slot.session, slot.used = session, self._uses
        return slot
