"""What a picture is: its kind and its size, from its first bytes. It decodes no picture and knows no card."""

import struct
from collections.abc import Iterator

from bot.cards.limits import FACE_BYTES, FACE_PIXELS
from bot.errors import Refused

PNG, JPEG, WEBP = "image/png", "image/jpeg", "image/webp"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_JPEG_SEGMENTS = 1_000
"""Parts of a JPEG file before its size; honest files have some twenty, more are only there to be slow."""
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers whose segment tells the size."""


def face_type(data: bytes) -> str | None:
    """The media type of a picture that can be a face (PNG, JPEG, WebP); None for anything else.

    The bytes decide, never a file's name. Raises Refused when the picture is too large in bytes or pixels.
    """
    kind, size = _kind_and_size(data)
    if size is None:
        return None
    if len(data) > FACE_BYTES:
        raise Refused(f"The picture has {len(data):,} bytes and at most {FACE_BYTES:,} are taken; make it smaller.")
    width, height = size
    if width * height > FACE_PIXELS:
        raise Refused(
            f"The picture is {width:,} by {height:,} pixels and at most {FACE_PIXELS:,} in all are taken; make it smaller."
        )
    return kind if width and height else None


def _kind_and_size(data: bytes) -> tuple[str, tuple[int, int] | None]:
    if data.startswith(PNG_SIGNATURE):
        return PNG, _png_size(data)
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG, _jpeg_size(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return WEBP, _webp_size(data)
    return "", None


def _png_size(data: bytes) -> tuple[int, int] | None:
    """PNG specification (W3C, third edition), 11.2.1: the header is the first chunk."""
    if len(data) < 33 or data[12:16] != b"IHDR":  # noqa: PLR2004 signature, length, name, 13 bytes and checksum
        return None
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """ITU-T T.81, B.2.2: a frame header holds height and width."""
    for marker, at in _jpeg_segments(data):
        if marker in _JPEG_FRAMES and at + 9 <= len(data):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
    return None


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Each segment before the picture's own data: its marker, and where it begins."""
    at = 2
    for _ in range(_JPEG_SEGMENTS):
        if at + 4 > len(data) or data[at] != 0xFF or data[at + 1] == 0xDA:  # noqa: PLR2004 T.81: every marker; start of scan
            return
        yield data[at + 1], at
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """RFC 9649, 2.4 to 2.7: the first chunk is lossy, lossless, or extended."""
    kind, head = data[12:16], data[20:30]
    if len(head) < 10:  # noqa: PLR2004 what the longest of the three needs
        return None
    if kind == b"VP8 " and head[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", head, 6)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and head[0] == 0x2F:  # noqa: PLR2004 the lossless signature
        bits = int.from_bytes(head[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return int.from_bytes(head[4:7], "little") + 1, int.from_bytes(head[7:10], "little") + 1
    return None
