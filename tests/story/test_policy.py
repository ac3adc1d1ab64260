"""The age gate fails closed: what is not rated general is played in places for adults only, and nowhere else."""

from itertools import product

import pytest

from bot.story.policy import Rating, is_adult, refusal

ANY = list(product(Rating, repeat=3))


def test_only_general_is_not_adult() -> None:
    assert {rating for rating in Rating if not is_adult(rating)} == {Rating.GENERAL}


@pytest.mark.parametrize(("model", "character", "session"), ANY)
def test_in_a_place_for_everybody_only_what_is_general_in_every_part_may_be_played(
    model: Rating, character: Rating, session: Rating
) -> None:
    sentence = refusal(model=model, cast=(character,), session=session, adults_only=False)
    assert (sentence is None) == ({model, character, session} == {Rating.GENERAL})


@pytest.mark.parametrize(("model", "character", "session"), ANY)
def test_in_a_place_for_adults_a_general_story_still_takes_no_adult_character(
    model: Rating, character: Rating, session: Rating
) -> None:
    sentence = refusal(model=model, cast=(Rating.GENERAL, character), session=session, adults_only=True)
    assert (sentence is not None) == (session is Rating.GENERAL and is_adult(character))


def test_the_refusal_names_each_part_that_blocks_and_the_way_out() -> None:
    sentence = refusal(model=Rating.GENERAL, cast=(Rating.UNRATED,), session=Rating.ADULT, adults_only=False)

    assert sentence is not None
    assert "the character is unrated and the session is adult" in sentence
    assert "the model" not in sentence
    assert "marked for adults only" in sentence
    assert 'rate it "general"' in sentence
