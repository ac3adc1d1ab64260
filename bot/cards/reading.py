"""A file from outside as a character and its picture: PNG, JSON or CHARX. It opens no file and fetches nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.cards import charx
from bot.cards.fields import Notes
from bot.cards.jsontext import Object, object_at, read_object
from bot.cards.limits import FACE_BYTES, FILE_BYTES, JSON_BYTES
from bot.cards.pictures import PNG, PNG_SIGNATURE, face_type
from bot.cards.png import KEYWORDS, decoded, read_png
from bot.cards.specification import card_from, upgraded
from bot.errors import Refused
from bot.story.card import CharacterCard

_CARD_FILE = "card.json"
_EMBEDDED = ("embeded://", "embedded://")
"""The specification spells it the first way, some programs the second."""


@dataclass(frozen=True, slots=True)
class ReadCard:
    """A character, its picture in bytes (empty: none) with its media type, and what was left out or mended, in sentences."""

    card: CharacterCard
    face: bytes
    face_type: str
    notes: tuple[str, ...]


def read_card(data: bytes) -> ReadCard:
    """The character in a file. Its bytes say what kind of file it is, never its name.

    In a PNG file, the text `ccv3` wins over `chara` where it can be read. Raises Refused, and nothing else, whatever the bytes.
    """
    if len(data) > FILE_BYTES:
        raise Refused(f"The file has {len(data):,} bytes and at most {FILE_BYTES:,} are read; make its picture smaller.")
    notes = Notes()
    source, face = _reader(data)(data, notes)
    card = card_from(upgraded(source), notes)
    kind = face_type(face) if face else ""
    if kind is None:
        notes.add("The picture is none of PNG, JPEG and WebP, or damaged, and was left out.")
    return ReadCard(card, face if kind else b"", kind or "", notes.all())


def _reader(data: bytes) -> Callable[[bytes, Notes], tuple[Object, bytes]]:
    if data.startswith(PNG_SIGNATURE):
        return _from_png
    if data.startswith(charx.SIGNATURE):
        return _from_charx
    if data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _from_json
    raise Refused("This file is no character card: send one as PNG, JSON or CHARX, as the other program exported it.")


def _from_json(data: bytes, _: Notes) -> tuple[Object, bytes]:
    return read_object(data), b""


def _from_png(data: bytes, notes: Notes) -> tuple[Object, bytes]:
    found = read_png(data)
    for sentence in found.notes:
        notes.add(sentence)
    face_type(found.face)  # a picture that is too large is refused before its text is read
    refusals: list[Refused] = []
    for keyword in (each for each in KEYWORDS if each in found.texts):
        try:
            source = read_object(decoded(found.texts[keyword]))
        except Refused as refusal:
            refusals.append(refusal)
            continue
        if refusals:
            notes.add("The newer of the two characters' texts in this picture is damaged; the older one was read.")
        return source, found.face
    if refusals:
        raise refusals[0]
    raise Refused("There is no character in this picture; send the file itself as it was exported, not a copy of the image.")


def _from_charx(data: bytes, notes: Notes) -> tuple[Object, bytes]:
    files = charx.members(data)
    if _CARD_FILE not in files:
        raise Refused(f"There is no {_CARD_FILE} in this archive, so it is no CHARX file; export the character once more.")
    source = read_object(charx.unpacked(data, files[_CARD_FILE], JSON_BYTES))
    path = _icon(source, notes)
    face = charx.unpacked(data, files[path], FACE_BYTES) if path in files else b""
    if path and not face:
        notes.add("The character's picture is not in the archive.")
    others = sum(not name.endswith("/") for name in files) - 1 - bool(face)
    if others:
        notes.add(f"Further files in the archive were left out: {others}.")
    return source, _bare(face)


def _bare(face: bytes) -> bytes:
    """The picture without what a PNG file holds beside it."""
    return read_png(face).face if face_type(face) == PNG else face


def _icon(source: Object, notes: Notes) -> str:
    """The path of the asset that is the character's picture: of several icons, the one called main. Empty: there is none."""
    assets = (object_at(source, "data") or source).get("assets")
    listed = assets if isinstance(assets, list) else []
    icons = [each for each in listed if isinstance(each, dict) and each.get("type") == "icon"]
    icon = next((each for each in icons if each.get("name") == "main"), icons[0] if icons else {})
    uri = icon.get("uri")
    if not isinstance(uri, str) or uri == "ccdefault:":
        return ""
    for scheme in _EMBEDDED:
        if uri.startswith(scheme):
            return uri.removeprefix(scheme)
    notes.add("The character's picture is at an address outside the file and was not fetched.")
    return ""
