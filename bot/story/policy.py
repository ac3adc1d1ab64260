"""Who may play what: ratings, and the rule that fails closed. It decides; others show the sentence."""

from collections.abc import Iterable
from enum import StrEnum


class Rating(StrEnum):
    """The audience that a model, a character or a session is made for."""

    GENERAL = "general"
    ADULT = "adult"
    UNRATED = "unrated"


def is_adult(rating: Rating) -> bool:
    """Whether a rating counts as adult: whatever is not rated general does."""
    return rating is not Rating.GENERAL


def refusal(*, model: Rating, cast: Iterable[Rating], session: Rating, adults_only: bool) -> str | None:
    """Why this may not be played, as one sentence for the person who asked; None when it may.

    `cast` are the ratings of the characters; `adults_only` says that the place lets in nobody but adults. A session for a
    general audience stays one: no adult character plays in it, wherever it is.
    """
    characters = [rating for rating in cast if is_adult(rating)]
    if session is Rating.GENERAL and characters:
        return (
            f"This cannot be played: the story is for a general audience, and the character is {characters[0]}."
            ' If the character is made for a general audience, rate it "general".'
        )
    rated = {"model": model, "character": characters[0] if characters else Rating.GENERAL, "session": session}
    blocked = [f"the {part} is {rating}" for part, rating in rated.items() if is_adult(rating)]
    if adults_only or not blocked:
        return None
    return (
        f"This cannot be played here: {' and '.join(blocked)}, and whatever is unrated counts as adult. Adult play needs a"
        ' place that is marked for adults only. If it is made for a general audience, rate it "general".'
    )
