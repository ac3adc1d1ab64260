"""How fast the model is, as measured while it works: what fits into a step, and how long a wait will be. It reads no clock."""

from dataclasses import dataclass, field

SMOOTHING = 0.2
"""The weight of the newest measurement in a running mean."""


@dataclass(slots=True)
class Mean:
    """A running mean that favours the new; None until the first measurement."""

    value: float | None = None

    def take(self, measured: float) -> None:
        """One more measurement."""
        self.value = measured if self.value is None else self.value + SMOOTHING * (measured - self.value)


@dataclass(slots=True)
class Pace:
    """Seconds a step of so many written tokens takes, seconds a token takes to read, and how long replies are.

    `target` is how long a step should take: what is written beside a long reading comes at that pace.
    """

    target: float
    _writing: dict[int, Mean] = field(default_factory=dict)
    _reading: Mean = field(default_factory=Mean)
    _reply: Mean = field(default_factory=Mean)

    def take(self, *, written: int, read: int, seconds: float) -> None:
        """A step wrote `written` rows, read `read` tokens of prompts, and took this long."""
        if not read:
            self._writing.setdefault(written, Mean()).take(seconds)
            return
        spent = seconds - (self.writing(written) or 0.0)
        self._reading.take(max(spent, 0.0) / read)

    def take_reply(self, tokens: int) -> None:
        """A reply had this many tokens."""
        self._reply.take(tokens)

    def writing(self, rows: int) -> float | None:
        """The seconds of a step that writes this many rows, by the nearest number of rows that was measured."""
        if not rows or not self._writing:
            return 0.0 if not rows else None
        return self._writing[min(self._writing, key=lambda known: (abs(known - rows), known))].value

    def room(self, rows: int, chunk: int, most: int) -> int:
        """How many tokens of prompts may be read in a step beside this many written rows: a chunk at least."""
        if not self._reading.value:
            return min(chunk, most)
        left = self.target - (self.writing(rows) or 0.0)
        return max(min(chunk, most), min(most, int(left / self._reading.value)))

    def reply_tokens(self) -> float:
        """How long a reply is on average; 0 as long as none was written."""
        return self._reply.value or 0.0

    def reply_seconds(self, prompt: int, rows: int) -> float | None:
        """How long a reply takes, from reading `prompt` tokens to its end, beside others up to `rows` rows; None if unknown."""
        step = self.writing(rows)
        if step is None or self._reading.value is None or self._reply.value is None:
            return None
        return prompt * self._reading.value + self._reply.value * step
