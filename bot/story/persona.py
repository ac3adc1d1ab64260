"""Who a player is in the story."""

from dataclasses import dataclass

from bot.ids import AuthorId


@dataclass(frozen=True, slots=True)
class Persona:
    """A player's part: the name that the model reads and what it is told about them. `author` is who plays it."""

    author: AuthorId
    name: str
    description: str = ""
