"""The table of lengths that a configuration may name: used as it is, or refused with what is wrong with it."""

import json
from pathlib import Path

import pytest

from adapters.config import read
from adapters.config.handing import Errand, taken
from adapters.config.kinds import LONGEST_TABLE
from bot.errors import ConfigMistakes
from bot.story.settings import Length

TABLE = {"fingerprint": "mine", "lengths": {"short": {"median": 49, "most": 90}}}


def a_file(folder: Path, content: bytes) -> Path:
    (folder / "lengths.json").write_bytes(content)
    path = folder / "understudy.toml"
    path.write_text('[model]\nlengths = "lengths.json"\n', encoding="utf-8")
    return path


def test_a_table_is_found_from_the_folder_of_the_file_that_names_it_and_a_child_finds_it_too(tmp_path: Path) -> None:
    config = read(a_file(tmp_path, json.dumps(TABLE).encode()), {})
    assert config.model.configured_lengths["mine"].most == {Length.SHORT: 90}
    assert len(config.model.length_tables) == 2
    assert taken(Errand(config=config, log_level=20).line).config.model.lengths == str(tmp_path / "lengths.json")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"no json", "Expecting value"),
        (b'{"model": "\xc3("}', "can't decode"),
        (b"[" * 60_000, "nested too deeply"),
        (b" " * (LONGEST_TABLE + 1), f"more than {LONGEST_TABLE} bytes"),
        (b'{"lengths": {}}', 'names no "fingerprint"'),
        (b'{"fingerprint": "x", "lengths": {"endless": {"median": 1}}}', "must have the modifiers as keys"),
        (b'{"fingerprint": "x", "lengths": {"short": {"median": 50, "most": 49}}}', "the median no larger than the most"),
        (b'{"fingerprint": "x", "lengths": {"short": {"median": ' + b"9" * 5_000 + b"}}}", "digits"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(ConfigMistakes) as wrong:
        read(a_file(tmp_path, content), {})
    [sentence] = wrong.value.mistakes
    assert "[model] lengths names" in sentence
    assert "which is no table of lengths" in sentence
    assert why in sentence
    assert "bench-story" in sentence


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = a_file(tmp_path, b"")
    (tmp_path / "lengths.json").unlink()
    with pytest.raises(ConfigMistakes, match="which does not exist"):
        read(path, {})


def test_a_table_that_is_spoilt_after_it_was_read_is_a_mistake_too(tmp_path: Path) -> None:
    config = read(a_file(tmp_path, json.dumps(TABLE).encode()), {})
    (tmp_path / "lengths.json").write_text("{}")
    with pytest.raises(ConfigMistakes, match="no table of lengths"):
        dict(config.model.length_tables)
