"""A character as a file that other programs read. It writes no file and keeps nothing of the player who asked."""

from bot.cards import png
from bot.cards.jsontext import canonical
from bot.cards.pictures import PNG, face_type
from bot.cards.specification import V2, object_of
from bot.story.card import CharacterCard


def write_json(card: CharacterCard) -> bytes:
    """The card as JSON of the V3 specification. What was read and not changed is as it was, unknown parts too."""
    return canonical(object_of(card)).encode("utf-8")


def write_png(card: CharacterCard, face: bytes) -> bytes:
    """The card inside its picture: as V2 (`chara`) and as V3 (`ccv3`). Without a PNG picture, a plain one holds it.

    Raises Refused when the picture is damaged or too large.
    """
    picture = face if face_type(face) == PNG else png.plain_picture()
    newest = object_of(card)
    older = {**newest, "spec": V2, "spec_version": "2.0"}
    texts = [(keyword, canonical(each).encode("utf-8")) for keyword, each in (("chara", older), ("ccv3", newest))]
    return png.write_png(picture, texts)
