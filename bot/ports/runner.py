"""The wall to the model: one step at a time over fixed slots. It knows tokens, not texts of stories, queues or sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.sampling import SamplingSettings


@dataclass(frozen=True, slots=True)
class Stretch:
    """Tokens for one slot in one step, the first at position `start` of the slot's sequence. `draws` asks for a next token."""

    slot: int
    tokens: tuple[int, ...]
    start: int
    draws: bool


@dataclass(frozen=True, slots=True)
class RunnerShape:
    """How many slots there are, how long a slot's sequence can grow, and how many tokens a step and a stretch take at most.

    A step has room for one stretch beside a token of every other slot: `batch` is at least `chunk` + `slots` - 1.
    `neighbours` says that slots written together are faster side by side, so that it pays to `exchange` some.
    """

    slots: int
    context: int
    batch: int
    chunk: int
    neighbours: bool = False


SlotState = memoryview
"""What a slot's sequence is in the model's memory, as bytes that only a runner of the same `identity` can take back."""


class Runner(Protocol):
    """A model with its cache. All calls but `tokenize` and `piece` come from the one thread that owns it.

    Raises RunnerFailed only; everything does once it is closed.

    Positions of a slot are contiguous from 0. A step that raises leaves its slots in an unknown state: clear them.

    Where `is_exact`, what a slot holds and draws depends on its own stretches alone: on their tokens and on how they were
    divided into stretches, never on what else was in a step, on which slot it was, or on a save and a restore in between.
    """

    @property
    def shape(self) -> RunnerShape:
        """Its sizes. They never change."""
        ...

    @property
    def identity(self) -> str:
        """All that a saved state depends on (model file, kinds of cache, adapters with their scales, library), as one word."""
        ...

    @property
    def adapters(self) -> tuple[str, ...]:
        """The names of the LoRA adapters that were loaded with the model."""
        ...

    @property
    def is_exact(self) -> bool:
        """Whether the promise of exactness above holds on this machine."""
        ...

    def tokenize(self, text: str, *, special: bool, first: bool) -> tuple[int, ...]:
        """The tokens of a stretch of text; may be called from any thread.

        `special` lets the text's control words become control tokens; never set it for what people wrote. `first` marks
        the beginning of a prompt (a begin-of-sequence token is added where the model wants one); otherwise the
        stretch is tokenised as if other text stood before it, so that stretches can be joined.
        """
        ...

    def piece(self, token: int) -> bytes:
        """The bytes that a token spells; empty for control tokens. A character may be spread over several tokens.

        May be called from any thread. Raises UnknownToken for an id that is none of this model's.
        """
        ...

    def is_end(self, token: int) -> bool:
        """Whether this token ends a reply."""
        ...

    def begin(self, slot: int, settings: SamplingSettings, seed: int, history: Sequence[int]) -> None:
        """Set how the slot draws from now on; `history` is what its penalty counts as already said (the prompt)."""
        ...

    def step(self, stretches: Sequence[Stretch], adapter: str = "") -> tuple[int | None, ...]:
        """Read the stretches and draw a token where asked: one answer per stretch, in the order given.

        Together they have at most `shape.batch` tokens, each one at most `shape.chunk`. Several stretches of one slot
        stand in the order of their positions, and only the last of them may draw. All are read with this adapter (empty:
        none); a slot's sequence has to be read with one adapter from its beginning to its end.
        """
        ...

    def save(self, slot: int) -> SlotState:
        """A copy of what the slot holds, for `restore` in any slot, now or in another process."""
        ...

    def restore(self, slot: int, state: SlotState, length: int) -> bool:
        """Put a saved state of `length` tokens in the place of what the slot holds. False if it cannot: the slot is empty then.

        The state is trusted to be whole and of a runner of the same `identity`: whoever kept it has checked that.
        """
        ...

    def keep(self, slot: int, length: int) -> bool:
        """Cut the slot's sequence to its first `length` tokens. False when it cannot: the slot is empty then."""
        ...

    def exchange(self, one: int, other: int) -> None:
        """Let two slots change places: what they hold, and how they draw. After a failure both are in an unknown state."""
        ...

    def close(self) -> None:
        """Give back all memory. The runner cannot be used afterwards."""
        ...
