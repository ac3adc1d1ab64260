"""How a prompt is divided into the stretches that the model reads, and from where a slot can go on. It reads nothing itself.

What a slot holds depends on its tokens and on how they were divided. So that a story is read alike whether it is read at
once or grows turn by turn, it is divided where its parts begin (`borders`: the head, each turn, the tail) and then
every `chunk` tokens. Replies are an exception, made on purpose: where one stays in the story under the header that it was
written under, its tokens are kept as they were written, one by one, and not read again.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence


def divided(length: int, borders: Sequence[int], chunk: int, start: int = 0) -> tuple[int, ...]:
    """Where the stretches end in which the tokens from `start` to `length` are read. `borders` rise."""
    ends: list[int] = []
    inner = borders[bisect_right(borders, start) : bisect_left(borders, length)]
    for border in (*inner, length):
        ends.extend(range(start + chunk, border, chunk))
        if border > start:
            ends.append(border)
        start = border
    return tuple(ends)


def shared(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens from the start on are the same in both."""
    low, high = 0, min(len(one), len(other))
    if one[:high] == other[:high]:
        return high
    while low < high - 1:  # the first `low` are the same, the first `high` are not
        middle = (low + high) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle
    return low


def resumed(ends: Sequence[int], alike: int, borders: Sequence[int], plan: Sequence[int]) -> int:
    """From where on a prompt must be read into a slot whose first `alike` tokens are the same.

    `ends` are those of the slot, `plan` is how the prompt would be divided if it were read at once. The answer is the
    latest of: the end up to which both were divided alike; a border at which a stretch of the slot ends; and `alike`
    itself, where the slot's token before it was written rather than read.
    """
    at = _divided_alike(ends, alike, plan)
    border = bisect_right(borders, alike) - 1
    while border >= 0 and borders[border] > at:
        if _is_end(ends, borders[border]):
            at = borders[border]
            break
        border -= 1
    return alike if alike > at and _is_written(ends, alike) else at


def kept_ends(ends: Sequence[int], length: int) -> list[int]:
    """The ends of a slot that is cut to its first `length` tokens."""
    kept = list(ends[: bisect_right(ends, length)])
    if length and (not kept or kept[-1] < length):
        kept.append(length)
    return kept


def _divided_alike(ends: Sequence[int], alike: int, plan: Sequence[int]) -> int:
    at = 0
    for one, other in zip(ends, plan, strict=False):
        if one != other or one > alike:
            break
        at = one
    return at


def _is_end(ends: Sequence[int], at: int) -> bool:
    place = bisect_left(ends, at)
    return place < len(ends) and ends[place] == at


def _is_written(ends: Sequence[int], at: int) -> bool:
    """Whether the two tokens before `at` stand in stretches of their own: one alone may be the rest of a part that was read."""
    return all(_is_end(ends, end) for end in range(max(at - 2, 1), at + 1))
