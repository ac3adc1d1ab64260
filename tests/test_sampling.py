"""Sampler settings are within their bounds, or are not at all; and the page about them names them all."""

import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sampling import BOUNDS, LIMARP, MOST_BIASES, ORDER, PRESETS, SPECIAL, WARM_FIRST, SamplingSettings, matters

PAGE = Path(__file__).parents[1] / "docs" / "sampling.md"


def made(**changes: Any) -> SamplingSettings:
    return SamplingSettings(**changes)


@pytest.mark.parametrize("name", BOUNDS)
def test_both_ends_of_every_interval_are_allowed(name: str) -> None:
    for value in (BOUNDS[name].low, BOUNDS[name].high):
        assert getattr(made(**{name: value}), name) == value


@pytest.mark.parametrize("name", BOUNDS)
def test_what_lies_outside_is_refused_by_name(name: str) -> None:
    for value in (BOUNDS[name].low - 1, BOUNDS[name].high + 1, math.nan, math.inf, -math.inf, "1", True, None):
        with pytest.raises(ValueError, match=f"^{name} is .*; it must (lie|be a whole number) between"):
            made(**{name: value})


@pytest.mark.parametrize("name", [name for name, bounds in BOUNDS.items() if bounds.whole])
def test_what_is_counted_is_a_whole_number(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} is 1.5; it must be a whole number between"):
        made(**{name: 1.5})


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"^temperature is -1; .*; top_p is 2; .*; order is dry; .*$"):
        made(temperature=-1, top_p=2, order=("dry",))


def test_every_setting_is_judged() -> None:
    assert {*BOUNDS, *SPECIAL} == {field.name for field in fields(SamplingSettings)}


@pytest.mark.parametrize(
    "order", [(), ORDER[1:], (*ORDER, "dry"), (*ORDER[:-1], "top_a"), (*ORDER[:-1], 3), list(ORDER), "dry"], ids=str
)
def test_an_order_names_every_stage_once(order: object) -> None:
    with pytest.raises(ValueError, match=f"^order is .*; it must name each of these stages once: {', '.join(ORDER)}$"):
        made(order=order)


@given(st.permutations(ORDER))
def test_any_order_of_all_stages_will_do(order: list[str]) -> None:
    assert made(order=tuple(order)).order == tuple(order)


@pytest.mark.parametrize(
    ("biases", "said"),
    [
        (((-1, 1.0),), "holds a token's id that is -1; it must be a whole number"),
        (((1.5, 1.0),), "holds a token's id that is 1.5"),
        (((True, 1.0),), "holds a token's id that is True"),
        (((2**31, 1.0),), "holds a token's id that is 2147483648"),
        (((7, math.nan),), "of token 7 is nan; it must lie between -100 and 100"),
        (((7, 101.0),), "of token 7 is 101.0"),
        (((7, 1.0), (7, 2.0)), "names a token twice"),
        ((7,), "holds 7; it must hold pairs"),
        (tuple((token, 1.0) for token in range(MOST_BIASES + 1)), "must be a list of at most 1024 pairs"),
        ([(7, 1.0)], "must be a list of at most 1024 pairs"),
    ],
)
def test_a_bias_that_is_none_is_refused(biases: object, said: str) -> None:
    with pytest.raises(ValueError, match=f"^logit_bias {said}"):
        made(logit_bias=biases)


@pytest.mark.parametrize(
    ("breakers", "said"),
    [
        (("",), "holds ''; each text must have between 1 and 40 characters"),
        (("x" * 41,), "holds 'x"),
        ((1,), "holds 1"),
        (("x",) * 33, "must be a list of at most 32 texts"),
        ("\n", "must be a list of at most 32 texts"),
    ],
)
def test_a_breaker_that_is_none_is_refused(breakers: object, said: str) -> None:
    with pytest.raises(ValueError, match=f"^dry_breakers {said}"):
        made(dry_breakers=breakers)


def test_a_flag_is_true_or_false() -> None:
    with pytest.raises(ValueError, match=r"^penalize_newline is 1; it must be true or false$"):
        made(penalize_newline=1)


def test_settings_are_values_that_can_be_keys() -> None:
    biased = made(logit_bias=((7, 1.0),), order=WARM_FIRST)
    assert {biased: 1}[made(logit_bias=((7, 1.0),), order=WARM_FIRST)] == 1


def test_the_limarp_preset_is_that_of_the_model_card_and_comes_first() -> None:
    assert next(iter(PRESETS.items())) == ("limarp", LIMARP)
    assert (
        SamplingSettings(
            temperature=0.70, tail_free_z=0.90, top_k=0, top_p=1.0, min_p=0.0, repetition_penalty=1.11, penalty_range=2_048
        )
        == LIMARP
    )


def test_by_default_every_stage_but_the_draw_is_off() -> None:
    plain = SamplingSettings()

    assert (plain.tail_free_z, plain.top_p, plain.typical_p, plain.repetition_penalty, plain.temperature) == (1.0,) * 5
    assert (plain.top_k, plain.min_p, plain.presence_penalty, plain.frequency_penalty) == (0,) * 4
    assert (plain.dry_multiplier, plain.xtc_probability, plain.logit_bias) == (0, 0, ())


def test_the_page_names_every_setting_and_every_preset_and_the_order() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in (*PRESETS, *BOUNDS, *SPECIAL) if f"`{name}`" not in page] == []
    assert ", ".join(f"`{stage}`" for stage in ORDER) in " ".join(page.split())


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, set()),
        ({"temperature": 0.5}, {"temperature"}),
        ({"penalty_range": 64, "dry_range": 9, "xtc_threshold": 0.2, "penalize_newline": False}, set()),
        ({"repetition_penalty": 1.1}, {"repetition_penalty", "penalty_range"}),
        ({"presence_penalty": 1.0, "penalize_newline": False}, {"presence_penalty", "penalty_range", "penalize_newline"}),
        (
            {"dry_multiplier": 0.8},
            {"dry_multiplier", "dry_base", "dry_allowed_length", "dry_range", "dry_breakers"},
        ),
        ({"xtc_probability": 0.5}, {"xtc_probability", "xtc_threshold"}),
        ({"logit_bias": ((5, 1.0),), "order": WARM_FIRST}, {"logit_bias", "order"}),
    ],
)
def test_a_setting_matters_when_it_and_what_it_belongs_to_are_on(changes: dict[str, Any], wanted: set[str]) -> None:
    settings = made(**changes)
    assert {field.name for field in fields(SamplingSettings) if matters(settings, field.name)} == wanted


def test_half_a_letter_is_no_breaker() -> None:
    with pytest.raises(ValueError, match="must be Unicode"):
        made(dry_breakers=("\ud800",))
