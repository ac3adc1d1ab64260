"""The age gate fails closed: whatever is not rated general is not played."""

from itertools import product

import pytest

from bot.story.policy import Rating, is_adult, refusal


def test_only_general_is_not_adult() -> None:
    assert {rating for rating in Rating if not is_adult(rating)} == {Rating.GENERAL}


@pytest.mark.parametrize(("model", "character", "session"), list(product(Rating, repeat=3)))
def test_only_what_is_general_in_every_part_may_be_played(model: Rating, character: Rating, session: Rating) -> None:
    sentence = refusal(model=model, character=character, session=session)

    assert (sentence is None) == ({model, character, session} == {Rating.GENERAL})


def test_the_refusal_names_each_part_that_blocks_and_the_way_out() -> None:
    sentence = refusal(model=Rating.GENERAL, character=Rating.UNRATED, session=Rating.ADULT)

    assert sentence is not None
    assert "the character is unrated and the session is adult" in sentence
    assert "the model" not in sentence
    assert 'rate it "general"' in sentence
