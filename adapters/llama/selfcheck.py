"""A check at start that sampling on this machine does what it must: a few rows whose outcome is known by heart."""

from dataclasses import dataclass

import numpy as np

from adapters.llama.sampling import Sampler, candidates, draw_rows
from bot.errors import ModelNotLoaded
from bot.sampling import ORDER, SamplingSettings


@dataclass(frozen=True, slots=True)
class Golden:
    """Logits, settings and what was said, and the tokens that may be drawn then, likeliest first."""

    logits: tuple[float, ...]
    settings: SamplingSettings
    kept: tuple[int, ...]
    said: tuple[int, ...] = ()


FALLING = (2.0, 1.0, 0.0, -1.0)
TWINS = (3.0, 1.0, 3.0, 2.5, 2.5, 0.5, -1.0, 0.0)
LATE_XTC = (*(stage for stage in ORDER if stage != "xtc"), "xtc")

GOLDEN = (
    Golden(TWINS, SamplingSettings(tail_free_z=0.90), (0, 2, 3)),
    Golden((4.0, 3.9, 3.7, 3.4, 3.0, 1.0, 1.0, 0.5, 0.5), SamplingSettings(tail_free_z=0.90), (0, 1, 2, 3)),
    Golden((1.0, 1.0, 1.0, 1.0, 1.0), SamplingSettings(tail_free_z=0.50), (0,)),
    Golden((1.0, 2.0), SamplingSettings(tail_free_z=0.10), (1, 0)),
    Golden(FALLING, SamplingSettings(tail_free_z=1.00), (0, 1, 2, 3)),
    Golden(FALLING, SamplingSettings(tail_free_z=0.00), (0,)),
    Golden(TWINS, SamplingSettings(top_k=4), (0, 2, 3, 4)),
    Golden(FALLING, SamplingSettings(top_p=0.87), (0, 1)),
    Golden(FALLING, SamplingSettings(min_p=0.13), (0, 1, 2)),
    Golden(FALLING, SamplingSettings(typical_p=0.20), (1,)),
    Golden(FALLING, SamplingSettings(typical_p=0.70), (0, 1)),
    Golden(FALLING, SamplingSettings(xtc_probability=1.0, xtc_threshold=0.08), (2, 3)),
    Golden(FALLING, SamplingSettings(xtc_probability=1.0, xtc_threshold=0.1), (1, 2, 3)),
    Golden(FALLING, SamplingSettings(temperature=2.0, xtc_probability=1.0, xtc_threshold=0.1, order=LATE_XTC), (3,)),
    Golden((2.0, -2.0, 1.5, 1.0), SamplingSettings(repetition_penalty=2.0, penalty_range=3), (2, 0, 3, 1), (3, 0, 0, 1)),
    Golden(FALLING, SamplingSettings(presence_penalty=1.5, penalty_range=3), (1, 0, 2, 3), (3, 0, 0, 0)),
    Golden(FALLING, SamplingSettings(frequency_penalty=1.5, penalty_range=2), (1, 2, 0, 3), (0, 0, 0)),
    Golden(FALLING, SamplingSettings(dry_multiplier=1.25), (1, 0, 2, 3), (2, 1, 0, 3, 2, 1)),
    Golden(FALLING, SamplingSettings(dry_multiplier=1.25), (1, 2, 0, 3), (3, 2, 1, 0, 3, 2, 1)),
    Golden(FALLING, SamplingSettings(logit_bias=((0, -100.0), (3, 2.5))), (3, 1, 2, 0)),
    Golden(TWINS, SamplingSettings(temperature=0.0), (0,)),
)
"""Computed from the formulas in 64-bit floats; the tests compute them anew."""


@dataclass(frozen=True, slots=True)
class NoWords:
    """A vocabulary of nothing but numbers."""

    size: int
    newline: int | None = None

    def piece(self, _token: int) -> bytes:
        """Nothing."""
        return b""


def check_sampling() -> None:
    """Raise ModelNotLoaded when sampling on this machine does not give the known outcomes."""
    if not all(tuple(candidates(_sampler(golden), _row(golden))) == golden.kept for golden in GOLDEN) or not _draws_alike():
        raise ModelNotLoaded(
            "Sampling gives wrong results on this machine, so no reply would be drawn as its settings say."
            " Install numpy again, in the version that this program names."
        )


def _draws_alike() -> bool:
    """Rows of one length give together what they give alone, and something that may be drawn."""
    rows = [golden for golden in GOLDEN if len(golden.logits) == len(FALLING)]
    alone = [draw_rows([_sampler(golden)], _row(golden)[np.newaxis])[0] for golden in rows]
    together = draw_rows([_sampler(golden) for golden in rows], np.stack([_row(golden) for golden in rows]))
    return alone == together and all(token in golden.kept for golden, token in zip(rows, together, strict=True))


def _sampler(golden: Golden) -> Sampler:
    return Sampler(golden.settings, 1, golden.said, words=NoWords(len(golden.logits)))


def _row(golden: Golden) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array(golden.logits, dtype=np.float32)
