"""The operator's list: whole words, whatever they are spelled with, and lines that are refused with a reason."""

# ruff: noqa: RUF001
# Letters that look alike are what is tested here.

import pytest

from bot.errors import Refused
from bot.safety.blocklist import LONGEST, MOST_LINES, Blocklist
from bot.safety.concern import Concern, Reason


def listed(*lines: str) -> Blocklist:
    return Blocklist.from_lines(lines)


@pytest.mark.parametrize("text", ["Thunder!", "the THUNDER rolls", "thun\u200bder", "thuոder", "(thunder)", "thunder"])
def test_a_word_is_found_however_it_is_spelled(text: str) -> None:
    assert listed("Thunder").find(text) is not None


@pytest.mark.parametrize("text", ["thunders", "athunder", "thun der", "under"])
def test_other_words_are_left_alone(text: str) -> None:
    assert listed("thunder").find(text) is None


@pytest.mark.parametrize(
    ("line", "text"), [("red lantern", "a Red,  lantern"), ("don't look", "Don’t look!"), ("ÉCLAIR", "eclair")]
)
def test_a_phrase_is_found_across_spaces_and_signs(line: str, text: str) -> None:
    assert listed(line).find(text) is not None


def test_a_phrase_is_not_found_across_other_words_or_far_apart() -> None:
    assert listed("red lantern").find("red old lantern") is None
    assert listed("red lantern").find("red. ... lantern") is None


@pytest.mark.parametrize(("line", "text", "is_found"), [
    ("lan*", "lantern", True), ("lan*", "lan", True), ("*tern", "lantern", True), ("l*n", "lantern", True),
    ("l*n", "lanterns", False),
    ("red lan*", "red lanterns", True), ("lan*", "plan", False), ("*tern light", "lantern light", True),
])  # fmt: skip
def test_a_star_stands_for_any_letters_of_a_word(line: str, text: str, is_found: bool) -> None:  # noqa: FBT001 a parameter of tests
    assert (listed(line).find(text) is not None) is is_found


def test_what_is_found_says_where_and_not_which() -> None:
    assert listed("red lantern").find("The red lantern.") == Concern(Reason.BLOCKED, 4, 15)


def test_signs_of_patterns_mean_themselves() -> None:
    assert listed("a.c").find("abc") is None
    assert listed("a.c").find("a.c") is not None


def test_comments_and_empty_lines_say_nothing() -> None:
    assert listed("", "  ", "# thunder").phrases == ()
    assert listed("", "# x").find("thunder") is None


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("*", "two letters"),
        ("a*", "two letters"),
        ("...", "two letters"),
        ("x" * (LONGEST + 1), "longer"),
        ("a*b*c*d", "stars"),
    ],
)
def test_a_line_that_cannot_serve_is_refused_by_its_number(line: str, why: str) -> None:
    with pytest.raises(Refused, match=f"Line 2 .*{why}"):
        listed("thunder", line)


def test_a_list_without_end_is_refused() -> None:
    with pytest.raises(Refused, match="shorten it"):
        Blocklist.from_lines("word" for _ in range(MOST_LINES + 1))
