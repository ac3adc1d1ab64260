"""A picture's kind and size are read from its bytes, and one that is too large is refused before anything shows it."""

import struct
from collections.abc import Callable
from typing import TypeAlias

import pytest

from bot.cards import limits
from bot.cards.pictures import face_type
from bot.errors import Refused
from tests.cards.files import JPEG, WEBP, png

Maker: TypeAlias = Callable[[int, int], bytes]


def jpeg(width: int, height: int) -> bytes:
    segment = b"\xff\xe1\x00\x06Exif" + b"\xff\xdb\x00\x03\x00"
    return b"\xff\xd8" + segment + b"\xff\xc2\x00\x0b\x08" + struct.pack(">HH", height, width) + b"\x01\x01\x11\x00\xff\xda"


def webp(kind: bytes, head: bytes) -> bytes:
    return b"RIFF" + bytes(4) + b"WEBP" + kind + bytes(4) + head + bytes(10)


def lossy(width: int, height: int) -> bytes:
    return webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height))


def lossless(width: int, height: int) -> bytes:
    return webp(b"VP8L", b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14))


def extended(width: int, height: int) -> bytes:
    return webp(b"VP8X", bytes(4) + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3])


def plain(width: int, height: int) -> bytes:
    return png(width=width, height=height)


KINDS: dict[Maker, str] = {
    plain: "image/png",
    jpeg: "image/jpeg",
    lossy: "image/webp",
    lossless: "image/webp",
    extended: "image/webp",
}


@pytest.mark.parametrize(("make", "kind"), KINDS.items())
def test_a_picture_within_the_limits_is_known_by_its_bytes(make: Maker, kind: str) -> None:
    assert face_type(make(400, 600)) == kind


@pytest.mark.parametrize("make", KINDS)
def test_a_picture_of_too_many_pixels_is_refused_with_its_size(make: Maker) -> None:
    with pytest.raises(Refused, match="16,001 by 9,002 pixels"):
        face_type(make(16_001, 9_002))


@pytest.mark.parametrize("data", [png(), JPEG, WEBP], ids=["png", "jpeg", "webp"])
def test_a_picture_of_too_many_bytes_is_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="bytes"):
        face_type(data + bytes(limits.FACE_BYTES))


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"\xff\xd8\xff", png()[:20], png(width=0), lossy(0, 5), jpeg(5, 0), webp(b"VP8 ", b"x"), WEBP[:22]]
)
def test_what_is_no_picture_or_has_no_size_is_no_face(data: bytes) -> None:
    assert face_type(data) is None


def test_a_jpeg_of_endless_parts_is_given_up() -> None:
    assert face_type(b"\xff\xd8" + b"\xff\xe1\x00\x02" * 4_000_000 + jpeg(5, 5)[2:]) is None
