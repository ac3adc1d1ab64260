"""What the tests of sampling share: rows like a model's, a small vocabulary, and settings of every kind."""

import math
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from bot.sampling import ORDER, SamplingSettings

Row = npt.NDArray[np.float32]
LOW = -math.inf
PIECES = (b"a", b"b", b"c\n", b"\n", b"x:", b"*", b"*d", b" ")


@dataclass(frozen=True)
class EightWords:
    """A vocabulary whose tokens spell eight pieces over and over; the fourth is the line break."""

    size: int
    newline: int | None = 3

    def piece(self, token: int) -> bytes:
        return PIECES[token % 8]


def named(settings: object) -> str:
    """A short name of a test's settings: what differs from the default."""
    if not isinstance(settings, SamplingSettings):
        return str(settings)
    changed = [f for f in fields(settings) if getattr(settings, f.name) != f.default and f.name != "order"]
    order = "" if settings.order == ORDER else " other order"
    return ", ".join(f"{f.name}={getattr(settings, f.name)}" for f in changed) + order


def peaked(dice: np.random.Generator, size: int) -> Row:
    """Logits shaped like a language model's: a broad low bulk and some hundred likely tokens."""
    row = dice.normal(0, 1.6, size)
    likely = dice.integers(0, size, 150)
    row[likely] += dice.exponential(dice.uniform(0.5, 5), 150) + 2
    return row.astype(np.float32)


def rows(count: int, size: int, seed: int = 7) -> list[Row]:
    dice = np.random.default_rng(seed)
    made: list[Row] = []
    while len(made) < count:
        made += [
            peaked(dice, size),
            dice.normal(0, 0.05, size).astype(np.float32),
            np.round(peaked(dice, size), 0),
            np.full(size, 3, dtype=np.float32) + (dice.random(size) < 0.5).astype(np.float32) * np.float32(1e-6),
            peaked(dice, size) + 25 * (np.arange(size) == 17).astype(np.float32),
            np.where(np.arange(size) % 3 == 0, np.float32(LOW), peaked(dice, size)),
            dice.normal(0, 3, size).astype(np.float32),
        ]
    return made[:count]


def any_settings() -> st.SearchStrategy[SamplingSettings]:
    """Settings with a few stages on, in any order, now and then greedy."""

    def mostly(off: float, *values: float) -> st.SearchStrategy[float]:
        return st.sampled_from((off, off, *values))

    return st.builds(
        SamplingSettings,
        temperature=st.sampled_from((0.0, 0.7, 1.0, 1.0, 2.5)),
        tail_free_z=mostly(1.0, 0.0, 0.5, 0.9),
        top_k=st.sampled_from((0, 0, 1, 3, 40)),
        top_p=mostly(1.0, 0.1, 0.5, 0.93),
        min_p=mostly(0.0, 0.02, 0.3),
        typical_p=mostly(1.0, 0.1, 0.5, 0.9),
        repetition_penalty=mostly(1.0, 1.11, 0.8),
        presence_penalty=mostly(0.0, 0.5),
        frequency_penalty=mostly(0.0, 0.3, -0.2),
        penalty_range=st.sampled_from((0, 5, 50)),
        penalize_newline=st.booleans(),
        dry_multiplier=mostly(0.0, 0.8),
        dry_allowed_length=st.integers(1, 3),
        dry_range=st.sampled_from((0, 3, 10, 100)),
        dry_breakers=st.sampled_from(((), ("\n", ":"), ("*x", "\n"))),
        xtc_probability=mostly(0.0, 0.5, 1.0),
        xtc_threshold=st.sampled_from((0.02, 0.1, 0.3, 0.6)),
        logit_bias=st.sampled_from(((), ((0, 3.5),), ((1, -100.0), (4, 1.25)))),
        order=st.just(ORDER) | st.permutations(ORDER).map(tuple),
    )
