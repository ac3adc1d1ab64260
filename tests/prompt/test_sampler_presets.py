"""SillyTavern's sampler presets give the settings that they gave there; what cannot be followed is said."""

import json

import pytest

from bot.prompt.presets import Preset, read_preset
from bot.sampling import LIMARP, ORDER, WARM_FIRST, SamplingSettings


def read(preset: object) -> Preset:
    return read_preset(json.dumps(preset).encode())


def test_a_kobold_preset_is_read_with_its_order() -> None:
    found = read(
        {"temp": 0.7, "rep_pen": 1.11, "rep_pen_range": 2048, "top_p": 1, "min_p": 0, "top_a": 0, "top_k": 0, "typical": 1}
        | {
            "tfs": 0.9,
            "rep_pen_slope": 0,
            "sampler_order": [6, 0, 1, 3, 4, 2, 5],
            "mirostat": 0,
            "mirostat_tau": 5,
            "grammar": "",
        }
    )

    assert found == Preset("imported", sampling=LIMARP)


def test_a_textgen_preset_is_read_with_its_own_order_and_names() -> None:
    found = read(
        {
            "temp": 1.25,
            "temperature_last": False,
            "min_p": 0.1,
            "freq_pen": 0.1,
            "presence_pen": 0.2,
            "typical_p": 0.9,
            "dry_multiplier": 0.8,
            "dry_base": 1.5,
            "dry_allowed_length": 3,
            "dry_penalty_last_n": 512,
            "dry_sequence_breakers": '["\\n", ":"]',
            "xtc_probability": 0.5,
            "xtc_threshold": 0.2,
            "rep_pen_range": 1024,
            "top_k": 40.0,
            "sampler_priority": [
                "repetition_penalty",
                "dry",
                "temperature",
                "top_k",
                "tfs",
                "typical_p",
                "top_p",
                "min_p",
                "xtc",
            ],
            "samplers": ["top_k", "temperature"],
            "sampler_order": [6, 0, 1, 3, 4, 2, 5],
        }
    )

    assert found.notes == ()
    assert found.sampling == SamplingSettings(
        temperature=1.25,
        min_p=0.1,
        frequency_penalty=0.1,
        presence_penalty=0.2,
        typical_p=0.9,
        dry_multiplier=0.8,
        dry_base=1.5,
        dry_allowed_length=3,
        dry_range=512,
        dry_breakers=("\n", ":"),
        xtc_probability=0.5,
        xtc_threshold=0.2,
        penalty_range=1024,
        top_k=40,
        order=WARM_FIRST,
    )


@pytest.mark.parametrize(
    ("changes", "order"),
    [
        ({}, ORDER),
        ({"sampler_priority": ["temperature", "top_k"], "temperature_last": True}, ORDER),
        ({"samplers": ["dry", "temperature"]}, ORDER),
        (
            {"sampler_order": [5, 6]},
            ("temperature", "penalties", "dry", "top_k", "tail_free", "typical", "top_p", "min_p", "xtc"),
        ),
        ({"sampler_order": "6, 0"}, ORDER),
        ({"sampler_order": [[], 9, None]}, ORDER),
    ],
)
def test_an_order_that_names_some_stages_is_completed(changes: dict[str, object], order: tuple[str, ...]) -> None:
    settings = read({"temp": 1, **changes}).sampling

    assert settings is not None
    assert settings.order == order


def test_settings_that_are_missed_or_impossible_are_named_and_those_that_are_off_are_not() -> None:
    found = read(
        {"temp": 9, "top_p": "much", "top_a": 0.2, "mirostat_mode": 2, "epsilon_cutoff": 0, "dynatemp": True, "odd": 1}
    )

    assert found.sampling == SamplingSettings()
    assert found.notes == (
        "`top_a` is not understood and was left out.",
        "`mirostat_mode` is not understood and was left out.",
        "`odd` is not understood and was left out.",
        "`temp` is 9; it must lie between 0 and 5; it was left out.",
        "`top_p` is much; it must lie between 0 and 1; it was left out.",
        "`dynatemp` is not offered: the temperature stays the same throughout.",
    )


def test_a_penalty_over_the_whole_context_has_the_usual_range_here_and_that_is_said() -> None:
    found = read({"temp": 1, "rep_pen": 1.1, "rep_pen_range": 0})

    assert found.sampling == SamplingSettings(repetition_penalty=1.1)
    assert found.notes == ("A penalty range of 0 means the whole context there; the last 2,048 tokens are looked at here.",)
    assert read({"temp": 1, "rep_pen": 1, "rep_pen_range": 0}).notes == ()


def test_no_sampling_takes_the_likeliest_token() -> None:
    assert read({"temp": 1, "do_sample": False}).sampling == SamplingSettings(temperature=0.0)
