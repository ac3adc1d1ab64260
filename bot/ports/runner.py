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
    """How many slots there are, how long a slot's sequence can grow, and how many tokens a step takes at most."""

    slots: int
    context: int
    batch: int


class Runner(Protocol):
    """A model with its cache. All calls but `tokenize` and `piece` come from the one thread that owns it.

    Raises RunnerFailed only; everything does once it is closed.

    Positions of a slot are contiguous from 0. A step that raises leaves its slots in an unknown state: clear them.
    """

    @property
    def shape(self) -> RunnerShape:
        """Its sizes. They never change."""
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

    def step(self, stretches: Sequence[Stretch]) -> tuple[int | None, ...]:
        """Read one stretch per slot and draw a token where asked, in the order given. Together at most `shape.batch` tokens."""
        ...

    def keep(self, slot: int, length: int) -> bool:
        """Cut the slot's sequence to its first `length` tokens. False when it cannot: the slot is empty then."""
        ...

    def close(self) -> None:
        """Give back all memory. The runner cannot be used afterwards."""
        ...
