"""Whether single tokens come out alike however many are read together: tried at start, because it hangs on the kernels.

For quantised weights llama.cpp sums up a row alike in a batch of any width. For weights kept as floats (F32, F16 and BF16
models, and nearly all LoRA adapters) it takes other kernels for one row than for several, which round otherwise.
"""

from collections.abc import Sequence

import numpy as np

from adapters.llama.context import Context
from bot.ports.runner import Stretch

OBSERVED = 2
"""How many slots are compared, the first ones."""


def widths_agree(context: Context, slots: int, words: int) -> bool:
    """Whether the first slots' logits are the same to the last bit alone and beside others. The slots must be empty."""
    tokens = [(2 * slot + 3) % words for slot in range(slots)]
    alone = [_read(context, tokens, (slot,))[0] for slot in range(min(OBSERVED, slots))]
    for width in sorted({min(OBSERVED, slots), slots}):
        together = _read(context, tokens, range(width))
        if not all(np.array_equal(row, other) for row, other in zip(alone, together, strict=False)):
            return False
    return True


def _read(context: Context, tokens: Sequence[int], slots: Sequence[int]) -> list[np.ndarray[tuple[int], np.dtype[np.float32]]]:
    context.decode([Stretch(slot, (tokens[slot],), 0, draws=True) for slot in slots])
    rows = [row.copy() for row in context.rows(len(slots))]
    for slot in slots:
        context.empty(slot)
    return rows
