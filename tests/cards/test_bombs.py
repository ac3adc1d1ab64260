"""Files that were made to do harm are refused with the reason, in less than a second and in little memory."""

import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.cards import limits
from bot.cards.lorebooks import read_lorebook
from bot.cards.reading import read_card
from bot.errors import Refused
from tests.cards.files import JPEG, V1, V3, Member, archive, as_json, chunk, png, text_chunk
from tests.cards.measured import MOST_MIB, MOST_SECONDS, in_a_child

CARD = Member("card.json", as_json(V3))
MILLION = 1_000_000


def face_of(data: bytes) -> Member:
    return Member("assets/icon/main.png", data, deflated=False)


def zeros(size: int) -> bytes:
    """So many zeros, deflated."""
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(bytes(MILLION)) for _ in range(size // MILLION)) + packer.flush()


def declared(kind: bytes, size: bytes) -> bytes:
    """A picture with a part that says it is this long."""
    return png()[:-12] + size + kind + b"x\0\0" + bytes(40)


SMALL: dict[str, tuple[bytes, str]] = {
    "two of a name": (archive(CARD, CARD), "twice"),
    "a way up": (archive(CARD, Member("../../etc/passwd", b"x")), "outside"),
    "a way up in the middle": (archive(CARD, Member("assets/../../x", b"x")), "outside"),
    "a way up, backwards": (archive(CARD, Member("..\\x", b"x")), "outside"),
    "from the root": (archive(CARD, Member("/etc/passwd", b"x")), "outside"),
    "from a drive": (archive(CARD, Member("C:\\x", b"x")), "outside"),
    "encrypted": (archive(Member("card.json", as_json(V3), flags=1)), "encrypted"),
    "packed otherwise": (archive(Member("card.json", as_json(V3), method=14)), "packed"),
    "upon each other": (archive(CARD, Member("b", b"x" * 40, deflated=False, at=0)), "upon each other"),
    "quoted": (archive(CARD, Member("b", archive(CARD), deflated=False), Member("c", b"", at=60)), "upon each other"),
    "more than it says": (archive(Member("card.json", as_json(V3), size=10)), "damaged"),
    "less than it says": (archive(Member("card.json", as_json(V3), size=10_000)), "damaged"),
    "beyond its end": (archive(Member("card.json", b"{}", at=10**9)), "cut off"),
    "no members where some are told": (archive(CARD, count=900), "cut off"),
    "more members than anybody has": (archive(CARD, count=0xFFFF), "2,000 files"),
    "many parts": (png(*[chunk(b"tEXt", b"")] * limits.PNG_CHUNKS), "parts"),
    "many pixels": (png(text_chunk("chara", V1), width=100_000, height=100_000), "pixels"),
    "no header": (png()[:8] + chunk(b"IDAT", b"") * 3, "begin"),
    **{
        f"{kind.decode()} of {size.hex()}": (declared(kind, size), "cut off")
        for kind in (b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"IDAT")
        for size in (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff")
    },
}


@pytest.mark.parametrize(("data", "sentence"), SMALL.values(), ids=SMALL)
def test_a_dishonest_file_is_refused_with_the_reason(data: bytes, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        read_card(data)


LARGE: dict[str, tuple[Callable[[], bytes], str]] = {
    "arrays in arrays": (lambda: b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
    "objects in objects": (lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested"),
    "nested in a picture": (lambda: png(chunk(b"tEXt", b"ccv3\0" + b"e1tb" * 100_000)), "nested"),
    "empty objects": (lambda: b'{"a":[' + b"{}," * MILLION + b"0]}", "values"),
    "empty texts": (lambda: b'{"a":[' + b'"",' * MILLION + b"0]}", "values"),
    "quotes": (lambda: b"{" + b'"' * 4 * MILLION, "values"),
    "escaped quotes": (lambda: b'{"' + b'\\"' * 2 * MILLION, "damaged"),
    "a long number": (lambda: b'{"a":' + b"9" * 4 * MILLION + b"}", "damaged"),
    "a large number": (lambda: b'{"a":1e' + b"9" * 4 * MILLION + b"}", "damaged"),
    "a long name": (lambda: as_json({**V1, "name": "x" * 3 * MILLION}), "characters"),
    "a long text": (lambda: as_json({**V1, "description": "#: " * MILLION}), "characters"),
    "spaces": (lambda: b" " * 20 * MILLION, "no character card"),
    "much JSON": (lambda: b"{" + b" " * 20 * MILLION, "bytes"),
    "a large file": (lambda: png()[:8] + bytes(limits.FILE_BYTES), "bytes"),
    "an inflating archive": (lambda: archive(Member("card.json", bytes(100 * MILLION))), "times its size"),
    "an inflating archive that lies": (lambda: archive(Member("card.json", bytes(100 * MILLION), size=900)), "damaged"),
    "many files": (lambda: archive(*(Member(str(number), b"") for number in range(3_000))), "2,000 files"),
    "an unfolding comment": (lambda: png(chunk(b"zTXt", b"chara\0\0" + zeros(300 * MILLION))), "no character"),
    "a long text in a picture": (lambda: png(chunk(b"tEXt", b"chara\0" + b"e" * 20 * MILLION)), "bytes"),
    "a large picture": (lambda: archive(CARD, face_of(JPEG + bytes(17 * MILLION))), "bytes"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_a_large_harmful_file_is_refused_soon_and_in_little_memory(name: str, tmp_path: Path) -> None:
    make, sentence = LARGE[name]
    (tmp_path / "file").write_bytes(make())
    found = in_a_child(str(tmp_path / "file"))
    assert found.refused == 1
    assert sentence in found.sentence
    assert found.slowest < MOST_SECONDS
    assert found.peak_mib < MOST_MIB


def entries(count: int) -> dict[str, object]:
    words = {"content": "word " * 20, "name": "\u00e9\x01", "id": 1, "priority": 0.5}
    return {"entries": [{"keys": [f"key {number}"], **words} for number in range(count)]}


HONEST: dict[str, Callable[[], bytes]] = {
    "the most entries": lambda: as_json({"data": {**V1, "character_book": entries(limits.BOOK_ENTRIES)}}),
    "the most values": lambda: as_json({**V1, "theirs": [{"a": []}] * 56_000}),
    "the longest JSON": lambda: as_json({**V1, "theirs": "\u00e9" * 690_000}),
    "the most values in the largest picture": lambda: png(
        text_chunk("ccv3", {**V1, "theirs": [{"a": "x" * 40}] * 66_000}), chunk(b"IDAT", bytes(15 * MILLION))
    ),
    "the largest archive": lambda: archive(CARD, face_of(png(chunk(b"IDAT", bytes(16 * MILLION))))),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HONEST)
def test_the_largest_cards_that_are_taken_are_read_soon_and_in_little_memory(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(HONEST[name]())
    found = in_a_child(str(tmp_path / "file"))
    assert found.sentence == ""
    assert found.slowest < MOST_SECONDS
    assert found.peak_mib < MOST_MIB


def test_a_deep_lorebook_is_refused_as_well() -> None:
    with pytest.raises(Refused, match="nested"):
        read_lorebook(b'{"entries":' + b"[" * 100_000)
