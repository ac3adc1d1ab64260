"""The order of the stages for some settings, worked out once: what moves logits before the first cut, then the cuts."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Protocol

import numpy as np

from adapters.llama.sampling import stages
from adapters.llama.sampling.reach import Reach, in_order
from adapters.llama.sampling.window import Floats, Tokens
from bot.sampling import SamplingSettings

WINDOWS: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {"tail_free": (6.5, 8.5, 10.5), "top_k": (2.0, 4.0, 7.0, 12.0), "draw": (5.0, 8.0, 12.0)}
)
"""How far below the likeliest logit the part in reach goes, in steps, before everything is in reach: by the first cut."""

MOST_TOP = 16_000
"""With more tokens than this in reach, sorting everything costs no more than going on by steps."""

JUST_MORE = 0.01
"""What min-p keeps lies in a window that is known; this much beyond it shows that there is no more."""

MOST_XTC = 0.5
"""Above this threshold no two candidates can be likely enough."""


class Turn(Protocol):
    """What a stage needs of the reply that it draws for."""

    def roll(self, stage: str) -> float:
        """A number from 0 to below 1: the same one whenever the same stage asks in the same turn."""
        ...

    def moved(self, stage: str, tokens: Tokens, logits: Floats) -> Floats:
        """The logits of these tokens, which rise, after a stage that moves logits."""
        ...


Stage = Callable[[Reach, Turn], Reach | None]
"""What stays of the candidates; None where that cannot be told from those in reach."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Settings as they are carried out.

    `early` are the stages that move logits before anything is cut, `late` all others in order; `scale` is the
    temperature where it is among the early ones, `temperature` that of the draw where it is the last stage.
    """

    early: tuple[str, ...]
    late: tuple[Stage, ...]
    scale: float
    temperature: float
    windows: tuple[float, ...]

    def left(self, found: Reach, turn: Turn) -> Reach | None:
        """What the late stages leave to draw from."""
        after: Reach | None = found
        for stage in self.late:
            if after is None:
                break
            after = stage(after, turn)
        return after

    def drawn(self, found: Reach, turn: Turn) -> int | None:
        """The candidate on which the dice fall; None where that cannot be told from those in reach."""
        left = self.left(found, turn)
        if left is None:
            return None
        if len(left) + left.hidden == 1:
            return left.token(0)
        weights = np.exp((left.falling - left.falling[0]) / self.temperature)
        sums = np.cumsum(weights)
        place = _place_of_top(left, sums, turn, self.temperature) if left.hidden else _place(sums, turn.roll("draw"))
        return None if place is None else left.token(place)


@lru_cache(maxsize=256)
def chain_of(settings: SamplingSettings) -> Chain:
    """The chain of these settings, without the stages that they switch off."""
    active = [stage for stage in settings.order if is_on(stage, settings)]
    if not settings.temperature:
        return Chain(tuple(stage for stage in active if stage in MOVING), (), 1.0, 0.0, ())
    at_the_end = bool(active) and active[-1] == "temperature"
    if at_the_end:
        active.pop()
    count = next((place for place, stage in enumerate(active) if stage not in (*MOVING, "temperature")), len(active))
    early, late = active[:count], active[count:]
    return Chain(
        tuple(early),
        tuple(_late(stage, settings) for stage in late),
        settings.temperature if "temperature" in early else 1.0,
        settings.temperature if at_the_end else 1.0,
        _windows(late[0] if late else "draw", settings),
    )


def is_on(stage: str, settings: SamplingSettings) -> bool:
    """Whether a stage does anything under these settings."""
    return ON[stage](settings)


def _penalties_are_on(settings: SamplingSettings) -> bool:
    moves = settings.repetition_penalty != 1 or settings.presence_penalty or settings.frequency_penalty
    return bool(moves and settings.penalty_range)


MOVING = ("penalties", "dry")
"""The stages that move the logits of some tokens and depend on what was said."""

ON: Mapping[str, Callable[[SamplingSettings], bool]] = MappingProxyType(
    {
        "penalties": _penalties_are_on,
        "dry": lambda settings: bool(settings.dry_multiplier and settings.dry_range),
        "top_k": lambda settings: settings.top_k > 0,
        "tail_free": lambda settings: settings.tail_free_z < 1,
        "typical": lambda settings: settings.typical_p < 1,
        "top_p": lambda settings: settings.top_p < 1,
        "min_p": lambda settings: settings.min_p > 0,
        "xtc": lambda settings: settings.xtc_probability > 0 and settings.xtc_threshold <= MOST_XTC,
        "temperature": lambda settings: settings.temperature != 1,
    }
)


def _windows(first: str, settings: SamplingSettings) -> tuple[float, ...]:
    if first == "min_p":
        return (JUST_MORE - math.log(settings.min_p),)
    return () if first in (*MOVING, "temperature") else WINDOWS.get(first, WINDOWS["draw"])


def _late(stage: str, settings: SamplingSettings) -> Stage:
    if stage in MOVING:
        return lambda found, turn: _moved(found, turn, stage)
    if stage == "temperature":
        return lambda found, _turn: _tempered(found, settings.temperature)
    if stage == "xtc":
        return lambda found, turn: _xtc(found, turn, settings)
    cut, value = {
        "top_k": (stages.top_k, settings.top_k),
        "tail_free": (stages.tail_free, settings.tail_free_z),
        "typical": (stages.typical, settings.typical_p),
        "top_p": (stages.top_p, settings.top_p),
        "min_p": (stages.min_p, settings.min_p),
    }[stage]
    return lambda found, _turn: cut(found, value)  # type: ignore[arg-type]  # top_k's value is the whole number


def _moved(found: Reach, turn: Turn, stage: str) -> Reach | None:
    if found.hidden:
        return None
    ordered = found.first(len(found))
    rising = np.argsort(ordered.tokens)
    tokens = ordered.tokens[rising]
    return in_order(tokens, turn.moved(stage, tokens, ordered.falling[rising]))


def _tempered(found: Reach, temperature: float) -> Reach | None:
    if found.hidden:
        return None
    ordered = found.first(len(found))
    return in_order(ordered.tokens, ordered.falling / temperature)


def _xtc(found: Reach, turn: Turn, settings: SamplingSettings) -> Reach | None:
    if len(found) + found.hidden == 1 or turn.roll("xtc") >= settings.xtc_probability:
        return found
    return stages.exclude_top(found, settings.xtc_threshold)


def _place(sums: Floats, roll: float) -> int:
    place = int(np.searchsorted(sums, roll * sums[-1], side="right"))
    # Rounding may reach the very end of the sums, where tokens without any weight stand.
    return min(place, int(np.searchsorted(sums, sums[-1], side="left")))


def _place_of_top(left: Reach, sums: Floats, turn: Turn, temperature: float) -> int | None:
    hidden, _ = left.below.weights(float(left.falling[0]), temperature) if left.below else (0.0, 0.0)
    wanted = turn.roll("draw") * (float(sums[-1]) + hidden)
    low = int(np.searchsorted(sums, wanted * (1 - stages.SLACK), side="right"))
    high = int(np.searchsorted(sums, wanted * (1 + stages.SLACK), side="right"))
    return low if low == high < len(sums) else None
