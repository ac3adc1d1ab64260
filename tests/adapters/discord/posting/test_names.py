"""A character's name as a webhook's: within Discord's rules whatever a card calls it, and still itself to the eye."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.discord.posting.names import FALLBACK, HAIR, line_of, webhook_name

REFUSED = ("clyde", "discord", "everyone")


def wide(text: str) -> str:
    """The text in letters of twice the width, as East Asian typesetting has them."""
    return "".join(chr(ord(each) + 0xFEE0) for each in text)


NAMES = st.one_of(
    st.text(),
    st.text("clydeisorvnhCLYDEISORVNHIl10@#:` \u200b\u0301é", max_size=120),
    st.lists(
        st.sampled_from([*REFUSED, "here", "Discord", wide("discord"), wide("CLYDE"), "e\u0301", "\U0001d520", " ", HAIR])
    ).map("".join),
)


def folded(text: str) -> str:
    """As a careless reader, or Discord's check, takes it."""
    apart = unicodedata.normalize("NFKD", text).casefold()
    return "".join(each for each in apart if not unicodedata.combining(each) and unicodedata.category(each) != "Cf")


@given(NAMES)
@example("x" * 77 + "clyde")
@example("clyde" * 40)
@example("c" * 90 + "lyde")
@example("\u0301" * 200)
@example("\ud800")
def test_any_name_becomes_one_that_discord_takes(name: str) -> None:
    made = webhook_name(name)
    assert 1 <= len(made) <= 80
    assert made == made.strip()
    assert not any(word in folded(made) for word in REFUSED)
    assert "here" not in folded(made).split()
    assert not set(made) & set("@#:`\n\t")
    assert not any(unicodedata.category(each) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for each in made)


@given(NAMES)
def test_the_line_above_a_post_is_one_bold_line(name: str) -> None:
    line = line_of(name)
    assert line.startswith("**")
    assert line.endswith("**")
    assert 5 <= len(line) <= 84
    assert "*" not in line[2:-2]
    assert "\n" not in line


@pytest.mark.parametrize(
    "name", ["Mira", "Dr. O'Hara-Voss", "Mira & Tobias", "Ярослава", "美羽", "M i r a", "K-9 (old)", "Ægir 👑"]
)
def test_an_ordinary_name_is_left_alone(name: str) -> None:
    assert webhook_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "Clyde",
        "cLyDe",
        "Discordia",
        "Bonnie and Clyde",
        "d\u0456scord",
        "DISC0RD",
        "cIyde",
        wide("D") + "iscord",
        "díscord",
        "Everyone",
        "here",
    ],
)
def test_a_refused_word_is_broken_by_a_hair_and_reads_the_same(name: str) -> None:
    made = webhook_name(name)
    assert HAIR in made
    assert made.replace(HAIR, "") == name


def test_what_cannot_be_seen_does_not_hide_a_refused_word() -> None:
    assert webhook_name("Cly\u200bde") == f"C{HAIR}lyde"


def test_words_that_hold_a_refused_one_by_chance_are_left_alone() -> None:
    assert webhook_name("Somewhere There") == "Somewhere There"


@pytest.mark.parametrize("name", ["", "  ", "\u200b\u2060", "@@@", "```", "\n", "..."])
def test_who_has_no_name_is_called_character(name: str) -> None:
    assert webhook_name(name) == FALLBACK


def test_signs_that_mean_something_and_lines_become_blanks() -> None:
    assert webhook_name("Mira:\n the  @Bold #1 `x`") == "Mira the Bold 1 x"
    assert line_of("*Mi_ra*") == "**Mi ra**"


def test_a_long_name_is_cut_between_whole_characters() -> None:
    assert webhook_name("e\u0301" * 60) == "e\u0301" * 40
