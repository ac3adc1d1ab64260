"""A check at start that sampling on this machine does what it must: a few rows whose outcome is known by heart."""

from dataclasses import dataclass

import numpy as np

from adapters.llama.sampling import Candidates, Sampler, candidates
from bot.errors import ModelNotLoaded
from bot.sampling import SamplingSettings


@dataclass(frozen=True, slots=True)
class Golden:
    """Logits, a tail-free z, and the tokens that it must leave, likeliest first."""

    logits: tuple[float, ...]
    z: float
    kept: tuple[int, ...]


GOLDEN = (
    Golden((3.0, 1.0, 3.0, 2.5, 2.5, 0.5, -1.0, 0.0), 0.90, (0, 2, 3)),
    Golden((4.0, 3.9, 3.7, 3.4, 3.0, 1.0, 1.0, 0.5, 0.5), 0.90, (0, 1, 2, 3)),
    Golden((1.0, 1.0, 1.0, 1.0, 1.0), 0.50, (0,)),
    Golden((1.0, 2.0), 0.10, (1, 0)),
    Golden((2.0, 1.0, 0.0, -1.0), 1.00, (0, 1, 2, 3)),
    Golden((2.0, 1.0, 0.0, -1.0), 0.00, (0,)),
)
"""Computed from the formula in 64-bit floats; the tests compute them anew."""


def check_sampling() -> None:
    """Raise ModelNotLoaded when sampling on this machine does not give the known outcomes."""
    wrong = [golden for golden in GOLDEN if _kept(golden) != golden.kept]
    if wrong or not _penalty_holds():
        raise ModelNotLoaded(
            "Sampling gives wrong results on this machine, so no reply would be drawn as its settings say."
            " Install numpy again, in the version that this program names."
        )


def _kept(golden: Golden) -> tuple[int, ...]:
    left: Candidates = candidates(np.array(golden.logits), SamplingSettings(tail_free_z=golden.z))
    return tuple(int(token) for token in left.tokens)


def _penalty_holds() -> bool:
    """Said tokens are penalized once each: 2 becomes 1 and -2 becomes -4; a likelier unsaid token is drawn then."""
    settings = SamplingSettings(temperature=0.0, repetition_penalty=2.0, penalty_range=3)
    sampler = Sampler(settings, 1, (3, 0, 0, 1))
    row = np.array((2.0, -2.0, 1.5, 1.0), dtype=np.float32)
    return sampler.penalized(row).tolist() == [1.0, -4.0, 1.5, 1.0] and sampler.draw(row) == 2  # noqa: PLR2004 - by heart
