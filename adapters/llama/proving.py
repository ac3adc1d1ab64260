"""How many single tokens come out alike whether they are read alone or together: tried at start, since it hangs on kernels.

llama.cpp sums up a row alike in a call of any width for some kinds of weights (Q8_0 and Q4_0 on x86). For others it takes
other kernels from some width on, which round otherwise: for floats (F32, F16, BF16) from two rows on, for K-quants from four
or eight. The last digits that differ are often lost again where the numbers are rounded on their way to the logits, so a
small model, in which fewer are rounded, is tried with more tokens; a large one shows it at the first.
"""

from collections.abc import Sequence

import numpy as np

from adapters.llama.context import Context, Rows
from bot.ports.runner import Stretch

OBSERVED = 2
"""How many slots are compared, the first ones."""

BEFORE = (3, 5)
"""Tokens that stand before the compared ones: alone in its sequence, one would have nothing to attend to but itself."""

WIDTHS = (2, 3, 4, 7, 8, 16)
"""Where kernels are known to change, and the widths before; the number of slots is tried too."""

MOST_TOKENS = 16
WORK = 1e9
"""Parameters times tokens that one trial comes to, at most."""


def widest_exact(context: Context, slots: int, parameters: int) -> int:
    """How many slots can read a token together with the numbers, to the last bit, of one alone. They must be empty."""
    tokens = max(1, min(MOST_TOKENS, int(WORK / max(parameters, 1))))
    alone = [_read(context, (slot,), tokens)[0] for slot in range(min(OBSERVED, slots))]
    widest = 1
    for width in sorted({slots, *(width for width in WIDTHS if width < slots)}):
        together = _read(context, range(width), tokens)
        if not all(np.array_equal(rows, others) for rows, others in zip(alone, together, strict=False)):
            break
        widest = width
    return widest


def _read(context: Context, slots: Sequence[int], tokens: int) -> list[Rows]:
    """For each slot its logits after each of some tokens, of which all slots read one in a call; they are empty again then."""
    for slot in slots[:OBSERVED]:
        context.decode([Stretch(slot, BEFORE, 0, draws=False)])
    starts = [len(BEFORE) if slot < OBSERVED else 0 for slot in slots]
    rows: list[Rows] = []
    for token in range(1, tokens + 1):
        stretches = [Stretch(slot, (token,), start + token - 1, draws=True) for slot, start in zip(slots, starts, strict=True)]
        context.decode(stretches)
        rows.append(context.rows(len(slots))[:OBSERVED].copy())
    for slot in slots:
        context.empty(slot)
    return list(np.stack(rows, axis=1))
