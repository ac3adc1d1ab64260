"""A folded text reads alike whatever it was written with, and leads back to its source."""

# ruff: noqa: RUF001
# Letters that look alike are what is tested here.

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.safety.fold import fold, fold_letters


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ("She is fifteen", "she is 15"),
        ("twenty-one and twenty", "21 and 20"),
        ("her tenth birthday", "her 10th birthday"),
        ("three hundred and fifteen ships", "999 ships"),
        ("no one, the first one", "no one, the first one"),
        ("one year old", "1 year old"),
        ("ｆｉｆｔｅｅｎ", "15"),
        ("she is ⑮", "she is 15"),
        ("\u0661\u0665", "15"),
        ("fif\u200bteen", "15"),
        ("*fif*teen", "15"),
        ("||fifteen||", "15"),
        ("sіхtееn", "16"),
        ("s1xteen", "16"),
        ("t33n", "teen"),
        ("15yo", "15yo"),
        ("teeeeen", "teen"),
        ("a  \t b\n\n c", "a b\nc"),
        ("Mädchen, niña, nin\u0303a", "madchen, niña, niña"),
        ("“it’s”", '"it\'s"'),
        ("17½", "17 1/2"),
        ("1️⃣5️⃣", "15"),
        ("\U0001d41f\U0001d422\U0001d41f\U0001d42d\U0001d41e\U0001d41e\U0001d427", "15"),
    ],
)
def test_one_spelling_is_read_for_all(source: str, read: str) -> None:
    assert fold(source).text == read


def test_lists_of_words_see_numbers_as_they_are_written() -> None:
    assert fold_letters("Fif\u200bteen 15").text == "fifteen 15"


def test_a_stretch_leads_back_to_what_it_came_from() -> None:
    source = "She  is *fif*teen now"
    folded = fold(source)
    start = folded.text.index("15")
    first, last = folded.source(start, start + 2)
    assert source[first:last] == "fif*teen"


@given(st.text(max_size=80) | st.text("a1 *|~fiten-onehudr\u0303ñ", max_size=80))
def test_every_character_that_is_read_has_a_place_and_they_go_up(source: str) -> None:
    folded = fold(source)
    assert len(folded.places) == len(folded.text)
    assert folded.places == sorted(folded.places)
    assert all(0 <= place < len(source) for place in folded.places)
