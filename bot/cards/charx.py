"""Files in a CHARX file, which is a ZIP archive, one by one and within limits. It unpacks nothing it is not asked for.

The standard library's reader builds an object for everything in the directory before its size can be asked, and says what is
wrong in a dozen kinds of error. This one knows what CHARX files are made of: stored and deflated members, no encryption, no
parts, no archive beyond four gigabytes. Source: APPNOTE.TXT 6.3.10 of PKWARE, sections 4.3 and 4.4.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.cards.limits import ZIP_DIRECTORY_BYTES, ZIP_MEMBERS, ZIP_RATIO, ZIP_RATIO_FROM, ZIP_TOTAL_BYTES
from bot.errors import Refused

SIGNATURE = b"PK\x03\x04"

_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_END_SIGNATURE, _ENTRY_SIGNATURE = b"PK\x05\x06", b"PK\x01\x02"
_ENCRYPTED, _UTF8 = 0x1, 0x800
_STORED, _DEFLATED = 0, 8
_COMMENT_BYTES = 0xFFFF
_OUTSIDE = re.compile(r"\A[/\\]|\A[A-Za-z]:|(?:\A|[/\\])\.\.(?:[/\\]|\Z)|\0")


@dataclass(frozen=True, slots=True)
class Member:
    """One file in the archive: where its own header stands, and what the directory says of it."""

    name: str
    at: int
    packed: int
    size: int
    checksum: int
    method: int


def members(data: bytes) -> dict[str, Member]:
    """The files in an archive by name. Raises Refused when anything about it is not as in an honest CHARX file."""
    found: dict[str, Member] = {}
    for member in _directory(data):
        if member.name in found:
            raise Refused(f"{_shown(member.name)} stands twice in this CHARX file; export the character once more.")
        _judge(member)
        found[member.name] = member
    if sum(member.size for member in found.values()) > ZIP_TOTAL_BYTES:
        raise Refused(f"This CHARX file unpacks to more than {ZIP_TOTAL_BYTES:,} bytes; export it with fewer pictures.")
    _refuse_overlaps(data, list(found.values()))
    return found


def unpacked(data: bytes, member: Member, limit: int) -> bytes:
    """One file of the archive. Raises Refused when it has more than `limit` bytes or is not what the directory says."""
    if member.size > limit:
        raise Refused(
            f"{_shown(member.name)} in this CHARX file has {member.size:,} bytes and at most {limit:,} are read;"
            " make it smaller."
        )
    start = _content_start(data, member)
    packed = memoryview(data)[start : start + member.packed]
    content = bytes(packed) if member.method == _STORED else _inflated(packed, member.size)
    if len(content) != member.size or zlib.crc32(content) != member.checksum:
        raise _damaged(member.name)
    return content


def _directory(data: bytes) -> Iterator[Member]:
    count, size, at = _end_of_directory(data)
    if count > ZIP_MEMBERS or size > ZIP_DIRECTORY_BYTES:
        raise Refused(f"This CHARX file holds more than {ZIP_MEMBERS:,} files; export the character with fewer pictures.")
    end = at + size
    for _ in range(count):
        if at + _ENTRY.size > end:
            raise _cut_off()
        entry = _ENTRY.unpack_from(data, at)
        lengths = entry[10:13]
        if entry[0] != _ENTRY_SIGNATURE or at + _ENTRY.size + sum(lengths) > end:
            raise _cut_off()
        name = data[at + _ENTRY.size : at + _ENTRY.size + lengths[0]]
        yield _member(entry, name)
        at += _ENTRY.size + sum(lengths)


def _end_of_directory(data: bytes) -> tuple[int, int, int]:
    """How many members there are, how long the directory is, and where it begins."""
    at = data.rfind(_END_SIGNATURE, max(0, len(data) - _END.size - _COMMENT_BYTES))
    if at < 0 or at + _END.size > len(data):
        raise _cut_off()
    _, disk, first, here, count, size, start, _ = _END.unpack_from(data, at)
    if disk or first or here != count or start + size > at:
        raise Refused("This CHARX file is in parts or of a kind that is not read; export the character once more.")
    return count, size, start


def _member(entry: tuple[Any, ...], name: bytes) -> Member:
    _, _, _, flags, method, _, _, checksum, packed, size, *_, at = entry
    shown = name.decode("utf-8" if flags & _UTF8 else "cp437", "replace")
    if flags & _ENCRYPTED:
        raise Refused(f"{_shown(shown)} in this CHARX file is encrypted; export the character without a password.")
    return Member(shown, at, packed, size, checksum, method)


def _judge(member: Member) -> None:
    if _OUTSIDE.search(member.name):
        raise Refused(f"{_shown(member.name)} in this CHARX file names a place outside of it; export the character once more.")
    if member.method not in {_STORED, _DEFLATED}:
        raise Refused(f"{_shown(member.name)} in this CHARX file is packed in a way that is not read; use plain ZIP.")
    if member.size > ZIP_RATIO_FROM and member.size > member.packed * ZIP_RATIO:
        raise Refused(f"{_shown(member.name)} in this CHARX file unpacks to {ZIP_RATIO} times its size or more; leave it out.")


def _refuse_overlaps(data: bytes, found: list[Member]) -> None:
    """Members that share bytes are how a small archive unpacks to a huge one."""
    end = 0
    for member in sorted(found, key=lambda each: each.at):
        if member.at < end:
            raise Refused("Files in this CHARX file lie upon each other; export the character once more.")
        end = _content_start(data, member) + member.packed
        if end > len(data):
            raise _cut_off()


def _content_start(data: bytes, member: Member) -> int:
    if member.at + _LOCAL.size > len(data):
        raise _cut_off()
    header = _LOCAL.unpack_from(data, member.at)
    if header[0] != SIGNATURE:
        raise _damaged(member.name)
    name_length, extra_length = header[9], header[10]
    start: int = member.at + _LOCAL.size + name_length + extra_length
    return start


def _inflated(packed: memoryview, size: int) -> bytes:
    """At most one byte more than the directory says, so that a lie is seen and costs nothing."""
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, size + 1)
    except zlib.error:
        return b""


def _shown(name: str) -> str:
    """A name as it may stand in a sentence."""
    return ascii(name if len(name) <= 60 else f"{name[:60]}...")  # noqa: PLR2004 about a line


def _damaged(name: str) -> Refused:
    return Refused(f"{_shown(name)} in this CHARX file is damaged; download the file once more.")


def _cut_off() -> Refused:
    return Refused("This CHARX file is damaged or cut off; download it once more.")
