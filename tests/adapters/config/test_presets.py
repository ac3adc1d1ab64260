"""SillyTavern's preset files in the place of formats and sampler presets of our own."""

import json
from pathlib import Path

import pytest

from adapters.config.presets import format_with, sampling_of
from adapters.config.settings import SamplingConfig
from bot.errors import Refused
from bot.prompt.format import ALPACA, LIMARP

INSTRUCT = {
    "name": "Mine",
    "input_sequence": "<|user|>",
    "output_sequence": "<|model|>",
    "system_sequence": "<|system|>",
    "wrap": True,
    "names_behavior": "always",
}
SAMPLER = {"temp": 0.61, "rep_pen": 1.07, "top_p": 0.93}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    texts = {"instruct": json.dumps(INSTRUCT), "sampler": json.dumps(SAMPLER), "nothing": "[]"}
    for name, text in texts.items():
        (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
    return {name: str(tmp_path / f"{name}.json") for name in texts}


def test_an_instruct_template_takes_the_place_of_the_format(files: dict[str, str]) -> None:
    chosen = format_with((files["instruct"],), LIMARP)
    assert chosen.player_before == "<|user|>\n"
    assert chosen.character_before == "<|model|>\n"
    assert chosen.name == "Mine"


def test_without_files_the_format_is_as_it_was() -> None:
    assert format_with((), ALPACA) is ALPACA


def test_a_sampler_preset_takes_the_place_of_the_named_one_and_single_settings_go_before_it(files: dict[str, str]) -> None:
    chosen = SamplingConfig(preset_file=files["sampler"], top_p=0.5).settings
    assert (chosen.temperature, chosen.repetition_penalty, chosen.top_p) == (0.61, 1.07, 0.5)


def test_a_file_in_the_wrong_place_is_refused_with_the_right_one(files: dict[str, str]) -> None:
    with pytest.raises(Refused, match=r"sampler files go to \[sampling\]"):
        format_with((files["sampler"],), LIMARP)
    with pytest.raises(Refused, match=r"templates go to \[model\] presets"):
        sampling_of(files["instruct"])


def test_a_file_that_is_no_preset_or_is_gone_is_refused_by_its_name(files: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"nothing\.json cannot be used"):
        format_with((files["nothing"],), LIMARP)
    with pytest.raises(Refused, match=r"gone\.json cannot be read"):
        sampling_of(str(tmp_path / "gone.json"))
