"""Who may play what: ratings, and the rule that fails closed. It decides; others show the sentence."""

from enum import StrEnum


class Rating(StrEnum):
    """The audience that a model, a character or a session is made for."""

    GENERAL = "general"
    ADULT = "adult"
    UNRATED = "unrated"


def is_adult(rating: Rating) -> bool:
    """Whether a rating counts as adult: whatever is not rated general does."""
    return rating is not Rating.GENERAL


def refusal(*, model: Rating, character: Rating, session: Rating) -> str | None:
    """Why this may not be played, as one sentence for the person who asked; None when it may.

    Adult play is refused altogether as long as there is no check that keeps minors out of it.
    """
    rated = {"model": model, "character": character, "session": session}
    blocked = [f"the {part} is {rating}" for part, rating in rated.items() if is_adult(rating)]
    if not blocked:
        return None
    return (
        f"This cannot be played: {' and '.join(blocked)}. Only general-audience play is offered;"
        ' whatever is unrated counts as adult. If it is made for a general audience, rate it "general".'
    )
