"""Characters that are kept apart from any session, to begin new ones with."""

from dataclasses import dataclass

from bot.ids import AuthorId, CardId
from bot.story.card import CharacterCard
from bot.story.policy import Rating


@dataclass(frozen=True, slots=True)
class LibraryCard:
    """A character in the library, and who put it there.

    `face` is its picture as the bytes of a file and `face_type` that file's media type ("image/png"); both are empty where
    it has none.
    """

    id: CardId
    owner: AuthorId
    card: CharacterCard
    face: bytes = b""
    face_type: str = ""


@dataclass(frozen=True, slots=True)
class CardTitle:
    """A character as a list shows it."""

    id: CardId
    owner: AuthorId
    name: str
    rating: Rating
