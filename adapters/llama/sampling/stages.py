"""The stages that cut: each says which candidates stay. Pure; they know no rows, no dice and no order of stages.

Every stage is the literal formula in 64-bit floats over the candidates in falling order. Where only the top of them is in
reach, a stage decides from a bound on the rest, or answers None where the bound leaves room for another outcome.
"""

import numpy as np

from adapters.llama.sampling.reach import Reach
from adapters.llama.sampling.window import Floats

FLAT = 1e-6
"""Where the second differences sum up to no more than this, tail-free weighs all alike (as llama.cpp did)."""

NEAR = 256
"""Where a running sum is looked for first."""

SLACK = 1e-9
"""Relative room for the rounding of sums of up to millions of terms; a cut that close is computed the long way."""


def top_k(found: Reach, k: int) -> Reach | None:
    """The likeliest k."""
    if found.hidden and len(found) < k:
        return None
    return found.first(min(k, len(found)))


def tail_free(found: Reach, z: float) -> Reach | None:
    """Those before the tail, where the curve of the probabilities flattens.

    With the probabilities in falling order, the weights are the absolute second differences, made to sum to 1 (all alike
    when they sum to no more than 1e-6); kept are the first i, where i >= 1 is the first index at which the running sum of
    weights exceeds z. Nothing is cut for fewer than three candidates. Source: `llama_sample_tail_free` of llama.cpp until
    October 2024, whose keeping of i rather than i + 1 is kept.
    """
    kept = _tail_free_of_top(found, z) if found.hidden else _tail_free_of_all(found.falling, z)
    return None if kept is None else found.first(kept)


def top_p(found: Reach, p: float) -> Reach | None:
    """As many as it takes until their probabilities sum up to at least p."""
    weights = np.exp(found.falling - found.falling[0])
    if not found.hidden:
        kept = int(np.searchsorted(np.cumsum(weights / weights.sum()), p, side="left")) + 1
        return found.first(min(kept, len(found)))
    sums = np.cumsum(weights)
    wanted = p * (float(sums[-1]) + _unseen(found)[0])
    low = int(np.searchsorted(sums, wanted * (1 - SLACK), side="left"))
    high = int(np.searchsorted(sums, wanted * (1 + SLACK), side="left"))
    return found.first(low + 1) if low == high < len(sums) else None


def min_p(found: Reach, p: float) -> Reach | None:
    """Those that are at least p times as likely as the likeliest; one at least."""
    kept = max(int(np.count_nonzero(np.exp(found.falling - found.falling[0]) >= p)), 1)
    if found.hidden and kept == len(found) and not _floor_of(found) < p:
        return None
    return found.first(kept)


def typical(found: Reach, p: float) -> Reach | None:
    """Those whose surprise is nearest to the expected one, until their probabilities sum up to more than p.

    The surprise of a candidate is -log of its probability, the expected one the entropy; of equally near ones the
    likelier, then the lower id comes first. Source: `llama_sampler_typical_apply` of llama.cpp.
    """
    distances = found.falling - found.falling[0]
    weights = np.exp(distances)
    hidden, hidden_part = _unseen(found) if found.hidden else (0.0, 0.0)
    total = float(np.cumsum(weights)[-1]) + hidden
    possible = weights > 0  # an impossible one adds nothing to the entropy
    part = float(np.cumsum(weights[possible] * distances[possible])[-1]) + hidden_part
    entropy = np.log(total) - part / total
    away = np.abs(np.log(total) - distances - entropy)
    order = np.argsort(away, kind="stable")
    sums = np.cumsum(weights[order])
    last = min(int(np.searchsorted(sums, p * total, side="right")), len(sums) - 1)
    if found.hidden and not _is_sure(away[order], sums, p * total, _nearest_unseen(found, float(np.log(total) - entropy))):
        return None
    return found.chosen(np.sort(order[: last + 1]))


def exclude_top(found: Reach, threshold: float) -> Reach | None:
    """XTC: where several are at least as likely as the threshold, the least likely of these and all below."""
    weights = np.exp(found.falling - found.falling[0])
    if not found.hidden:
        return _without_likely(found, int(np.count_nonzero(weights >= threshold * np.cumsum(weights)[-1])))
    least = threshold * (float(np.cumsum(weights)[-1]) + _unseen(found)[0])
    low, high = (int(np.count_nonzero(weights >= least * (1 + slack))) for slack in (SLACK, -SLACK))
    return _without_likely(found, low) if low == high < len(found) else None


def first_above(sums: Floats, z: float) -> int | None:
    """The first index, from 1 on, of a sum above z. The sums need not rise."""
    above = sums[1:] > z
    place = int(above.argmax()) if above.size else 0
    return place + 1 if above.size and above[place] else None


def _without_likely(found: Reach, count: int) -> Reach:
    return found.without_first(count - 1) if count > 1 else found


def _unseen(found: Reach) -> tuple[float, float]:
    if found.below is None:
        return 0.0, 0.0
    return found.below.weights(float(found.falling[0]))


def _floor_of(found: Reach) -> float:
    """How likely a hidden candidate can be, compared with the likeliest."""
    return float(np.exp(found.below.floor - found.falling[0])) if found.below else 0.0


def _nearest_unseen(found: Reach, ahead: float) -> float:
    """How near to the expected surprise a hidden candidate can be; `ahead` is the logit, from the top, of an expected one."""
    floor = found.below.floor if found.below else -np.inf
    return ahead - (floor - float(found.falling[0]))


def _is_sure(away: Floats, sums: Floats, wanted: float, nearest_unseen: float) -> bool:
    """Whether no rounding and no hidden candidate can change which of these, nearest first, sum up to more than wanted."""
    low = int(np.searchsorted(sums, wanted * (1 - SLACK), side="right"))
    high = int(np.searchsorted(sums, wanted * (1 + SLACK), side="right"))
    if low != high or high >= len(sums) - 1:
        return False
    room = SLACK * (1 + float(away[high]))
    gaps = np.diff(away[max(0, high - 1) : high + 2])
    return bool(away[high] < nearest_unseen - room and np.all((gaps == 0) | (gaps > room)))


def _tail_free_of_all(falling: Floats, z: float) -> int:
    count = len(falling)
    if z >= 1 or count <= 2:  # noqa: PLR2004 - there is no second difference of two
        return count
    chances = np.exp(falling - falling[0])
    chances /= chances.sum()
    weights = np.abs(np.diff(chances, 2))
    total = weights.sum()
    weights = weights / total if total > FLAT else np.full(count - 2, 1 / (count - 2))
    return first_above(np.cumsum(weights), z) or count


def _tail_free_of_top(found: Reach, z: float) -> int | None:
    """`tail_free` over all candidates, decided from the top ones; None when those do not suffice.

    Written without the softmax's denominator, which the normalising cancels (but for the flat case). A weight is at most the
    sum of two neighbouring first differences, and first differences sum up to no more than the probability they start
    from: so all weights after those computed sum up to at most the last first difference and twice the last probability.
    Where fewer than four candidates are in reach, zeros stand for the next ones, which are at most `unseen`: each touches
    the sums by at most 4 times that.
    """
    zeros = max(4 - len(found), 0)
    if zeros > found.hidden:
        return None
    unseen = _floor_of(found) if zeros else 0.0
    chances = np.zeros(len(found) + zeros)
    np.exp(found.falling - found.falling[0], out=chances[: len(found)])
    steps = chances[:-1] - chances[1:]
    weights = np.abs(steps[:-1] - steps[1:])
    total, doubt = float(weights.sum()), 4 * zeros * unseen
    least = total - doubt
    most = total + doubt + float(steps[-1]) + unseen + 2 * (float(chances[-1]) + unseen)
    if least <= 2 * FLAT * (len(found) + found.hidden):
        return None  # it may be the flat case, which depends on the denominator
    sums = np.cumsum(weights[:NEAR])  # mostly the cut is among the first, and adding up one by one is slow
    if len(weights) > NEAR and sums[-1] <= z * most * (1 + SLACK) + doubt:
        sums = np.cumsum(weights)
    earliest = max(int(np.searchsorted(sums, z * least * (1 - SLACK) - doubt, side="right")), 1)
    latest = max(int(np.searchsorted(sums, z * most * (1 + SLACK) + doubt, side="right")), 1)
    return latest if earliest == latest < len(sums) else None
