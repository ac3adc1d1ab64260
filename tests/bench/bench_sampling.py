"""How long drawing the tokens of a step takes at a vocabulary of 32,000, and that it is exactly the literal chain.

The literal chain here sorts every row whole, in 64-bit floats; tests/adapters/llama/reference.py is the same in plain Python.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np
import numpy.typing as npt

from adapters.llama.sampling import Sampler, candidates, draw_rows
from bot.sampling import LIMARP, PRESETS, SamplingSettings

VOCABULARY = 32_000
STEPS = 12
ROUNDS = 5
SIZES = (1, 4, 8, 16)
CHECKED = {"peaked": 1000, "flat": 100}
BUDGETS = {"peaked": 60, "flat": 300}
"""Microseconds of one core that a row may cost in a step of 16 rows under the LimaRP preset."""

Row = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Words:
    """A vocabulary in which every twentieth token is a line break."""

    size: int = VOCABULARY
    newline: int | None = 13

    def piece(self, token: int) -> bytes:
        """A letter or a line break."""
        return b"x" if token % 20 else b"\n"


def peaked(dice: np.random.Generator) -> Row:
    """Logits shaped like a language model's: a broad low bulk, and some hundred tokens that stand out, more or less.

    Their entropy lies between nothing and a dozen bits; the likeliest token has one chance in two in the middle.
    """
    row = dice.normal(0, 1.6, VOCABULARY)
    likely = dice.integers(0, VOCABULARY, 150)
    row[likely] += dice.exponential(dice.uniform(1.5, 5), 150) + 2
    return row.astype(np.float32)


def flat(dice: np.random.Generator) -> Row:
    """Logits of a model with random weights."""
    return dice.normal(0, 3, VOCABULARY).astype(np.float32)


KINDS: dict[str, Callable[[np.random.Generator], Row]] = {"peaked": peaked, "flat": flat}


def literal(row: Row, said: Sequence[int], roll: float) -> tuple[list[int], int]:
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


def microseconds(settings: SamplingSettings, steps: Sequence[npt.NDArray[np.float32]], said: Sequence[int]) -> float:
    """CPU time of a step, the mean over all. The rows lie in one place that each step overwrites, as llama.cpp's do."""
    samplers = [Sampler(settings, seed, said, words=Words()) for seed in range(len(steps[0]))]
    place, costs = steps[0].copy(), []
    draw_rows(samplers, place)
    for rows in [*steps] * ROUNDS:
        place[:] = rows
        start = time.process_time()
        draw_rows(samplers, place)
        costs.append((time.process_time() - start) * 1e6)
    return mean(costs)


def equal_rows(rows: Sequence[Row], said: Sequence[int]) -> int:
    """In how many rows the same tokens are left and the same one is drawn as by the literal chain."""
    said = list(said)
    equal = 0
    for seed, row in enumerate(rows):
        sampler = Sampler(LIMARP, seed, said, words=Words())
        kept, token = literal(row, said, np.random.Generator(np.random.PCG64(seed)).random())
        equal += candidates(sampler, row) == kept and draw_rows([sampler], row[np.newaxis]) == [token]
        said.append(token)
    return equal


def run() -> list[tuple[str, str]]:
    """The table of this benchmark: what was measured, and the figure."""
    dice = np.random.default_rng(11)
    said = dice.integers(0, VOCABULARY, 2048).tolist()
    table = []
    for kind, make in KINDS.items():
        steps = [np.stack([make(dice) for _ in range(max(SIZES))]) for _ in range(STEPS)]
        for preset, settings in PRESETS.items():
            costs = [microseconds(settings, [rows[:size] for rows in steps], said) for size in SIZES]
            each = ", ".join(f"{size} rows {cost:.0f}" for size, cost in zip(SIZES, costs, strict=True))
            budget = f" (budget {BUDGETS[kind]})" if preset == "limarp" else ""
            figure = f"{each} µs; {costs[-1] / SIZES[-1]:.0f} µs a row{budget}"
            table.append((f"sampling, {preset}, {kind} logits, CPU of a step", figure))
        rows = [make(dice) for _ in range(CHECKED[kind])]
        table.append((f"sampling, {kind} rows equal to the literal chain", f"{equal_rows(rows, said)} of {len(rows)}"))
    return table


if __name__ == "__main__":
    for name, figure in run():
        print(f"{name}: {figure}")  # noqa: T201 - a benchmark prints
