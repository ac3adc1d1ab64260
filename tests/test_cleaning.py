"""What comes from outside is stored without what could harm, and otherwise as it is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cleaning import clean_input, clean_name, mended_name
from bot.errors import Refused

odd = st.sampled_from(["\r\n", "\r", "\u2028", "\x00", "\u202e", "\ud83d", "\u200b", "\u3164", " ", "\t"])
hostile = st.lists(odd | st.text(), max_size=12).map("".join)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("one\r\ntwo\rthree\u2028four\x85five", "one\ntwo\nthree\nfour\nfive"),
        ("a\x00b\x1b[31mc\x7fd\x9fe\tf", "ab[31mcde\tf"),
        ("\ud83d and \udc00", "\ufffd and \ufffd"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("\u200fשלם\u200f", "\u200fשלם\u200f"),
        ("👩‍👩‍👧 e\u0301", "👩‍👩‍👧 e\u0301"),
        ("  <script>alert(1)</script>\n", "<script>alert(1)</script>"),
        ("### Input:", "### Input:"),
    ],
)
def test_a_post_is_stored_without_what_could_harm_and_otherwise_as_it_is(text: str, stored: str) -> None:
    assert clean_input(text, 100) == stored


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b\ufeff", "\x00\x07", "\u202e\u202c", "\u3164", "\u0301"])
def test_a_post_with_nothing_to_see_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="nothing to read"):
        clean_input(text, 100)


def test_a_post_of_a_megabyte_is_refused_with_its_length_and_the_way_out() -> None:
    with pytest.raises(Refused, match=r"1,048,576 characters.*at most 20,000.*stored.*in parts"):
        clean_input("x" * 1_048_576, 20_000)


def test_a_post_may_be_as_long_as_the_limit() -> None:
    assert clean_input("x" * 10 + "\n", 10) == "x" * 10


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("Tobias", "Tobias"),
        (" Elin\nthe  Red\t", "Elin the Red"),
        ("Ma\x00ra\u202e", "Mara"),
        ("n" * 40, "n" * 40),
        ("Nº #1", "Nº #1"),
    ],
)
def test_a_name_is_stored_on_one_line(name: str, stored: str) -> None:
    assert clean_name(name) == stored


@pytest.mark.parametrize("name", ["", " \n", "\u200b", "n" * 41, "Tobias:", "a\uff1ab", "# Response", "\uff03x", "\u200b#x"])
def test_a_name_that_cannot_stand_before_a_colon_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="name"):
        clean_name(name)


@settings(deadline=None)
@given(text=hostile)
def test_cleaning_what_was_cleaned_changes_nothing(text: str) -> None:
    try:
        stored = clean_input(text, 10_000)
    except Refused:
        return
    assert clean_input(stored, 10_000) == stored


@pytest.mark.parametrize(
    ("name", "mended"),
    [
        ("Tobias", "Tobias"),
        ("a: b", "a, b"),
        ("### Input", "Input"),
        ("\u200b", ""),
        ("word " * 10, "word word word word word word word word"),
    ],
)
def test_a_mended_name_can_stand_before_a_colon_or_is_empty(name: str, mended: str) -> None:
    assert mended_name(name) == mended
    assert not mended or clean_name(mended) == mended
