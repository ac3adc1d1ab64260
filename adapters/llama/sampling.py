"""How the next token is drawn from a row of logits, exactly. It knows numbers, not models or texts.

The order is that of llama.cpp and KoboldCpp in the autumn of 2023: repetition penalty, top-k, tail-free, top-p, min-p,
temperature, draw. Every stage is the literal formula in 64-bit floats over the candidates in falling order, equal ones
by lower token id first. Where a stage needs only the likeliest tokens, only those are sorted: a bound on the rest shows
that the outcome is the same, and where it does not, all are sorted.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from bot.sampling import SamplingSettings

Floats = npt.NDArray[np.float64]
Tokens = npt.NDArray[np.intp]

WINDOWS = (9.0, 13.0, 18.0)
"""How far below the likeliest logit the sorted part reaches, in steps, before everything is sorted."""

MOST_TOP = 8000
"""With more tokens than this in reach, sorting everything costs no more than going on by steps."""

FLAT = 1e-6
"""Where the second differences sum up to no more than this, tail-free weighs all alike (as llama.cpp did)."""

UNSEEN_WEIGHTS = np.array([1.0, 3.0, 5.0])
"""See `_tail_free_in_window`."""

SLACK = 1e-9
"""Relative room for the rounding of sums of up to millions of terms; a cut that close is computed the long way."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Tokens that may be drawn, in falling order of their logits, equal ones by lower id first."""

    tokens: Tokens
    logits: Floats

    def first(self, count: int) -> "Candidates":
        """The likeliest `count` of them."""
        return Candidates(self.tokens[:count], self.logits[:count])


class PenaltyWindow:
    """The distinct tokens among the last `size` tokens, kept up in constant time per token."""

    def __init__(self, size: int, history: Iterable[int]) -> None:
        self._recent: deque[int] = deque()
        self._size = size
        self._counts: dict[int, int] = {}
        self._places: dict[int, int] = {}
        self._distinct = np.zeros(64, dtype=np.intp)
        for token in deque(history, maxlen=size):
            self.add(token)

    @property
    def tokens(self) -> Tokens:
        """The distinct tokens, in no order."""
        return self._distinct[: len(self._places)]

    def add(self, token: int) -> None:
        """One more token was said; the one that leaves the window is forgotten."""
        if not self._size:
            return
        self._recent.append(token)
        self._counts[token] = self._counts.get(token, 0) + 1
        if token not in self._places:
            self._enter(token)
        if len(self._recent) > self._size:
            self._leave(self._recent.popleft())

    def _enter(self, token: int) -> None:
        place = self._places[token] = len(self._places)
        if place == len(self._distinct):
            self._distinct = np.concatenate((self._distinct, np.zeros_like(self._distinct)))
        self._distinct[place] = token

    def _leave(self, token: int) -> None:
        self._counts[token] -= 1
        if self._counts[token]:
            return
        del self._counts[token]
        last = int(self._distinct[len(self._places) - 1])
        place = self._places[last] = self._places[token]
        self._distinct[place] = last
        del self._places[token]


class Sampler:
    """Draws for one reply: its settings, its own dice and its own penalty window."""

    def __init__(self, settings: SamplingSettings, seed: int, history: Iterable[int], *, newline: int | None = None) -> None:
        self._settings = settings
        self._dice = np.random.Generator(np.random.PCG64(seed & 0xFFFF_FFFF_FFFF_FFFF))
        self._window = PenaltyWindow(settings.penalty_range if settings.repetition_penalty != 1 else 0, history)
        self._spared = None if settings.penalize_newline else newline

    def draw(self, row: npt.NDArray[np.float32]) -> int:
        """The next token, drawn from a row of logits over the whole vocabulary; the row is not changed.

        Raises ValueError when the row holds no usable numbers.
        """
        token = self._pick(candidates(self.penalized(row), self._settings))
        self._window.add(token)
        return token

    def penalized(self, row: npt.NDArray[np.float32]) -> Floats:
        """The logits after the repetition penalty: each token of the window once, whether it was said once or often."""
        logits = row.astype(np.float64)
        said = self._window.tokens
        if said.size:
            before = None if self._spared is None else logits[self._spared]
            values = logits[said]
            penalty = self._settings.repetition_penalty
            logits[said] = np.where(values <= 0, values * penalty, values / penalty)
            if before is not None:
                logits[self._spared] = before
        return logits

    def _pick(self, left: Candidates) -> int:
        if len(left.tokens) == 1 or not self._settings.temperature:
            return int(left.tokens[0])
        weights = np.exp((left.logits - left.logits[0]) / self._settings.temperature)
        sums = np.cumsum(weights)
        place = np.searchsorted(sums, self._dice.random() * sums[-1], side="right")
        # Rounding may reach the very end of the sums, where tokens without any weight stand.
        return int(left.tokens[min(place, np.searchsorted(sums, sums[-1], side="left"))])


def candidates(logits: Floats, settings: SamplingSettings) -> Candidates:
    """The tokens that the truncating stages leave, at least one. Raises ValueError when there are no usable numbers."""
    best = float(logits.max())
    if not np.isfinite(best):
        raise ValueError("the model computed no usable numbers")
    if not settings.temperature:
        return Candidates(np.array([logits.argmax()]), np.array([best]))
    stages = _stages(settings)
    if 0 < settings.top_k < len(logits):
        lowest = np.partition(logits, -settings.top_k)[-settings.top_k]
        left = _likeliest(logits, np.arange(len(logits)), settings.top_k, lowest)
    elif stages:
        left = _after_first(stages.pop(0), logits, best)
    else:
        left = _likeliest(logits, np.arange(len(logits)), len(logits), -np.inf)
    for stage in stages:
        left = left.first(stage.keep(left.logits))
    return left


def tail_free(falling: Floats, z: float) -> int:
    """How many of the candidates, whose logits stand in falling order, tail-free sampling keeps.

    With the probabilities in falling order, the weights are the absolute second differences, made to sum to 1 (all alike
    when they sum to no more than 1e-6); kept are the first i, where i >= 1 is the first index at which the running sum of
    weights exceeds z. Nothing is cut for z >= 1 or fewer than three candidates. Source: `llama_sample_tail_free` of
    llama.cpp until October 2024, whose keeping of i rather than i + 1 is kept.
    """
    count = len(falling)
    if z >= 1 or count <= 2:  # noqa: PLR2004 - there is no second difference of two
        return count
    weights = np.abs(np.diff(_softmax(falling), 2))
    total = weights.sum()
    weights = weights / total if total > FLAT else np.full(count - 2, 1 / (count - 2))
    return _first_above(np.cumsum(weights), z) or count


def top_p(falling: Floats, p: float) -> int:
    """How many of the candidates it takes until their probabilities sum up to at least p."""
    sums = np.cumsum(_softmax(falling))
    return min(int(np.searchsorted(sums, p, side="left")) + 1, len(sums))


def min_p(falling: Floats, p: float) -> int:
    """How many of the candidates are at least p times as likely as the likeliest; one at least."""
    return max(int(np.count_nonzero(np.exp(falling - falling[0]) >= p)), 1)


def _softmax(falling: Floats) -> Floats:
    weights: Floats = np.exp(falling - falling[0])
    weights /= weights.sum()
    return weights


@dataclass(frozen=True, slots=True)
class _Top:
    """The logits that are less than `window` below the highest, in falling order, and all of them, as they come."""

    falling: Floats
    window: float
    logits: Floats


@dataclass(frozen=True, slots=True)
class _Stage:
    """A truncating stage: how many of all candidates it keeps, told from all of them or, if they suffice, the top ones."""

    keep: Callable[[Floats], int]
    keep_of_top: Callable[[_Top], int | None]


def _stages(settings: SamplingSettings) -> list[_Stage]:
    stages: list[_Stage] = []
    if settings.tail_free_z < 1:
        z = settings.tail_free_z
        stages.append(_Stage(partial(tail_free, z=z), partial(_tail_free_of_top, z=z)))
    if settings.top_p < 1:
        p = settings.top_p
        stages.append(_Stage(partial(top_p, p=p), partial(_top_p_of_top, p=p)))
    if settings.min_p > 0:
        p = settings.min_p
        stages.append(_Stage(partial(min_p, p=p), partial(_min_p_of_top, p=p)))
    return stages


def _after_first(stage: _Stage, logits: Floats, best: float) -> Candidates:
    """What the first stage leaves of all tokens. Sorts numbers, not tokens, and no more of them than it must."""
    for window in WINDOWS:
        reached = np.flatnonzero(logits > best - window)
        if len(reached) > MOST_TOP:
            break
        falling = np.sort(logits[reached])[::-1]
        kept = stage.keep_of_top(_Top(falling, window, logits))
        if kept is not None:
            return _likeliest(logits, reached, kept, falling[kept - 1])
    falling = np.sort(logits)[::-1]
    kept = stage.keep(falling)
    return _likeliest(logits, np.arange(len(logits)), kept, falling[kept - 1])


def _likeliest(logits: Floats, among: Tokens, count: int, lowest: float) -> Candidates:
    """The `count` likeliest of some tokens, which stand by rising id; the last one has the logit `lowest`."""
    tokens = among[logits[among] >= lowest]
    # Stable, so that equal ones stay by rising id, also where the cut goes through them.
    order = np.argsort(-logits[tokens], kind="stable")
    chosen = tokens[order[:count]]
    return Candidates(chosen, logits[chosen])


def _first_above(sums: Floats, z: float) -> int | None:
    """The first index, from 1 on, of a sum above z. The sums need not rise."""
    above = sums[1:] > z
    place = int(above.argmax()) if above.size else 0
    return place + 1 if above.size and above[place] else None


def _tail_free_of_top(top: _Top, z: float) -> int | None:
    """`tail_free` over all logits, decided from the top ones; None when those do not suffice.

    Written without the softmax's denominator, which the normalising cancels (but for the flat case). Three zeros stand
    for the unseen probabilities, which lie between 0 and `unseen`: they touch the last three running sums, by at most 1, 3
    and 5 times `unseen`. The weights after those sum up to at most 2 times it: a weight is at most the sum of two
    neighbouring first differences, and first differences sum up to no more than the probability they start from.
    """
    count, unseen = len(top.falling), float(np.exp(-top.window))
    if count + 3 > len(top.logits):
        return None
    chances = np.zeros(count + 3)
    np.exp(top.falling - top.falling[0], out=chances[:count])
    sums = np.cumsum(np.abs(np.diff(chances, 2)))
    touched = unseen * UNSEEN_WEIGHTS[-len(sums) :]
    least, most = float(sums[-1]) - 5 * unseen, float(sums[-1]) + 7 * unseen
    if least <= 2 * FLAT * len(top.logits):
        return None  # it may be the flat case, which depends on the denominator
    highest, lowest = sums.copy(), sums
    highest[-3:] += touched
    lowest[-3:] -= touched
    earliest = _first_above(highest, z * least * (1 - SLACK))
    latest = _first_above(lowest, z * most * (1 + SLACK) + SLACK * least)
    return latest if earliest == latest else None


def _top_p_of_top(top: _Top, p: float) -> int | None:
    """`top_p` over all logits, decided from the top ones; None when those do not suffice."""
    sums = np.cumsum(np.exp(top.falling - top.falling[0]))
    wanted = p * float(np.exp(top.logits - top.falling[0]).sum())
    low = int(np.searchsorted(sums, wanted * (1 - SLACK), side="left"))
    high = int(np.searchsorted(sums, wanted * (1 + SLACK), side="left"))
    return low + 1 if low == high < len(sums) else None


def _min_p_of_top(top: _Top, p: float) -> int | None:
    """`min_p` over all logits, decided from the top ones; None when those do not suffice."""
    kept = min_p(top.falling, p)
    return kept if kept < len(top.falling) or len(top.falling) == len(top.logits) else None
