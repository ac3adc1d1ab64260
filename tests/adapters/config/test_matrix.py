"""The section [matrix]: ids are ids, and the account lies in the data folder."""

from pathlib import Path

import pytest

from tests.adapters.config.test_reading import config_of, mistakes_in


def test_the_account_lies_in_the_data_folder(tmp_path: Path) -> None:
    config = config_of(tmp_path, f'[storage]\ndirectory = "{tmp_path}/data"\n')
    assert config.matrix_folder == tmp_path / "data" / "matrix"


@pytest.mark.parametrize(
    "text",
    [
        'operators = ["@you:example.org", "@You.2=/x:[::1]:8448"]',
        'servers = ["*", "example.org:8448"]',
        'rooms = ["!room:example.org", "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM"]',
        'prefix = "!story"',
    ],
)
def test_ids_of_every_form_are_taken(tmp_path: Path, text: str) -> None:
    config_of(tmp_path, f"[matrix]\n{text}\n")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('operators = ["you"]', "a user id"),
        ('users = ["@you"]', "a user id"),
        ('servers = ["https://example.org"]', "the name of a homeserver"),
        ('rooms = ["#tavern:example.org"]', "the id of a room"),
        ('prefix = "! rp"', "without a space"),
        ('prefix = ""', "some text"),
        ("start_level = 101", "100 or less"),
        ("catch_up_hours = -1", "0 or more"),
    ],
)
def test_what_makes_no_sense_is_said_with_its_section_and_what_would(tmp_path: Path, text: str, wanted: str) -> None:
    [mistake] = mistakes_in(tmp_path, f"[matrix]\n{text}\n")
    assert "[matrix" in mistake
    assert wanted in mistake
