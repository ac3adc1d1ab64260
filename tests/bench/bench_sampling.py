"""How long drawing a token takes at a vocabulary of 32,000, and that it is exactly the literal chain: `run` does both.

The literal chain here sorts every row whole, in 64-bit floats; tests/adapters/llama/reference.py is the same in plain Python.
"""

import time

import numpy as np
import numpy.typing as npt

from adapters.llama.sampling import Sampler, candidates
from bot.sampling import LIMARP

VOCABULARY = 32_000
ROWS = 1000
BUDGET = 150.0
"""Microseconds of one core that a row of peaked logits may cost."""

Row = npt.NDArray[np.float32]


def peaked(dice: np.random.Generator) -> Row:
    """Logits shaped like a language model's: a broad low bulk, and some hundred tokens that stand out, more or less.

    Their entropy lies between nothing and a dozen bits; the likeliest token has one chance in two in the middle.
    """
    row = dice.normal(0, 1.6, VOCABULARY)
    likely = dice.integers(0, VOCABULARY, 150)
    row[likely] += dice.exponential(dice.uniform(1.5, 5), 150) + 2
    return row.astype(np.float32)


def flat(dice: np.random.Generator) -> Row:
    """Logits of a model that knows nothing: the worst case, where nothing short of a sort decides."""
    return dice.normal(0, 1, VOCABULARY).astype(np.float32)


def literal(row: Row, said: list[int], roll: float) -> tuple[list[int], int]:
    """What the LimaRP settings leave and draw, by the formulas as they are written."""
    logits = row.astype(np.float64)
    for token in set(said[-LIMARP.penalty_range :]):
        value = logits[token]
        logits[token] = value * LIMARP.repetition_penalty if value <= 0 else value / LIMARP.repetition_penalty
    order = np.lexsort((np.arange(len(logits)), -logits))
    chances = np.exp(logits[order] - logits[order[0]])
    chances /= chances.sum()
    first = chances[:-1] - chances[1:]
    second = np.abs(first[:-1] - first[1:])
    total = second.sum()
    sums = np.cumsum(second / total if total > 1e-6 else np.full(len(second), 1 / len(second)))
    above = [int(index) for index in np.flatnonzero(sums > LIMARP.tail_free_z) if index >= 1]
    kept = order[: above[0]] if above else order
    weights = np.cumsum(np.exp((logits[kept] - logits[kept[0]]) / LIMARP.temperature))
    return kept.tolist(), int(kept[np.flatnonzero(weights > roll * weights[-1])[0]])


def microseconds(rows: list[Row], said: list[int]) -> float:
    """CPU time of one draw, the mean over the rows."""
    sampler = Sampler(LIMARP, 1, said)
    sampler.draw(rows[0])
    start = time.process_time()
    for row in rows:
        sampler.draw(row)
    return (time.process_time() - start) / len(rows) * 1e6


def equal_rows(rows: list[Row], said: list[int]) -> int:
    """In how many rows the same tokens are left and the same one is drawn as by the literal chain."""
    said = list(said)
    equal = 0
    for seed, row in enumerate(rows):
        sampler = Sampler(LIMARP, seed, said)
        kept, token = literal(row, said, np.random.Generator(np.random.PCG64(seed)).random())
        left = candidates(sampler.penalized(row), LIMARP).tokens.tolist()
        equal += left == kept and sampler.draw(row) == token
        said.append(token)
    return equal


def run() -> list[tuple[str, str]]:
    """The table of this benchmark: what was measured, and the figure."""
    dice = np.random.default_rng(11)
    said = dice.integers(0, VOCABULARY, 2048).tolist()
    many, few = [peaked(dice) for _ in range(ROWS)], [flat(dice) for _ in range(100)]
    cost = microseconds(many, said)
    return [
        (f"sampling, peaked logits, vocabulary {VOCABULARY}, CPU of a row", f"{cost:.0f} µs (budget {BUDGET:.0f} µs)"),
        (f"sampling, flat logits, vocabulary {VOCABULARY}, CPU of a row", f"{microseconds(few, said):.0f} µs"),
        ("sampling, peaked rows equal to the literal chain", f"{equal_rows(many, said)} of {len(many)}"),
        ("sampling, flat rows equal to the literal chain", f"{equal_rows(few, said)} of {len(few)}"),
    ]


if __name__ == "__main__":
    for name, figure in run():
        print(f"{name}: {figure}")  # noqa: T201 - a benchmark prints
