"""The sampling chain once more, literally and slowly, in 64-bit floats and plain Python lists: what the fast one must equal."""

import math
from collections.abc import Sequence

from bot.sampling import SamplingSettings


def in_order(logits: Sequence[float]) -> list[int]:
    """Token ids by falling logit, equal ones by rising id."""
    return sorted(range(len(logits)), key=lambda token: (-logits[token], token))


def softmax(logits: Sequence[float]) -> list[float]:
    top = max(logits)
    weights = [math.exp(each - top) for each in logits]
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def tail_free(logits: Sequence[float], z: float) -> int:
    """How many of these, which stand in falling order, are kept."""
    count = len(logits)
    if z >= 1 or count <= 2:
        return count
    p = softmax(logits)
    first = [p[i] - p[i + 1] for i in range(count - 1)]
    second = [abs(first[i] - first[i + 1]) for i in range(count - 2)]
    total = math.fsum(second)
    weights = [each / total for each in second] if total > 1e-6 else [1 / len(second)] * len(second)
    running = 0.0
    for i, weight in enumerate(weights):
        running += weight
        if running > z and i >= 1:
            return i
    return count


def top_p(logits: Sequence[float], p: float) -> int:
    running = 0.0
    for i, chance in enumerate(softmax(logits)):
        running += chance
        if running >= p:
            return i + 1
    return len(logits)


def min_p(logits: Sequence[float], p: float) -> int:
    chances = [math.exp(each - logits[0]) for each in logits]
    return max(1, sum(chance >= p for chance in chances))


def penalized(logits: Sequence[float], said: Sequence[int], settings: SamplingSettings) -> list[float]:
    after = [float(each) for each in logits]
    recent = said[max(0, len(said) - settings.penalty_range) :]
    for token in set(recent):
        value, penalty = after[token], settings.repetition_penalty
        after[token] = value * penalty if value <= 0 else value / penalty
    return after


def kept(logits: Sequence[float], settings: SamplingSettings) -> list[int]:
    """The candidates that the truncating stages leave of logits that are penalized already."""
    order = in_order(logits)
    if settings.top_k:
        order = order[: settings.top_k]
    if settings.tail_free_z < 1:
        order = order[: tail_free([logits[token] for token in order], settings.tail_free_z)]
    if settings.top_p < 1:
        order = order[: top_p([logits[token] for token in order], settings.top_p)]
    if settings.min_p > 0:
        order = order[: min_p([logits[token] for token in order], settings.min_p)]
    return order


def drawn(logits: Sequence[float], left: Sequence[int], temperature: float, dice: float) -> int:
    """The candidate on which a roll between 0 and 1 falls."""
    if not temperature:
        return left[0]
    weights = [math.exp((logits[token] - logits[left[0]]) / temperature) for token in left]
    wanted, running = dice * sum(weights), 0.0
    for token, weight in zip(left, weights, strict=True):
        running += weight
        if running > wanted:
            return token
    return left[-1]
