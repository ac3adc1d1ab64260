"""Which of the last tokens were said, and how often, kept up in constant time per token. It knows no logits."""

from collections import deque
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Tokens = npt.NDArray[np.intp]


class PenaltyWindow:
    """The distinct tokens among the last `size` tokens with their counts. The `spared` one has a place, but is not told of."""

    def __init__(self, size: int, history: Iterable[int], spared: int | None = None) -> None:
        self._size = size
        self._spared = spared
        self._recent = deque(history, maxlen=size)
        said, counts = np.unique(np.array([each for each in self._recent if each != spared], dtype=np.intp), return_counts=True)
        self._distinct = np.resize(said, len(said) + 64) if len(said) else np.zeros(64, dtype=np.intp)
        self._counts = np.zeros(len(self._distinct))
        self._counts[: len(said)] = counts
        self._places = {token: place for place, token in enumerate(said.tolist())}

    @property
    def tokens(self) -> Tokens:
        """The distinct tokens, in no order."""
        return self._distinct[: len(self._places)]

    @property
    def counts(self) -> Floats:
        """How often each of `tokens` was said."""
        return self._counts[: len(self._places)]

    def add(self, token: int) -> None:
        """One more token was said; the one that leaves the window is forgotten."""
        if not self._size:
            return
        if len(self._recent) == self._size:
            self._leave(self._recent.popleft())
        self._recent.append(token)
        if token == self._spared:
            return
        place = self._places.get(token)
        if place is None:
            place = self._enter(token)
        self._counts[place] += 1

    def _enter(self, token: int) -> int:
        place = self._places[token] = len(self._places)
        if place == len(self._distinct):
            self._distinct = np.concatenate((self._distinct, np.zeros_like(self._distinct)))
            self._counts = np.concatenate((self._counts, np.zeros_like(self._counts)))
        self._distinct[place] = token
        return place

    def _leave(self, token: int) -> None:
        if token == self._spared:
            return
        place = self._places[token]
        self._counts[place] -= 1
        if self._counts[place]:
            return
        end = len(self._places) - 1
        last = int(self._distinct[end])
        self._distinct[place], self._counts[place] = last, self._counts[end]
        self._counts[end] = 0
        self._places[last] = place
        del self._places[token]
