"""One reply while the loop works on it: what is still to read of its prompt, what was drawn last, what it used."""

from collections import deque
from dataclasses import dataclass, field

from bot.engine.job import Job
from bot.engine.sequence import ReplySequence
from bot.engine.slots import Slot
from bot.ports.engine import Usage
from bot.ports.runner import Stretch


@dataclass(slots=True)
class Writing:
    """A job in its slot. `ends` are where the stretches end that are left to read; `drawn` is a token to read next."""

    job: Job
    slot: Slot
    ends: deque[int]
    cached: int
    sequence: ReplySequence = field(init=False)
    drawn: int | None = None

    def __post_init__(self) -> None:
        self.sequence = ReplySequence(self.job.max_tokens, self.job.stop)

    @property
    def is_reading(self) -> bool:
        """Whether its prompt is not read to the end yet."""
        return bool(self.ends)

    @property
    def left(self) -> int:
        """How many tokens of its prompt are left to read."""
        return self.ends[-1] - len(self.slot.tokens) if self.ends else 0

    @property
    def usage(self) -> Usage:
        """What it took so far."""
        prompt = len(self.job.prompt)
        return Usage(prompt, self.cached, prompt - self.left - self.cached, self.sequence.drawn)

    def next_read(self, start: int) -> Stretch:
        """The next stretch of its prompt, taken off what is left; the last one draws."""
        end = self.ends.popleft()
        return Stretch(self.slot.index, self.job.prompt[start:end], start, draws=not self.ends)

    def next_write(self) -> Stretch:
        """The token that was drawn last, to be read for the next."""
        tokens = () if self.drawn is None else (self.drawn,)
        self.drawn = None
        return Stretch(self.slot.index, tokens, len(self.slot.tokens), draws=True)
