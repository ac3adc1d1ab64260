"""Characters that are kept apart from any session, to begin new ones with; and who of them is meant by a name."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from bot.errors import Refused
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


def titled(titles: Sequence[CardTitle], name: str) -> CardTitle:
    """The character with just this name or id, in any case. Raises Refused."""
    found = [each for each in titles if name.casefold() in {each.name.casefold(), each.id.casefold()}]
    if not found:
        known = ", ".join(dict.fromkeys(each.name for each in titles)) or "nobody yet; character import takes a card in"
        raise Refused(f"The library has no character {name}; it has {known}.")
    return found[0]


def meant(titles: Sequence[CardTitle], name: str, rest: str = "") -> tuple[CardTitle, str]:
    """The character that is meant, and what is left of the text behind the name. Raises Refused.

    In a line that was typed, a name of several words has run over into that text ("Hester", "Vaunce A stranger knocks.").
    A part of a name will do as long as it is one character's ("Hester", "vaunce").
    """
    line = f"{name} {rest}".split()
    for title in sorted(titles, key=lambda each: len(each.name), reverse=True):
        words = _words(title.name)
        if len(words) > len(name.split()) and _words(" ".join(line[: len(words)])) == words:
            return title, _after(rest, len(words) - len(name.split()))
    with suppress(Refused):
        return titled(titles, name), rest
    partly = {title.name: title for title in titles if _holds(_words(title.name), _words(name))}
    if len(partly) > 1:
        raise Refused(f"{name} may be {' or '.join(partly)}; write the whole name.")
    return titled(titles, next(iter(partly), name)), rest


def _words(text: str) -> list[str]:
    return text.casefold().split()


def _after(text: str, words: int) -> str:
    """What follows so many words."""
    parts = text.split(maxsplit=words)
    return parts[words] if len(parts) > words else ""


def _holds(whole: list[str], part: list[str]) -> bool:
    return bool(part) and any(whole[at : at + len(part)] == part for at in range(len(whole)))
