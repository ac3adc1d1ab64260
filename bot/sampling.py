"""Sampler settings: values, bounds, presets. How a token is drawn is the runner's; this module knows no numbers of a model."""

from dataclasses import dataclass, fields
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Bounds:
    """The closed interval that a setting may lie in."""

    low: float
    high: float


BOUNDS = MappingProxyType(
    {
        "temperature": Bounds(0.0, 5.0),
        "tail_free_z": Bounds(0.0, 1.0),
        "top_k": Bounds(0, 1_000_000),
        "top_p": Bounds(0.0, 1.0),
        "min_p": Bounds(0.0, 1.0),
        "repetition_penalty": Bounds(0.5, 2.0),
        "penalty_range": Bounds(0, 65_536),
    }
)


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """How the next token is drawn, in this order: repetition penalty, top-k, tail-free, top-p, min-p, temperature, draw.

    `temperature` 0 takes the likeliest token. `tail_free_z` 1, `top_k` 0, `top_p` 1, `min_p` 0 and
    `repetition_penalty` 1 switch a stage off. `penalty_range` counts tokens back from the newest, prompt included.
    `penalize_newline` False spares the newline token from the penalty. Raises ValueError naming every field out of bounds.
    """

    temperature: float = 1.0
    tail_free_z: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    penalty_range: int = 2048
    penalize_newline: bool = True

    def __post_init__(self) -> None:
        wrong = [
            f"{field.name} is {getattr(self, field.name)}; it must lie between {bounds.low:g} and {bounds.high:g}"
            for field in fields(self)
            if (bounds := BOUNDS.get(field.name)) and not bounds.low <= getattr(self, field.name) <= bounds.high
        ]
        if wrong:
            raise ValueError("; ".join(wrong))


LIMARP = SamplingSettings(temperature=0.70, tail_free_z=0.90, repetition_penalty=1.11, penalty_range=2048)
"""The settings on the model card of AshhLimaRP-Mistral-7B, in the sampler order of its time."""

PRESETS = MappingProxyType({"limarp": LIMARP, "plain": SamplingSettings(temperature=0.8, min_p=0.05)})
