"""A character that the model plays."""

from dataclasses import dataclass

from bot.story.policy import Rating


@dataclass(frozen=True, slots=True)
class CharacterCard:
    """Name, description and first post of a character. An empty greeting means that the player opens the scene."""

    name: str
    description: str
    greeting: str = ""
    rating: Rating = Rating.UNRATED
