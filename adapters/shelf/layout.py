"""How a kept state lies in a file, and how far a file is believed. It knows no folder, no queue and no model.

    16 bytes   what kind of file this is
    4 + 4      number of this layout; length of the head
    head       JSON: name, identity, adapter, and how many tokens, ends and bytes follow
    4 each     the tokens
    4 each     the ends
    bytes      the state itself
    4 bytes    CRC-32 of all before it

Numbers are little-endian. The llama library takes flipped bytes without a word, and a file cut short could end the whole
process, so nothing is handed out before every byte was looked at. CRC-32 finds what disks and crashes do (it is no guard
against a forger, who could write to the folder only as the operator), and `zlib` computes it at memory speed without the
interpreter's lock, so that the engine's steps go on beside it.
"""

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from typing import Any

from bot.ports.shelf import KeptState

MAGIC = b"understudy-kv\r\n\0"
LAYOUT = 1

_START = struct.Struct("<16sII")
_CHECK = struct.Struct("<I")
_WORD = 4


class DamagedState(ValueError):
    """This file is not what was written; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class _Head:
    """The head of a file: what it says about itself."""

    name: str
    identity: str
    adapter: str
    tokens: int
    ends: int
    bytes: int

    @property
    def body(self) -> int:
        """How many bytes follow the head, the checksum aside."""
        return _WORD * (self.tokens + self.ends) + self.bytes


def length_of(name: str, state: KeptState) -> int:
    """The length of the file that `write` makes."""
    return len(_opening(name, state)) + _WORD * (len(state.tokens) + len(state.ends)) + state.data.nbytes + _CHECK.size


def write(file: FileIO, name: str, state: KeptState) -> None:
    """Write a state. Raises OSError."""
    check = 0
    for part in _parts(name, state):
        check = zlib.crc32(part, check)
        _write_all(file, part)
    _write_all(file, memoryview(_CHECK.pack(check)))


def read(file: FileIO, length: int, name: str) -> KeptState:
    """The state of this name from a file of this length, its bytes in one buffer, read once. Raises DamagedState, OSError."""
    if length < _START.size + _CHECK.size:
        raise DamagedState("it is cut short")
    buffer = memoryview(bytearray(length))
    _read_all(file, buffer)
    magic, layout, head_length = _START.unpack_from(buffer)
    if magic != MAGIC:
        raise DamagedState("it is no saved state")
    if layout != LAYOUT:
        raise DamagedState(f"its layout has the number {layout}, and this program knows {LAYOUT}")
    whole = buffer[: -_CHECK.size]
    if _CHECK.unpack(buffer[-_CHECK.size :]) != (zlib.crc32(whole),):
        raise DamagedState("its checksum is wrong: it was cut or changed")
    body_at = _START.size + head_length
    head = _head(bytes(whole[_START.size : body_at]))
    if body_at + head.body != len(whole):
        raise DamagedState("it holds more or less than its head says")
    if head.name != name:
        raise DamagedState("it is a state of another name")
    return _state(head, whole[body_at:])


def _state(head: _Head, body: memoryview) -> KeptState:
    ends_at = _WORD * head.tokens
    data_at = ends_at + _WORD * head.ends
    tokens = struct.unpack(f"<{head.tokens}i", body[:ends_at])
    ends = struct.unpack(f"<{head.ends}i", body[ends_at:data_at])
    rising = all(earlier < later for earlier, later in zip((0, *ends), ends, strict=False))
    if not rising or ends[-1:] != ((head.tokens,) if head.tokens else ()):
        raise DamagedState("its stretches do not make up its tokens")
    return KeptState(head.identity, head.adapter, tokens, ends, body[data_at:])


def _head(raw: bytes) -> _Head:
    try:
        told: dict[str, Any] = json.loads(raw)
        head = _Head(**told)
    except (ValueError, TypeError, RecursionError):
        raise DamagedState("its head cannot be read") from None
    texts, numbers = (head.name, head.identity, head.adapter), (head.tokens, head.ends, head.bytes)
    if not all(isinstance(text, str) for text in texts) or not all(type(each) is int and each >= 0 for each in numbers):
        raise DamagedState("its head cannot be read")
    return head


def _opening(name: str, state: KeptState) -> bytes:
    told = {
        "name": name,
        "identity": state.identity,
        "adapter": state.adapter,
        "tokens": len(state.tokens),
        "ends": len(state.ends),
        "bytes": state.data.nbytes,
    }
    head = json.dumps(told).encode()
    return _START.pack(MAGIC, LAYOUT, len(head)) + head


def _parts(name: str, state: KeptState) -> Iterator[memoryview]:
    yield memoryview(_opening(name, state))
    for numbers in (state.tokens, state.ends):
        yield memoryview(struct.pack(f"<{len(numbers)}i", *numbers))
    yield state.data.cast("B")


def _write_all(file: FileIO, part: memoryview) -> None:
    while part:
        part = part[file.write(part) :]


def _read_all(file: FileIO, buffer: memoryview) -> None:
    while buffer:
        count = file.readinto(buffer)
        if not count:
            raise DamagedState("it is cut short")
        buffer = buffer[count:]
