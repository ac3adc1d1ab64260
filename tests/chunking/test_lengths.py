"""Lengths in both units."""

import pytest

from bot.chunking.lengths import Ruler
from bot.posts import LengthUnit


@pytest.mark.parametrize(("length", "characters"), [(-1, 0), (0, 0), (1, 1), (2, 1), (3, 2), (6, 2), (7, 3), (8, 4), (99, 4)])
def test_bytes_that_make_no_whole_character_do_not_count(length: int, characters: int) -> None:
    assert Ruler(LengthUnit.BYTES).fitting("aé😀b", length) == characters


def test_code_points_are_counted_as_they_are() -> None:
    ruler = Ruler(LengthUnit.CODE_POINTS)
    assert ruler.measure("aé😀b") == ruler.fitting("aé😀b", 4) == 4


def test_lone_surrogates_count_three_bytes() -> None:
    assert Ruler(LengthUnit.BYTES).measure("\ud800") == 3
