"""Choosing among borders."""

from bot.chunking.borders import Level
from bot.chunking.cutting import BALANCE, FLOORS, Cutter
from bot.chunking.lengths import Ruler
from bot.chunking.markup import Carried
from bot.posts import LengthUnit

CUTTER = Cutter(Ruler(LengthUnit.CODE_POINTS), 60)


def test_every_level_has_a_floor_and_a_place_in_balancing() -> None:
    assert set(FLOORS) == set(BALANCE) == set(Level)


def test_a_border_too_early_is_passed_over_for_a_lower_one() -> None:
    assert len(CUTTER.first("He left. And then," + " came" * 40, Carried()).source) == 58


def test_a_link_that_fits_the_next_post_is_not_parted() -> None:
    first = CUTTER.first("He left for https://example.org/" + "a" * 30 + " then" * 30, Carried())
    assert first.source == "He left for"


def test_a_word_longer_than_a_post_begins_where_it_stands() -> None:
    assert len(CUTTER.first("He left for " + "a" * 300, Carried()).source) == 60


def test_two_last_posts_are_parted_near_the_middle() -> None:
    text = "word " * 18 + "end"
    assert abs(len(CUTTER.last(text, Carried()).source) - len(text) / 2) <= 5


def test_a_last_word_without_borders_is_halved() -> None:
    assert len(CUTTER.last("a" * 61, Carried()).source) == 31


def test_marks_that_would_fill_half_of_a_post_are_left_alone() -> None:
    cutter = Cutter(Ruler(LengthUnit.CODE_POINTS), 10)
    assert cutter.first("```python\n" + "rain " * 10, Carried()).added == ()
