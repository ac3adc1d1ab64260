"""The candidates of a draw, likeliest first: all of them, or the top ones with a bound on the rest. It knows no settings."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from adapters.llama.sampling.window import Floats, Tokens

Row = npt.NDArray[np.float32]

LEAST_LOG = -745.0
"""Below it, a weight is nothing in 64-bit floats."""


@dataclass(frozen=True, slots=True)
class Logits:
    """One row of logits as it counts: `touched` tokens have these `values`, all others what `rest` holds, over `scale`.

    In `rest`, the touched ones are -inf. The touched values are scaled already.
    """

    rest: Row
    touched: Tokens
    values: Floats
    scale: float

    def above(self, limit: np.float32, hits: Tokens) -> "Reach":
        """The candidates above a limit, which is in units of `rest`; `hits` are those of `rest`."""
        floor = float(limit) / self.scale
        near = (self.values > floor).nonzero()[0]
        tokens = np.concatenate((hits, self.touched[near]))
        values, moved = self.rest[hits], self.values[near]
        falling = self._falling(values, moved)
        pool = np.concatenate((self._scaled(values), moved))
        return Reach(falling, len(self.rest) - len(tokens), tokens, pool, Hidden(self, floor, limit))

    def all(self) -> "Reach":
        """All candidates."""
        pool = self._scaled(self.rest)
        pool[self.touched] = self.values
        unmoved = np.delete(self.rest, self.touched)
        return Reach(self._falling(unmoved, self.values), 0, np.arange(len(pool)), pool)

    def below(self, floor: float, limit: np.float32) -> Floats:
        """The logits that are not above a limit, in no order."""
        return np.concatenate((self._scaled(self.rest[self.rest <= limit]), self.values[self.values <= floor]))

    def _falling(self, unmoved: Row, moved: Floats) -> Floats:
        """All these in falling order. Most are sorted in 32 bits, which takes half the time, and then merged."""
        rising = self._scaled(np.sort(-unmoved))
        if len(moved):
            rising = np.concatenate((rising, np.sort(-moved)))
            rising.sort(kind="stable")  # which merges what is in order already
        return np.negative(rising, out=rising)

    def _scaled(self, values: Row) -> Floats:
        scaled = values.astype(np.float64)
        return scaled if self.scale == 1 else np.divide(scaled, self.scale, out=scaled)


@dataclass(frozen=True)
class Hidden:
    """The candidates that are not in reach: none of them has a logit above `floor` (`limit` in units of the row)."""

    logits: Logits
    floor: float
    limit: np.float32

    @cached_property
    def values(self) -> Floats:
        """Their logits, in no order."""
        return self.logits.below(self.floor, self.limit)

    def weights(self, origin: float, temperature: float = 1.0) -> tuple[float, float]:
        """The sum of their weights exp(x), where x is the distance to `origin`, and the sum of x exp(x)."""
        distances = (self.values - origin) / temperature
        distances = distances[distances > LEAST_LOG]
        weights = np.exp(distances)
        return float(weights.sum()), float((weights * distances).sum())


@dataclass(frozen=True, slots=True)
class Reach:
    """Candidates by falling logit, equal ones by rising id, and how many more there are, which are all less likely.

    `tokens` and `logits` are the same candidates in no order, `skipped` more of the likeliest among them; they are put in order
    when they are asked for, because what a stage keeps is mostly a small part.
    """

    falling: Floats
    hidden: int
    tokens: Tokens
    logits: Floats
    below: Hidden | None = None
    skipped: int = 0
    in_order: bool = False

    def __len__(self) -> int:
        """How many candidates are in reach."""
        return len(self.falling)

    def first(self, count: int) -> "Reach":
        """The likeliest `count`, in order, and nothing else."""
        falling = self.falling[:count]
        if self.in_order:
            tokens = self.tokens[:count]
        else:
            near = self.logits >= falling[-1]
            tokens = self.tokens[near]
            order = np.lexsort((tokens, -self.logits[near]))
            tokens = tokens[order[self.skipped : self.skipped + count]]
        return Reach(falling, 0, tokens, falling, in_order=True)

    def without_first(self, count: int) -> "Reach":
        """All but the likeliest `count`; what is hidden stays."""
        if self.in_order:
            return Reach(self.falling[count:], 0, self.tokens[count:], self.falling[count:], in_order=True)
        return Reach(self.falling[count:], self.hidden, self.tokens, self.logits, self.below, self.skipped + count)

    def chosen(self, places: Tokens) -> "Reach":
        """Those at these places, which rise, and nothing else."""
        found = self.first(int(places[-1]) + 1)
        falling = found.falling[places]
        return Reach(falling, 0, found.tokens[places], falling, in_order=True)

    def token(self, place: int) -> int:
        """The one at this place."""
        if self.in_order:
            return int(self.tokens[place])
        value = self.falling[place]
        equal = np.sort(self.tokens[self.logits == value])
        likelier = int(np.count_nonzero(self.logits > value))
        return int(equal[self.skipped + place - likelier])


def in_order(tokens: Tokens, logits: Floats) -> Reach:
    """These candidates and no others."""
    order = np.lexsort((tokens, -logits))
    falling = logits[order]
    return Reach(falling, 0, tokens[order], falling, in_order=True)
