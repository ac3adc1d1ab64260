"""The sampling chain once more, literally and slowly, in 64-bit floats and plain Python lists: what the fast one must equal."""

import math
from collections.abc import Callable, Mapping, Sequence

from bot.sampling import SamplingSettings

Logits = Mapping[int, float]
"""The candidates that are left, with their logits."""


def in_order(logits: Logits) -> list[int]:
    """Token ids by falling logit, equal ones by rising id."""
    return sorted(logits, key=lambda token: (-logits[token], token))


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


def typical(logits: Sequence[float], p: float) -> list[int]:
    """The places of those that are kept."""
    chances = softmax(logits)
    entropy = math.fsum(-chance * math.log(chance) for chance in chances if chance)
    away = [abs(-math.log(chance) - entropy) if chance else math.inf for chance in chances]
    order = sorted(range(len(logits)), key=lambda place: (away[place], place))
    running = 0.0
    for count, place in enumerate(order, 1):
        running += chances[place]
        if running > p:
            return sorted(order[:count])
    return sorted(order)


def xtc(logits: Sequence[float], threshold: float) -> int:
    """How many of the likeliest go."""
    likely = sum(chance >= threshold for chance in softmax(logits))
    return max(likely - 1, 0)


def dry(said: Sequence[int], pieces: Callable[[int], bytes], settings: SamplingSettings) -> dict[int, float]:
    """What is taken from the logits of the tokens that would go on with a passage: found by comparing all with all."""
    recent = list(said[max(0, len(said) - settings.dry_range) :])
    breakers = [text.encode() for text in settings.dry_breakers]
    text, ends = b"", []
    for token in recent:
        text += pieces(token)
        ends.append(len(text))
    broken = 0  # how many tokens there are up to the one in which the last breaker ends
    for breaker in breakers:
        end = text.rfind(breaker) + len(breaker)
        if breaker in text:
            broken = max(broken, next(place for place, each in enumerate(ends, 1) if each >= end))
    longest: dict[int, int] = {}
    for place in range(len(recent) - 1):
        length = 0
        while length <= place and length < len(recent) - broken and recent[place - length] == recent[-1 - length]:
            length += 1
        longest[recent[place + 1]] = max(longest.get(recent[place + 1], 0), min(length, 1000))
    return {
        token: settings.dry_multiplier * settings.dry_base ** (length - settings.dry_allowed_length)
        for token, length in longest.items()
        if length >= settings.dry_allowed_length and not any(breaker in pieces(token) for breaker in breakers)
    }


def penalized(logits: Logits, said: Sequence[int], settings: SamplingSettings, newline: int | None = None) -> dict[int, float]:
    after = dict(logits)
    recent = list(said[max(0, len(said) - settings.penalty_range) :])
    for token in set(recent) & set(after):
        if token == newline and not settings.penalize_newline:
            continue
        value, penalty = after[token], settings.repetition_penalty
        value = value * penalty if value <= 0 else value / penalty
        after[token] = value - (recent.count(token) * settings.frequency_penalty + settings.presence_penalty)
    return after


def left(  # noqa: PLR0913 - all that a draw depends on
    row: Sequence[float],
    settings: SamplingSettings,
    *,
    said: Sequence[int] = (),
    pieces: Callable[[int], bytes] = lambda _token: b"",
    newline: int | None = None,
    roll: float = 0.0,
) -> dict[int, float]:
    """The candidates to draw from, after every stage in the order of the settings; `roll` is what XTC rolls."""
    logits: dict[int, float] = {token: float(each) for token, each in enumerate(row)}
    for token, amount in settings.logit_bias:
        logits[token] += amount
    for stage in settings.order:
        order = in_order(logits)
        falling = [logits[token] for token in order]
        if stage == "penalties":
            logits = penalized(logits, said, settings, newline)
        elif stage == "dry" and settings.dry_multiplier:
            amounts = dry(said, pieces, settings)
            logits = {token: each - amounts.get(token, 0.0) for token, each in logits.items()}
        elif stage == "temperature" and settings.temperature:
            logits = {token: each / settings.temperature for token, each in logits.items()}
        elif settings.temperature:
            logits = {token: logits[token] for token in _kept(stage, order, falling, settings, roll)}
    return logits if settings.temperature else {token: logits[token] for token in in_order(logits)[:1]}


def _kept(stage: str, order: list[int], falling: list[float], settings: SamplingSettings, roll: float) -> list[int]:  # noqa: PLR0911 - one per stage
    if stage == "top_k" and settings.top_k:
        return order[: settings.top_k]
    if stage == "tail_free":
        return order[: tail_free(falling, settings.tail_free_z)]
    if stage == "typical" and settings.typical_p < 1:
        return [order[place] for place in typical(falling, settings.typical_p)]
    if stage == "top_p" and settings.top_p < 1:
        return order[: top_p(falling, settings.top_p)]
    if stage == "min_p":
        return order[: min_p(falling, settings.min_p)]
    if stage == "xtc" and roll < settings.xtc_probability and settings.xtc_threshold <= 0.5:
        return order[xtc(falling, settings.xtc_threshold) :]
    return order


def drawn(logits: Logits, roll: float) -> int:
    """The candidate on which a roll between 0 and 1 falls."""
    order = in_order(logits)
    weights = [math.exp(logits[token] - logits[order[0]]) for token in order]
    wanted, running = roll * sum(weights), 0.0
    for token, weight in zip(order, weights, strict=True):
        running += weight
        if running > wanted:
            return token
    return order[-1]
