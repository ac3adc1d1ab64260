"""Which sequences change slots so that those written together stand side by side. It decides; it moves nothing.

Beside a gap, llama.cpp fetches all weights once more (measured with 0.5 B weights: four rows in slots 0, 13, 14 and 15 take
37 ms, in four neighbouring ones 30 ms), and that in every step of a reply; two sequences are exchanged once.
"""

from collections.abc import Collection, Sequence


def exchanges(written: Collection[int], fixed: Collection[int], held: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs of slots to exchange, after which the written ones are neighbours; none where they are, or cannot be.

    `fixed` slots stay where they are. Of all ways, one with the fewest exchanges, and of those the one that moves the fewest
    tokens: `held` counts those of each slot.
    """
    best: tuple[int, list[tuple[int, int]]] | None = None
    for first in range(len(held) - len(written) + 1):
        window = range(first, first + len(written))
        outside = sorted(slot for slot in written if slot not in window)
        inside = [slot for slot in window if slot not in written]
        if any(slot in fixed for slot in inside):
            continue
        cost = sum(held[slot] for slot in (*outside, *inside))
        if best is None or (len(outside), cost) < (len(best[1]), best[0]):
            best = cost, list(zip(outside, inside, strict=True))
    return best[1] if best else []
