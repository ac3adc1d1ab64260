"""Which slot of the model holds which session's tokens. It moves no tokens itself and knows no requests."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from bot.engine.chunks import kept_ends, resumed, shared
from bot.ids import SessionId


@dataclass(slots=True)
class Slot:
    """One sequence of the model's cache: whose it is, and what it holds.

    `tokens` were read with `adapter`, in stretches that ended at `ends`; `used` counts when it was last given.
    """

    index: int
    session: SessionId | None = None
    adapter: str = ""
    tokens: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    used: int = 0

    def alike(self, prompt: Sequence[int], *, draws: bool) -> int:
        """How much of a prompt it holds. To draw, the last token is read again: only reading gives the numbers for it."""
        alike = shared(self.tokens, list(prompt))
        return min(alike, len(prompt) - 1) if draws else alike

    def resumed(self, prompt: Sequence[int], borders: Sequence[int], plan: Sequence[int], *, draws: bool) -> int:
        """From where on a prompt must be read into it, so that it comes out as if it had been read at once."""
        return resumed(self.ends, self.alike(prompt, draws=draws), borders, plan)

    def extend(self, tokens: Sequence[int]) -> None:
        """One more stretch was read."""
        self.tokens.extend(tokens)
        self.ends.append(len(self.tokens))

    def cut(self, length: int) -> None:
        """Only the first `length` tokens are left."""
        self.ends = kept_ends(self.ends, length)
        del self.tokens[length:]

    def clear(self) -> None:
        """The slot holds nothing and is nobody's."""
        self.tokens, self.ends, self.session, self.adapter = [], [], None, ""


class SlotTable:
    """All slots. A session has at most one."""

    def __init__(self, count: int) -> None:
        self._slots = [Slot(index) for index in range(count)]
        self._uses = 0

    def __getitem__(self, index: int) -> Slot:
        return self._slots[index]

    def __len__(self) -> int:
        return len(self._slots)

    def __iter__(self) -> Iterator[Slot]:
        return iter(self._slots)

    def of(self, session: SessionId) -> Slot | None:
        """The session's own slot."""
        return next((slot for slot in self._slots if slot.session == session), None)

    def empty(self) -> Slot | None:
        """A slot that is nobody's."""
        return next((slot for slot in self._slots if slot.session is None), None)

    def longest_unused(self, busy: Collection[int]) -> Slot | None:
        """The slot, of all but the busy ones, whose last use is the longest ago.

        What it shares with the prompt that it is wanted for does not count: taking another session's slot would cost that
        session more than this one gains.
        """
        return min((slot for slot in self._slots if slot.index not in busy), key=lambda slot: slot.used, default=None)

    def give(self, slot: Slot, session: SessionId) -> None:
        """The slot is this session's from now on."""
        self._uses += 1
        slot.session, slot.used = session, self._uses

    def exchange(self, one: int, other: int) -> None:
        """Two slots changed places, with all that they hold."""
        slots = self._slots
        slots[one], slots[other] = slots[other], slots[one]
        slots[one].index, slots[other].index = one, other

    def held(self) -> tuple[Slot, ...]:
        """The slots that hold something."""
        return tuple(slot for slot in self._slots if slot.session is not None and slot.tokens)

    def check_integrity(self, context: int) -> None:
        """Raise ValueError when a session has two slots, or a slot holds too much or other tokens than its ends say."""
        if [slot.index for slot in self._slots] != list(range(len(self._slots))):
            raise ValueError("a slot is not in its place")
        owners = [slot.session for slot in self._slots if slot.session is not None]
        if len(owners) != len(set(owners)):
            raise ValueError(f"a session has more than one slot: {owners}")
        for slot in self._slots:
            if len(slot.tokens) > context:
                raise ValueError(f"slot {slot.index} holds more than {context} tokens")
            if slot.ends != sorted(set(slot.ends)) or (slot.ends or [0])[-1] != len(slot.tokens):
                raise ValueError(f"slot {slot.index} holds {len(slot.tokens)} tokens and its stretches end at {slot.ends}")
