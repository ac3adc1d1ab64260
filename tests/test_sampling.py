"""Sampler settings are within their bounds, or are not at all."""

import math
from dataclasses import fields
from typing import Any

import pytest

from bot.sampling import BOUNDS, LIMARP, PRESETS, SamplingSettings


@pytest.mark.parametrize("name", BOUNDS)
def test_both_ends_of_every_interval_are_allowed(name: str) -> None:
    for value in (BOUNDS[name].low, BOUNDS[name].high):
        changes: dict[str, Any] = {name: value}
        assert getattr(SamplingSettings(**changes), name) == value


@pytest.mark.parametrize("name", BOUNDS)
def test_what_lies_outside_is_refused_by_name(name: str) -> None:
    for value in (BOUNDS[name].low - 1, BOUNDS[name].high + 1, math.nan, math.inf):
        changes: dict[str, Any] = {name: value}
        with pytest.raises(ValueError, match=f"{name} is .* it must lie between"):
            SamplingSettings(**changes)


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"temperature is -1; .*; top_p is 2; .*"):
        SamplingSettings(temperature=-1, top_p=2)


def test_every_number_has_bounds() -> None:
    assert set(BOUNDS) == {field.name for field in fields(SamplingSettings)} - {"penalize_newline"}


def test_the_limarp_preset_is_that_of_the_model_card() -> None:
    assert PRESETS["limarp"] == LIMARP
    assert (
        SamplingSettings(
            temperature=0.70, tail_free_z=0.90, top_k=0, top_p=1.0, min_p=0.0, repetition_penalty=1.11, penalty_range=2_048
        )
        == LIMARP
    )


def test_by_default_every_stage_but_the_draw_is_off() -> None:
    plain = SamplingSettings()

    assert (plain.tail_free_z, plain.top_k, plain.top_p, plain.min_p, plain.repetition_penalty) == (1.0, 0, 1.0, 0.0, 1.0)
