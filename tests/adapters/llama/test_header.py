import struct
from pathlib import Path

import gguf
import pytest

from adapters.llama.header import LONGEST_KEPT, Damaged, Tensor, read_header
from tests.adapters.llama.conftest import ModelFiles
from tests.models import DEMO_MODEL


def test_it_reads_what_the_format_s_own_library_reads() -> None:
    ours, theirs = read_header(DEMO_MODEL), gguf.GGUFReader(DEMO_MODEL)
    assert [(each.name, each.shape, each.kind, each.size) for each in ours.tensors] == [
        (each.name, tuple(int(length) for length in each.shape), int(each.tensor_type), int(each.n_bytes))
        for each in theirs.tensors
    ]
    named = {name: field.contents() for name, field in theirs.fields.items() if not name.startswith("GGUF.")}
    assert ours.keys.keys() == named.keys()
    assert {name: value for name, value in ours.keys.items() if name not in ours.lengths} == {
        name: value for name, value in named.items() if name not in ours.lengths
    }
    assert ours.last_byte == DEMO_MODEL.stat().st_size


def test_long_lists_are_counted_and_short_ones_kept(small_model: ModelFiles) -> None:
    path = small_model.folder / "lists.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_array("short", [1, 2, 3])
    writer.add_array("long", [0] * (LONGEST_KEPT + 1))
    writer.add_array("words", ["a", "b"])
    writer.add_uint32("after", 7)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    header = read_header(path)
    assert (header.keys["short"], header.keys["long"], header.keys["words"], header.keys["after"]) == ((1, 2, 3), None, None, 7)
    assert header.lengths == {"short": 3, "long": LONGEST_KEPT + 1, "words": 2}


def test_a_head_that_ends_anywhere_is_damaged_and_never_a_crash(tmp_path: Path) -> None:
    whole = DEMO_MODEL.read_bytes()[: read_header(DEMO_MODEL).end]
    path = tmp_path / "cut.gguf"
    for size in (4, 5, 23, 24, 30, 100, 500, 1000, 40_000, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(Damaged):
            read_header(path)
    path.write_bytes(whole)
    assert len(read_header(path).tensors) > 10


def head(*parts: bytes, version: int = 3, tensors: int = 0, keys: int = 1) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys) + b"".join(parts)


def text(word: bytes) -> bytes:
    return struct.pack("<Q", len(word)) + word


@pytest.mark.parametrize(
    "content",
    [
        head(struct.pack("<Q", 2**63)),
        head(text(b"key"), struct.pack("<I", 99)),
        head(text(b"key"), struct.pack("<IIQ", 9, 9, 1)),
        head(text(b"key"), struct.pack("<IIQ", 9, 10, 2**60)),
        head(text(b"key"), struct.pack("<IIQ", 9, 8, 2**60)),
        head(text(b"\xff\xfe"), struct.pack("<IB", 0, 1)),
        head(keys=2**60),
        head(tensors=1, keys=0) + text(b"weight") + struct.pack("<I", 2**31),
        head(version=1, keys=0),
        head(version=0x03000000, keys=0),
    ],
    ids=[
        "long text",
        "kind",
        "nested",
        "long list",
        "many texts",
        "no utf-8",
        "many keys",
        "dimensions",
        "version 1",
        "big endian",
    ],
)
def test_a_head_that_lies_is_damaged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lies.gguf"
    path.write_bytes(content)
    with pytest.raises(Damaged):
        read_header(path)


def test_the_share_of_a_type_is_of_the_bytes_and_an_unknown_type_has_a_name() -> None:
    header = read_header(DEMO_MODEL)
    assert list(header.shares()) == ["Q8_0", "F32"]
    assert sum(header.shares().values()) == pytest.approx(1)
    assert Tensor("x", (2, 3), 250, 0).size == 0
