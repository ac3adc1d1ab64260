"""Card texts in a PNG or APNG file, and the picture without them. It decodes no picture and understands no card.

Rule 1: a face is nothing but a picture. Of the chunks of a file only those that draw it are kept; texts, colour profiles and
camera data are not, so that no compressed text can unfold later and nobody's place is told by their camera.
Rule 2: what is compressed stays compressed: nothing here inflates anything.
"""

import binascii
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.cards.limits import JSON_BYTES, PNG_CHUNKS
from bot.cards.pictures import PNG_SIGNATURE
from bot.errors import Refused

KEYWORDS = ("ccv3", "chara")
"""The keywords of card texts, the newest specification first."""

_DRAWING = frozenset(b"IHDR PLTE IDAT tRNS gAMA cHRM sRGB sBIT bKGD pHYs cICP acTL fcTL fdAT".split())
_TEXT_BYTES = JSON_BYTES // 3 * 4 + 1024
"""A card's JSON in Base64, with some room for line ends."""
_KEYWORD_BYTES = 79
"""PNG specification (W3C, third edition), 11.3.3.1."""
_PLAIN_WIDTH, _PLAIN_HEIGHT = 256, 384


@dataclass(frozen=True, slots=True)
class CardPng:
    """What a PNG file holds of a card: texts by keyword in Base64, the picture alone, and what was strange in the file."""

    texts: dict[str, bytes]
    face: bytes
    notes: tuple[str, ...] = ()


def read_png(data: bytes) -> CardPng:
    """The card texts and the picture of a file. Of several texts with one keyword, the first counts.

    Checksums of the picture are not looked at: it is only handed on. Raises Refused.
    """
    texts: dict[str, bytes] = {}
    kept: list[bytes | memoryview] = [PNG_SIGNATURE]
    notes: list[str] = []
    others = 0
    for kind, chunk in _chunks(memoryview(data)):
        if kind in _DRAWING:
            kept.append(chunk)
        elif kind == b"tEXt":
            keyword, text = _text(chunk)
            others += keyword.startswith("chara-ext-asset")
            if keyword in KEYWORDS and keyword not in texts:
                texts[keyword] = text
                notes += _damage(keyword, chunk)
    if others:
        notes.append(f"Further files inside the picture were left out: {others}.")
    face = b"".join([*kept, _chunk(b"IEND", b"")])
    # A picture of our own making says that there was none.
    return CardPng(texts, b"" if face == plain_picture() else face, tuple(notes))


def decoded(text: bytes) -> bytes:
    """The bytes that a card text spells in Base64; line ends and missing padding are forgiven. Raises Refused."""
    try:
        return binascii.a2b_base64(text + b"==")
    except binascii.Error as error:
        raise Refused("The character's text in this picture is damaged; download the card once more.") from error


def write_png(face: bytes, texts: Sequence[tuple[str, bytes]]) -> bytes:
    """The picture with these texts before its end, each after its keyword, and none of those that it had. Raises Refused."""
    picture = read_png(face).face or plain_picture()
    end = len(picture) - len(_chunk(b"IEND", b""))
    spelled = (keyword.encode("ascii") + b"\0" + binascii.b2a_base64(text, newline=False) for keyword, text in texts)
    added = (_chunk(b"tEXt", each) for each in spelled)
    return b"".join([picture[:end], *added, picture[end:]])


def plain_picture() -> bytes:
    """A grey picture in the usual shape of a card, the same bytes everywhere."""
    # Two bits of grey for each pixel; stored, as libraries deflate differently and this picture is known by its bytes.
    rows = (b"\0" + b"\x55" * (_PLAIN_WIDTH // 4)) * _PLAIN_HEIGHT
    stored = b"\x78\x01\x01" + struct.pack("<HH", len(rows), len(rows) ^ 0xFFFF) + rows + struct.pack(">I", zlib.adler32(rows))
    header = struct.pack(">IIBBBBB", _PLAIN_WIDTH, _PLAIN_HEIGHT, 2, 0, 0, 0, 0)
    return PNG_SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", stored) + _chunk(b"IEND", b"")


def _chunks(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Each chunk before the end: its type and its bytes, length and checksum included. What follows the end is nothing."""
    at = len(PNG_SIGNATURE)
    for number in range(PNG_CHUNKS):
        if at + 12 > len(data):
            break
        size = int.from_bytes(data[at : at + 4], "big")
        kind = bytes(data[at + 4 : at + 8])
        if at + 12 + size > len(data):
            break
        if number == 0 and (kind != b"IHDR" or size != 13):  # noqa: PLR2004 the header has 13 bytes
            raise Refused("This PNG file does not begin like one; save the picture as PNG once more.")
        if kind == b"IEND":
            return
        yield kind, data[at : at + 12 + size]
        at += 12 + size
    else:
        raise Refused(f"This PNG file has more than {PNG_CHUNKS:,} parts; save the picture once more to have fewer.")
    raise Refused("This PNG file is cut off; download it once more.")


def _text(chunk: memoryview) -> tuple[str, bytes]:
    """Keyword, in small letters, and text of a `tEXt` chunk. Raises Refused when it would be a card's and is too long."""
    keyword, found, _ = bytes(chunk[8 : 8 + _KEYWORD_BYTES + 1]).partition(b"\0")
    name = keyword.decode("latin-1").lower()
    if not found or name not in KEYWORDS:
        return name, b""
    text = chunk[8 + len(keyword) + 1 : -4]
    if len(text) > _TEXT_BYTES:
        raise Refused(
            f"The character's text in this picture has {len(text):,} bytes and at most {_TEXT_BYTES:,} are read;"
            " take entries out of its lorebook."
        )
    return name, bytes(text)


def _damage(keyword: str, chunk: memoryview) -> list[str]:
    """A card is shown by its own form to be whole, so a wrong checksum, which some programs write, is only told."""
    if zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big"):
        return []
    return [f"The checksum of the character's text ({keyword}) is wrong; the text was read all the same."]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
