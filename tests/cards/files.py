"""Card files as other programs write them, made here from their parts."""

import base64
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xc0\x00\x0b\x08\x00\x40\x00\x30\x01\x01\x11\x00\xff\xda"
WEBP = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\x0f\xc0\x03\0\0\0\0\0\0\0"

V1: dict[str, Any] = {
    "name": "Ansel",
    "description": "Ansel keeps bees.",
    "personality": "Slow to anger.",
    "scenario": "A farm in June.",
    "first_mes": "Ansel set down the smoker.",
    "mes_example": "<START>\n{{user}}: Hello.\n{{char}}: Mind the hives.",
}
BOOK: dict[str, Any] = {
    "name": "The farm",
    "description": "What stands where.",
    "scan_depth": 3,
    "token_budget": 400,
    "recursive_scanning": True,
    "extensions": {"theirs": [1, 2]},
    "entries": [
        {
            "keys": ["hive", "bees"],
            "content": "Eleven hives stand under the limes.",
            "extensions": {"weight": 0.5},
            "enabled": True,
            "insertion_order": 7,
            "case_sensitive": True,
            "name": "Hives",
            "priority": 3,
            "id": 12,
            "comment": "drawn on the map",
            "selective": True,
            "secondary_keys": ["lime"],
            "constant": False,
            "position": "after_char",
        }
    ],
}
V2: dict[str, Any] = {
    "spec": "chara_card_v2",
    "spec_version": "2.0",
    "data": {
        **V1,
        "creator_notes": "Never told.",
        "system_prompt": "{{original}} Be brief.",
        "post_history_instructions": "Stay outdoors.",
        "alternate_greetings": ["Ansel whistled.", "Rain again."],
        "character_book": BOOK,
        "tags": ["farm"],
        "creator": "somebody",
        "character_version": "3",
        "extensions": {"theirs": {"depth_prompt": {"prompt": "x", "depth": 4}}},
    },
}
V3: dict[str, Any] = {
    "spec": "chara_card_v3",
    "spec_version": "3.0",
    "data": {
        **V2["data"],
        "nickname": "Anse",
        "group_only_greetings": ["Everybody turned round."],
        "creation_date": 1700000000,
        "assets": [{"type": "icon", "uri": "embeded://assets/icon/main.png", "name": "main", "ext": "png"}],
    },
    "beside": {"kept": None},
}


def as_json(card: Mapping[str, Any]) -> bytes:
    return json.dumps(card).encode()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def text_chunk(keyword: str, card: Mapping[str, Any]) -> bytes:
    return chunk(b"tEXt", keyword.encode() + b"\0" + base64.b64encode(as_json(card)))


def png(*chunks: bytes, width: int = 2, height: int = 2) -> bytes:
    """A small picture with these chunks before its end."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    drawn = chunk(b"IDAT", zlib.compress(b"\0\1\2\0\3\4"))
    return b"".join([SIGNATURE, header, drawn, *chunks, chunk(b"IEND", b"")])


def charx(card: Mapping[str, Any], **files: bytes) -> bytes:
    """An archive of a card and these files; a double underscore in a name is a slash, and the last one the dot."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("card.json", as_json(card))
        for name, data in files.items():
            folder, _, ending = name.replace("__", "/").rpartition("_")
            archive.writestr(f"{folder}.{ending}", data)
    return target.getvalue()


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive with whatever its headers say; None: what is true. `at` is where the directory says it begins."""

    name: str
    data: bytes
    deflated: bool = True
    flags: int = 0
    method: int | None = None
    size: int | None = None
    at: int | None = None


def archive(*members: Member, count: int | None = None) -> bytes:
    """An archive of these members, true or not. `count` is how many the end speaks of."""
    body, directory = b"", b""
    for member in members:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = packer.compress(member.data) + packer.flush() if member.deflated else member.data
        size = len(member.data) if member.size is None else member.size
        method = (8 if member.deflated else 0) if member.method is None else member.method
        facts = (member.flags, method, 0, 33, zlib.crc32(member.data), len(packed), size, len(member.name.encode()), 0)
        at = len(body) if member.at is None else member.at
        directory += struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, *facts, 0, 0, 0, 0, at) + member.name.encode()
        body += struct.pack("<4s5H3L2H", b"PK\3\4", 20, *facts) + member.name.encode() + packed
    many = len(members) if count is None else count
    return body + directory + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, many, many, len(directory), len(body), 0)
