"""One token for every row of a step. What is drawn from a row does not depend on its neighbours, to the last bit.

Work over the whole vocabulary is done for all rows at once; what is left of a row then is small and differs in size from
row to row, and goes through the stages by itself.
"""

from collections.abc import Callable, Sequence
from math import isfinite
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from adapters.llama.sampling.chain import MOST_TOP, Chain
from adapters.llama.sampling.reach import Logits, Reach, Row
from adapters.llama.sampling.sampler import Sampler

Rows = npt.NDArray[np.float32]
Answer = TypeVar("Answer")


def draw_rows(samplers: Sequence[Sampler], rows: Rows) -> list[int]:
    """The next token of each row of logits over the whole vocabulary; the rows are not changed, the samplers go on.

    Raises ValueError when a row holds no usable numbers; then no sampler goes on.
    """
    if not samplers:
        return []
    tokens = [_drawn(sampler, logits, top) for sampler, logits, top in _touched(samplers, rows)]
    for sampler, token in zip(samplers, tokens, strict=True):
        sampler.add(token)
    return tokens


def candidates(sampler: Sampler, row: Row) -> list[int]:
    """The tokens that the next draw may take, likeliest first. Nothing is drawn but for what XTC rolls."""
    [(_, logits, top)] = _touched([sampler], row[np.newaxis])
    if not sampler.chain.temperature:
        return [_likeliest(logits, top)]
    chain = sampler.chain
    left = _decided(chain, logits, top, lambda found: _whole(chain.left(found, sampler)))
    return [int(token) for token in left.first(len(left)).tokens]


def _touched(samplers: Sequence[Sampler], rows: Rows) -> list[tuple[Sampler, Logits, float]]:
    """Each row as its sampler sees it, with its highest logit."""
    rest = np.array(rows, dtype=np.float32)
    seen = []
    for sampler, row, own in zip(samplers, rows, rest, strict=True):
        tokens, values = sampler.touched(row)
        own[tokens] = -np.inf
        seen.append(Logits(own, tokens, values, sampler.chain.scale))
    untouched = rest.max(axis=1).tolist()
    tops = [_top(index, logits, top) for index, (logits, top) in enumerate(zip(seen, untouched, strict=True))]
    return list(zip(samplers, seen, tops, strict=True))


def _top(index: int, logits: Logits, untouched: float) -> float:
    """The highest logit of a row, given that of the untouched ones."""
    top = untouched / logits.scale
    if len(logits.values):
        top = float(np.maximum(top, np.maximum.reduce(logits.values)))  # which is nan where either is
    if not isfinite(top):
        raise ValueError(f"row {index} holds no usable numbers")
    return top


def _drawn(sampler: Sampler, logits: Logits, top: float) -> int:
    chain = sampler.chain
    if not chain.temperature:
        return _likeliest(logits, top)
    return _decided(chain, logits, top, lambda found: chain.drawn(found, sampler))


def _decided(chain: Chain, logits: Logits, top: float, judge: Callable[[Reach], Answer | None]) -> Answer:
    """The first answer, from more and more candidates in reach."""
    for window in chain.windows:
        limit = np.float32((top - window) * logits.scale)
        hits = (logits.rest > limit).nonzero()[0]
        if len(hits) > MOST_TOP:
            break
        found = logits.above(limit, hits)
        answer = judge(found) if len(found) else None
        if answer is not None:
            return answer
    answer = judge(logits.all())
    if answer is None:
        raise AssertionError("a stage could not decide from all candidates")
    return answer


def _whole(left: Reach | None) -> Reach | None:
    return None if left is None or left.hidden else left


def _likeliest(logits: Logits, top: float) -> int:
    """The token with the highest logit; of equal ones the lowest id."""
    equal = logits.touched[logits.values == top].tolist()
    unmoved = int(logits.rest.argmax())
    if logits.rest[unmoved] == top:
        equal.append(unmoved)
    return int(min(equal))
