"""DRY: what would go on with a passage that was said before, kept up token by token. It knows no logits.

For every earlier place whose tokens are those that end the text now, `Repeats` keeps for how many tokens back they agree.
One more token makes the agreement of the places after its earlier occurrences longer by one and ends all others: a
comparison of the window with one number instead of a comparison of all passages.
"""

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from adapters.llama.sampling.window import Floats, Tokens
from bot.sampling import SamplingSettings

LONGEST = 1000
"""A passage that agrees for longer counts as this long, so that a text of one word does not cost a second."""

LARGEST_LOG = 88.7228391
"""Of the largest 32-bit float: as in llama.cpp, a penalty grows no further than that."""

FIRST_LOOK = 64
"""How many of the newest tokens are searched for a breaker first."""

Numbers = npt.NDArray[np.int64]
NOTHING = (np.empty(0, dtype=np.intp), np.empty(0))


class Words(Protocol):
    """What a sampler has to know of a vocabulary."""

    @property
    def size(self) -> int:
        """How many tokens there are."""
        ...

    @property
    def newline(self) -> int | None:
        """The token of a line break, if there is one."""
        ...

    def piece(self, token: int) -> bytes:
        """The bytes that a token spells."""
        ...


class Breakers:
    """The texts over which no passage is followed, met at the token in which one of them ends."""

    def __init__(self, texts: Sequence[str], words: Words) -> None:
        self._texts = tuple(text.encode() for text in texts)
        self._reach = max(map(len, self._texts), default=1) - 1
        self._words = words
        self._tail = b""

    def end_in(self, token: int) -> bool:
        """Whether one ends in this token, which is said next."""
        joined = self._tail + self._words.piece(token)
        before, self._tail = len(self._tail), joined[len(joined) - self._reach :] if self._reach else b""
        return any((at := joined.rfind(text)) >= 0 and at + len(text) > before for text in self._texts)

    def inside(self, token: int) -> bool:
        """Whether the token has one in itself."""
        piece = self._words.piece(token)
        return any(text in piece for text in self._texts)

    def since(self, said: Sequence[int]) -> int:
        """How many tokens were said since the last one ended; all of them where none did. What comes next follows these."""
        look = FIRST_LOOK
        while True:
            recent = said[max(0, len(said) - look) :]
            self._tail = b""
            ends = [place for place, token in enumerate(recent) if self.end_in(token)]
            if len(recent) == len(said) or (ends and len(self._tail) == self._reach):
                return len(recent) - 1 - ends[-1] if ends else len(said)
            look *= 4


class Repeats:
    """The passages among the last `dry_range` tokens that the newest tokens repeat."""

    def __init__(self, settings: SamplingSettings, history: Sequence[int], words: Words) -> None:
        self._settings = settings
        self._size = settings.dry_range
        self._breakers = Breakers(settings.dry_breakers, words)
        recent = history[max(0, len(history) - self._size) :]
        self._said = np.zeros(2 * self._size, dtype=np.int64)
        self._said[: len(recent)] = recent
        self._end = len(recent)
        self._since = self._breakers.since(recent)
        self._lengths = np.zeros(2 * self._size, dtype=np.int64)
        self._hits = self._agreeing()
        self._penalties: tuple[Tokens, Floats] | None = None

    @property
    def penalties(self) -> tuple[Tokens, Floats]:
        """The tokens that would go on with a passage, each once, and what is taken from their logits."""
        if self._penalties is None:
            self._penalties = self._judged()
        return self._penalties

    def add(self, token: int) -> None:
        """One more token was said."""
        if self._end == len(self._said):
            self._move()
        start = max(0, self._end - self._size)
        hits = np.flatnonzero(self._said[start : self._end] == token) + start
        longer = np.minimum(np.where(hits > 0, self._lengths[hits - 1], 0) + 1, LONGEST)
        self._lengths[self._hits] = 0
        self._lengths[hits] = longer
        self._hits = hits
        self._said[self._end] = token
        self._end += 1
        self._since = 0 if self._breakers.end_in(token) else self._since + 1
        self._penalties = None

    def _agreeing(self) -> Numbers:
        """From scratch: the places, and their lengths, which need not be longer than what no breaker interrupts."""
        said, end = self._said[: self._end], self._end
        if not end:
            return np.empty(0, dtype=np.int64)
        hits = places = np.flatnonzero(said[:-1] == said[-1])
        for length in range(1, min(self._since, LONGEST) + 1):
            self._lengths[places] = length
            places = places[places >= length]
            places = places[said[places - length] == said[end - 1 - length]]
            if not len(places):
                break
        return hits

    def _move(self) -> None:
        """The newest `size` tokens to the front of the room, which is twice as large."""
        by = self._end - self._size
        self._said[: self._size] = self._said[by:]
        hits = self._hits[self._hits >= by]
        lengths = self._lengths[hits]
        self._lengths[:] = 0
        self._hits = hits - by
        self._lengths[self._hits] = lengths
        self._end = self._size

    def _judged(self) -> tuple[Tokens, Floats]:
        allowed = self._settings.dry_allowed_length
        if self._since < allowed or not len(self._hits):
            return NOTHING
        start = max(0, self._end - self._size)
        lengths = np.minimum(np.minimum(self._lengths[self._hits], self._since), self._hits - start + 1)
        counts = lengths >= allowed
        if not counts.any():
            return NOTHING
        lengths, following = lengths[counts], self._said[self._hits[counts] + 1]
        rising = np.argsort(lengths, kind="stable")
        longest = dict(zip(following[rising].tolist(), lengths[rising].tolist(), strict=True))
        longest = {token: length for token, length in longest.items() if not self._breakers.inside(token)}
        tokens = np.fromiter(longest.keys(), dtype=np.intp, count=len(longest))
        return tokens, self._amounts(np.fromiter(longest.values(), dtype=np.float64, count=len(longest)))

    def _amounts(self, lengths: Floats) -> Floats:
        base, beyond = self._settings.dry_base, lengths - self._settings.dry_allowed_length
        if base > 1:
            beyond = np.minimum(beyond, math.floor(LARGEST_LOG / math.log(base)))
        amounts: Floats = self._settings.dry_multiplier * np.power(base, beyond)
        return amounts
