"""A reply may be as long as its modifier means with the model that writes it, and never eats the context."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.prompt.length import LengthTable, longer, match_length, reply_budget, shorter, table_of
from bot.story.settings import Length

TABLE = LengthTable({Length.SHORT: 50, Length.LONG: 200, Length.UNLIMITED: 900}, {Length.SHORT: 80, Length.LONG: 700})


@pytest.mark.parametrize(
    ("length", "context", "budget"),
    [
        (Length.SHORT, 4_096, 80),
        (Length.SHORT, 200, 50),  # a quarter of so small a context is less
        (Length.LONG, 2_048, 512),
        (Length.UNLIMITED, 4_096, 1_024),  # measured, but its longest replies were cut
        (Length.MICRO, 4_096, 1_024),  # not measured
        (None, 4_096, 1_024),
    ],
)
def test_with_a_table_a_reply_may_have_what_was_measured_and_a_quarter_at_most(
    length: Length | None, context: int, budget: int
) -> None:
    assert reply_budget(length, context, TABLE) == budget


@pytest.mark.parametrize("length", [*Length, None])
@pytest.mark.parametrize(("context", "budget"), [(1, 1), (512, 128), (2_048, 512), (8_192, 2_048)])
def test_without_a_table_only_the_context_limits_a_reply(length: Length | None, context: int, budget: int) -> None:
    assert reply_budget(length, context) == budget


@pytest.mark.parametrize(
    ("tokens", "length"),
    [(0, Length.SHORT), (50, Length.SHORT), (99, Length.SHORT), (101, Length.LONG), (5_000, Length.LONG)],
)
def test_a_post_is_matched_with_the_nearest_median_that_was_measured(tokens: int, length: Length) -> None:
    assert match_length(tokens, TABLE) is length


@pytest.mark.parametrize(
    ("words", "length"), [(1, Length.MICRO), (45, Length.SHORT), (90, Length.MEDIUM), (10_000, Length.HUMONGOUS)]
)
def test_without_a_table_a_post_is_matched_by_its_words(words: int, length: Length) -> None:
    assert match_length(words, None) is length


@given(st.integers(0, 5_000), st.integers(0, 5_000))
def test_a_longer_post_never_asks_for_less(one: int, other: int) -> None:
    order = list(Length)
    few, many = sorted((one, other))
    assert order.index(match_length(few, None)) <= order.index(match_length(many, None))


def test_a_table_that_knows_nothing_but_unlimited_matches_by_words() -> None:
    assert match_length(90, LengthTable({Length.UNLIMITED: 900}, {})) is Length.MEDIUM


def test_shorter_and_longer_go_along_the_scale_and_stop_at_its_ends() -> None:
    assert [shorter(length) for length in Length] == [Length.MICRO, *list(Length)[:-1]]
    assert [longer(length) for length in Length] == [*list(Length)[1:], Length.UNLIMITED]
    assert (shorter(None), longer(None)) == (Length.SHORT, Length.LONG)


def test_a_table_is_read_with_the_model_that_it_belongs_to() -> None:
    lengths = {"short": {"median": 49, "most": 90, "replies": 72}, "unlimited": {"median": 838}}
    fingerprint, table = table_of({"model": "a demo", "fingerprint": "abc", "lengths": lengths})
    assert fingerprint == "abc"
    assert table.median == {Length.SHORT: 49, Length.UNLIMITED: 838}
    assert table.most == {Length.SHORT: 90}


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"fingerprint": "", "lengths": {"short": {"median": 1}}},
        {"fingerprint": "abc"},
        {"fingerprint": "abc", "lengths": {}},
        {"fingerprint": "abc", "lengths": {"endless": {"median": 1}}},
        {"fingerprint": "abc", "lengths": {"short": 5}},
        {"fingerprint": "abc", "lengths": {"short": {"most": 5}}},
        {"fingerprint": "abc", "lengths": {"short": {"median": 0}}},
        {"fingerprint": "abc", "lengths": {"short": {"median": True}}},
        {"fingerprint": "abc", "lengths": {"short": {"median": 1.5}}},
        {"fingerprint": "abc", "lengths": {"short": {"median": 10**30}}},
        {"fingerprint": "abc", "lengths": {"short": {"median": 50, "most": 49}}},
        {"fingerprint": "abc", "lengths": {"short": {"median": 50, "most": None}}},
    ],
)
def test_what_is_no_table_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        table_of(document)
