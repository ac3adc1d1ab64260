"""What a backup says of itself: where it comes from, and the size and hash of each part. It opens no file.

A backup is a ZIP file with these members, and no others:

- `manifest.json`: this page.
- `tables/NAME.jsonl`, one for each table of the database: the names of its columns, then its rows, each a JSON array on a line;
  bytes are an object {"bytes": base64}.
- `matrix/account.json`, `matrix/keys.db`, `matrix/faces.json`, where the bot is on Matrix.

The hashes show damage. They are no signature: whoever can change the file can change them too.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from adapters.matrix.copying import NEEDED, PARTS
from bot.errors import Refused

FORMAT = 1
NAME = "manifest.json"
LONGEST = 1 << 20
"""Bytes of a manifest."""

TABLE = re.compile(r"[a-z][a-z0-9_]{0,62}")
REVISION = re.compile(r"[0-9]{4}")
HASH = re.compile(r"[0-9a-f]{64}")
LARGEST = 2**62
MATRIX = "matrix/"

NOT_OURS = "{name} is no backup of Understudy, or a damaged one: {why}. Use another backup."


@dataclass(frozen=True, slots=True)
class Part:
    """A member of the file: its size in bytes when unpacked, and its SHA-256."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup is. `made` is in UTC (ISO 8601); `rows` and `counters` are by table, `parts` by member."""

    program: str
    made: str
    database: str
    revision: str
    rows: Mapping[str, int]
    counters: Mapping[str, int]
    parts: Mapping[str, Part]

    @property
    def has_matrix(self) -> bool:
        """Whether there are keys on Matrix."""
        return any(name.startswith(MATRIX) for name in self.parts)

    @property
    def text(self) -> bytes:
        """The member."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1).encode()


def member_of(table: str) -> str:
    """The member with a table's rows."""
    return f"tables/{table}.jsonl"


def read(raw: bytes, name: str) -> Manifest:
    """The manifest in a member of the file `name`. Raises Refused."""
    try:
        found = json.loads(raw)
        if found["format"] != FORMAT:
            raise Refused(
                f"{name} was made by another version of Understudy, in a format that this one does not know; use that one."
            )
        manifest = Manifest(
            program=_text(found["program"]),
            made=_text(found["made"]),
            database=_text(found["database"]),
            revision=_text(found["revision"], REVISION),
            rows=_numbers(found["rows"]),
            counters=_numbers(found["counters"]),
            parts={_text(each): _part(part) for each, part in _mapping(found["parts"]).items()},
        )
        _check_members(manifest)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Refused(NOT_OURS.format(name=name, why="what it says of itself makes no sense")) from None
    return manifest


def _check_members(manifest: Manifest) -> None:
    """Raises ValueError unless the parts are those that a backup has."""
    tables = {member_of(table) for table in manifest.rows}
    on_matrix = {each for each in manifest.parts if each.startswith(MATRIX)}
    needed = {MATRIX + part for part in NEEDED} if on_matrix else set[str]()
    if manifest.parts.keys() - on_matrix != tables or not needed <= on_matrix <= {MATRIX + part for part in PARTS}:
        raise ValueError
    if not manifest.counters.keys() <= manifest.rows.keys():
        raise ValueError


def _text(value: object, pattern: re.Pattern[str] | None = None) -> str:
    if not isinstance(value, str) or len(value) > 200 or not value.isprintable():  # noqa: PLR2004  no text of it is longer
        raise TypeError
    if pattern and not pattern.fullmatch(value):
        raise ValueError
    return value


def _mapping(value: object) -> Mapping[Any, Any]:
    if not isinstance(value, dict):
        raise TypeError
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < LARGEST:
        raise TypeError
    return value


def _numbers(value: object) -> Mapping[str, int]:
    return {_text(name, TABLE): _number(number) for name, number in _mapping(value).items()}


def _part(value: object) -> Part:
    found = _mapping(value)
    return Part(_number(found["bytes"]), _text(found["sha256"], HASH))
