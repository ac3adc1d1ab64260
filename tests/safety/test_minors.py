"""Where the check on minors looks, what it says, and what it takes no notice of."""

import importlib
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.safety.ages import BORN
from bot.safety.concern import Concern, Reason
from bot.safety.minors import RULES, find_minor
from bot.safety.rule import MATCH, Rule


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("She is 15.", Reason.STATED_AGE),
        ("She turns eighteen next month.", Reason.STATED_AGE),
        ("A middle schooler.", Reason.SCHOOL),
        ("A toddler.", Reason.LIFE_STAGE),
        ("She looks twelve.", Reason.APPEARANCE),
        ("His young nephew.", Reason.RELATION),
        ("A loli.", Reason.SLANG),
        ("f-i-f-t-e-e-n", Reason.DISGUISE),
    ],
)
def test_a_concern_says_why(text: str, reason: Reason) -> None:
    found = find_minor(text)
    assert found is not None
    assert found.reason is reason


def test_a_concern_says_where_and_holds_no_words() -> None:
    text = "The lamp burns. He\u200b is  *fif*teen, they say."
    found = find_minor(text)
    assert found is not None
    assert text[found.start : found.end] == "fif*teen"
    assert {type(getattr(found, name)) for name in found.__slots__} == {Reason, int}


def test_the_first_place_is_told_whatever_rule_finds_it() -> None:
    found = find_minor("A loli stood there. She is 15.")
    assert found == Concern(Reason.SLANG, 2, 6)


@pytest.mark.parametrize(
    "claim", ["18 but looks 12", "She is sixteen, legally an adult in her world.", "All are over 18. She is 15."]
)
def test_an_adult_age_that_is_claimed_changes_nothing(claim: str) -> None:
    assert find_minor(claim) is not None


def test_an_answer_is_understood_by_the_question_before_it() -> None:
    assert find_minor("“Fifteen.”", before="He sat down.\n“How old are you?”") == Concern(Reason.STATED_AGE, 1, 8)
    assert find_minor("“Fifteen.”") is None
    assert find_minor("“Thirty. I have sailed for fifteen years.”", before="“How old are you?”") is None


def test_what_stands_before_is_not_judged_again() -> None:
    assert find_minor("Nothing else happened.", before="She is 15. ") is None


def test_a_phrase_that_began_before_is_found_from_the_first_character() -> None:
    assert find_minor("years old.", before="She is 15") == Concern(Reason.STATED_AGE, 0, 9)


@pytest.mark.parametrize(("year", "is_found"), [(None, False), (2026, True), (2030, True), (2031, False), (2011, False)])
def test_a_year_of_birth_speaks_only_beside_the_year_that_is_now(year: int | None, is_found: bool) -> None:  # noqa: FBT001 a parameter
    assert (find_minor("She was born in 2012.", year=year) is not None) is is_found


def test_a_memory_is_excused_but_not_near_intimacy() -> None:
    assert find_minor("When she was twelve, her family moved to the coast.") is None
    assert find_minor("When she was twelve, they kissed behind the boat house.") is not None
    assert find_minor("Flashback, at the old house: when she was twelve.") is not None


@pytest.mark.parametrize("text", ["", " ", "\n\n", "…", "\u200b", "*", "||", "\ud800", "a" * 3_000])
def test_odd_texts_are_judged_like_others(text: str) -> None:
    assert find_minor(text) is None


@pytest.mark.parametrize(
    "pattern", [*(rule.looks_for for rule in RULES), *(rule.unless for rule in RULES if rule.unless), BORN]
)
def test_no_pattern_repeats_without_a_bound(pattern: re.Pattern[str]) -> None:
    plain = re.sub(r"\\.|\[[^\]]*\]", "x", pattern.pattern)
    assert not re.search(r"[*+]|\{\d+,\}", plain)


@given(st.text(max_size=300))
def test_no_text_breaks_it_and_a_place_lies_in_the_text(text: str) -> None:
    found = find_minor(text, before="How old are you?", year=2026)
    assert found is None or 0 <= found.start < found.end <= len(text)


@pytest.mark.parametrize("each", RULES)
def test_no_match_is_longer_than_what_is_held_back_for_it(each: Rule) -> None:
    parser = importlib.import_module("re._parser")  # the standard library's own count of how long a match can be
    _, longest = parser.parse(each.looks_for.pattern).getwidth()
    assert longest <= MATCH


@pytest.mark.parametrize("each", [each for each in RULES if each.cues], ids=lambda each: str(each.cues))
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_match_holds_one_of_the_cues_that_it_is_looked_for_by(each: Rule, data: st.DataObject) -> None:
    match = data.draw(st.from_regex(each.looks_for)).lower()
    found = each.looks_for.search(match)
    assert found is None or any(cue in match for cue in each.cues)
