"""Puts a backup back where nothing is: all of it or nothing. Whatever stands in the file is data, and names no path.

Rule 1: everything is checked against its hash before anything is written.
Rule 2: no name in the file becomes a path: members are asked for by the names that a backup has.
"""

import base64
import binascii
import hashlib
import json
import os
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from adapters.backup import manifest as manifests
from adapters.backup.making import BLOCK, Progress
from adapters.backup.manifest import MATRIX, NAME, NOT_OURS, Manifest, member_of
from adapters.config import Config
from adapters.matrix.copying import PARTS, PutBack, write_part
from adapters.matrix.keeping import Folder
from adapters.wiring import claimed
from bot.errors import Refused
from storage.store import sqlite_url
from storage.upkeep import AT_A_TIME, Contents, fill

LONGEST_LINE = 256 << 20
"""Bytes of a row: the largest holds a character with its picture."""

BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, struct.error)
"""What Python's reader of ZIP files raises at a broken one."""

PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
LARGEST = 2**63
"""Where the numbers of databases end."""

IS_ENCRYPTED = 1
"""A flag of a member (APPNOTE.TXT of the ZIP format, 4.4.4)."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back. `account` is the bot's user on Matrix, or empty."""

    manifest: Manifest
    account: str


async def restore(config: Config, source: Path, progress: Progress) -> Restored:
    """Put a backup in the place that the configuration names. Nothing may be there, and no bot may run on it.

    Raises Refused, with nothing changed, and StoreUnavailable.
    """
    _check_owner(Path(config.storage.directory))
    with _opened(source) as archive, claimed(config):
        manifest = _checked(archive, source.name, progress)
        account = ""
        put_back = _put_back(archive, manifest, Folder(config.matrix_folder))
        try:
            account = put_back.check() if put_back else ""
            progress.stage("stories", sum(manifest.rows.values()))
            rows = _Rows(archive, source.name, manifest.rows, progress)
            contents = Contents(manifest.revision, list(manifest.rows), manifest.counters, rows.read)
            await fill(
                config.storage.url or sqlite_url(config.storage.file), contents, put_back.finish if put_back else _nothing
            )
        except BaseException:
            if put_back:
                put_back.undo()
            raise
        finally:
            if put_back:
                put_back.close()
    return Restored(manifest, account)


def _check_owner(folder: Path) -> None:
    """Whoever runs the bot could not open what another user, such as root, puts into their folder."""
    if folder.is_dir() and folder.stat().st_uid != os.geteuid():
        owner = folder.stat().st_uid
        raise Refused(f"{folder} is user {owner}'s, who could not open what is restored: restore as they (sudo -u '#{owner}').")


@contextmanager
def _opened(source: Path) -> Iterator[zipfile.ZipFile]:
    try:
        # Opened here, so that it is closed however far a member was read.
        with source.open("rb") as file:
            yield _archive(file)
    except BROKEN:
        raise Refused(NOT_OURS.format(name=source.name, why="it cannot be read to its end")) from None
    except OSError as error:
        raise Refused(f"{error.filename or source} cannot be used ({error.strerror or error}); mend that.") from None


def _archive(file: IO[bytes]) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except ValueError:  # a name that is no text
        raise zipfile.BadZipFile from None


def _checked(archive: zipfile.ZipFile, name: str, progress: Progress) -> Manifest:
    """What the backup is, once every part of it is as its hash says. Raises Refused."""
    names = archive.namelist()
    if any(each.flag_bits & IS_ENCRYPTED or each.compress_type not in PACKED for each in archive.infolist()):
        raise Refused(NOT_OURS.format(name=name, why="it is packed as no backup is"))
    if NAME not in names:
        raise Refused(NOT_OURS.format(name=name, why="it does not say what it is, or was cut off"))
    with archive.open(NAME) as file:
        raw = file.read(manifests.LONGEST + 1)
    if len(raw) > manifests.LONGEST:
        raise Refused(NOT_OURS.format(name=name, why="what it says of itself is too long"))
    manifest = manifests.read(raw, name)
    if sorted(names) != sorted([NAME, *manifest.parts]):
        raise Refused(NOT_OURS.format(name=name, why="it holds other parts than it says"))
    progress.stage("checking", sum(part.bytes for part in manifest.parts.values()))
    for member, part in manifest.parts.items():
        found, length = hashlib.sha256(), 0
        with archive.open(member) as file:
            # Not beyond what it says: a few bytes can be packed so that they unpack to more than any disk holds.
            while length <= part.bytes and (block := file.read(BLOCK)):
                found.update(block)
                length += len(block)
                progress.advance(len(block))
        if (length, found.hexdigest()) != (part.bytes, part.sha256):
            raise Refused(NOT_OURS.format(name=name, why=f"{member} is not what it was"))
    return manifest


def _put_back(archive: zipfile.ZipFile, manifest: Manifest, folder: Folder) -> PutBack | None:
    if not manifest.has_matrix:
        return None
    put_back = PutBack(folder)
    try:
        for part in [each for each in PARTS if MATRIX + each in manifest.parts]:
            with archive.open(MATRIX + part) as source, os.fdopen(write_part(put_back.half / part), "wb") as file:
                shutil.copyfileobj(source, file, BLOCK)
    except BaseException:
        put_back.close()
        raise
    return put_back


def _nothing() -> None:
    """There is nothing but the database."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Reads tables out of a backup."""

    archive: zipfile.ZipFile
    name: str
    counts: Mapping[str, int]
    progress: Progress

    def read(self, table: str) -> tuple[Sequence[str], Iterator[Sequence[Sequence[Any]]]]:
        """A table's columns, and its rows, some at a time. Raises Refused, also later."""
        lines = self._lines(table)
        columns = next(lines, [])
        if not columns or not all(isinstance(column, str) for column in columns):
            raise self._wrong(table)
        return columns, self._batches(table, len(columns), lines)

    def _batches(self, table: str, width: int, lines: Iterator[list[Any]]) -> Iterator[Sequence[Sequence[Any]]]:
        rows: list[Sequence[Any]] = []
        count = 0
        for count, line in enumerate(lines, 1):
            if len(line) != width or count > self.counts[table]:
                raise self._wrong(table)
            rows.append([self._value(table, value) for value in line])
            if len(rows) == AT_A_TIME:
                self.progress.advance(len(rows))
                yield rows
                rows = []
        if count != self.counts[table]:
            raise self._wrong(table)
        if rows:
            self.progress.advance(len(rows))
            yield rows

    def _lines(self, table: str) -> Iterator[list[Any]]:
        with self.archive.open(member_of(table)) as file:
            while raw := _line_of(file):
                try:
                    line = json.loads(raw)
                except (ValueError, RecursionError):
                    raise self._wrong(table) from None
                if not isinstance(line, list):
                    raise self._wrong(table)
                yield line

    def _value(self, table: str, value: object) -> object:
        match value:
            case {"bytes": str(packed)}:
                try:
                    return base64.b64decode(packed, validate=True)
                except binascii.Error:
                    raise self._wrong(table) from None
            case str() if _is_whole(value):
                return value
            case int() if -LARGEST <= value < LARGEST:
                return value
            case None | float():
                return value
        raise self._wrong(table)

    def _wrong(self, table: str) -> Refused:
        return Refused(NOT_OURS.format(name=self.name, why=f"the rows of {table} make no sense, or are not as many as it says"))


def _is_whole(text: str) -> bool:
    """Whether it is no more than letters: JSON can write half of one, which no database takes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _line_of(file: IO[bytes]) -> bytes:
    raw = file.readline(LONGEST_LINE)
    if raw and not raw.endswith(b"\n"):
        raise zipfile.BadZipFile
    return raw
