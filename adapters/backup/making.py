"""Makes a backup, beside a running bot: one file, closed to others, whole or not there. It stops nothing and changes nothing.

Rule: the database is read first, as one state, and the keys on Matrix after it. The other way round, the database could say of
messages with keys in them that they were read, and the key store would not have these keys yet; nobody sends them again.
"""

import base64
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Protocol

from adapters import __version__
from adapters.backup.manifest import MATRIX, NAME, Manifest, Part, member_of
from adapters.backup.rotating import HALF
from adapters.config import Config
from adapters.matrix.copying import copied
from adapters.matrix.keeping import Folder, settle
from bot.errors import NotNow, Refused
from storage.store import sqlite_url
from storage.upkeep import Snapshot, snapshot

BLOCK = 1 << 20
FILE_MODE = 0o600
FILE_RIGHTS = FILE_MODE << 16
"""How a ZIP file writes that a member is its owner's alone."""


class Progress(Protocol):
    """Hears how far it is."""

    def stage(self, name: str, total: int) -> None:
        """Something with so many pieces begins."""

    def advance(self, count: int) -> None:
        """So many more of them are done."""


async def back_up(config: Config, target: Path, progress: Progress) -> Manifest:
    """Write a backup to a file that is not there yet; what is in it. Raises Refused and StoreUnavailable."""
    with _written_to(target):
        _check_free(target)
        with _half_of(target) as (half, file):
            manifest = await _written(config, file, target, progress)
            file.flush()
            os.fsync(file.fileno())
            _check_free(target)
            half.replace(target)
        settle(target.parent)
    return manifest


@contextmanager
def _half_of(target: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """The file that becomes a backup, empty and this program's alone in the block; what is left of it then goes.

    Raises Refused. What a backup that was killed left is taken over; one that is under way is not: the two would mix.
    """
    half = target.with_name(target.name + HALF)
    with os.fdopen(os.open(half, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE), "w+b") as file:
        _claim(half, file, target)
        try:
            os.fchmod(file.fileno(), FILE_MODE)
            file.truncate()
            yield half, file
        finally:
            if _is_at(half, file):
                half.unlink()


def _claim(half: Path, file: IO[bytes], target: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise NotNow(f"Another backup to {target} is under way; wait for it, or name another file.") from None
    if not _is_at(half, file):
        # It became somebody's backup between the two steps.
        raise Refused(f"{target} is there already and stays as it is; name another file.")


def _is_at(path: Path, file: IO[bytes]) -> bool:
    return path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno()))


def _check_free(target: Path) -> None:
    if target.exists():
        raise Refused(f"{target} is there already and stays as it is; name another file.")


@contextmanager
def _written_to(target: Path) -> Iterator[None]:
    """A file that cannot be written is Refused. Within a step of the database it would else count as one of its errors."""
    try:
        yield
    except FileNotFoundError:
        raise Refused(f"{target} cannot be written: its folder is not there; make that, or name another file.") from None
    except OSError as error:
        raise Refused(f"{target} cannot be written ({error.strerror or error}); make room, or name another file.") from None


async def _written(config: Config, file: IO[bytes], target: Path, progress: Progress) -> Manifest:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        members = _Members(archive, target)
        async with snapshot(config.storage.url or sqlite_url(config.storage.file)) as state:
            progress.stage("stories", sum(state.rows.values()))
            for table in state.rows:
                await _write_table(members, state, table, progress)
            # Within the block: see the rule above.
            with _written_to(target):
                _write_matrix(members, Folder(config.matrix_folder), target)
        manifest = Manifest(
            program=__version__,
            made=datetime.now(UTC).isoformat(timespec="seconds"),
            database=state.kind,
            revision=state.revision,
            rows=dict(state.rows),
            counters=dict(state.counters),
            parts=dict(members.parts),
        )
        with members.new(NAME) as member:
            member.write(manifest.text)
    return manifest


async def _write_table(members: "_Members", state: Snapshot, table: str, progress: Progress) -> None:
    with members.new(member_of(table)) as member:
        member.write(_line(state.columns(table)))
        async for rows in state.read(table):
            member.write(b"".join(map(_line, rows)))
            progress.advance(len(rows))


def _write_matrix(members: "_Members", folder: Folder, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as private:
        for name, path in copied(folder, Path(private)).items():
            with members.new(MATRIX + name) as member, path.open("rb") as file:
                shutil.copyfileobj(file, member, BLOCK)


def _line(values: Any) -> bytes:  # noqa: ANN401  whatever a row holds
    return json.dumps(list(values), ensure_ascii=False, default=_bytes).encode() + b"\n"


def _bytes(value: object) -> dict[str, str]:
    if not isinstance(value, bytes):
        raise TypeError(f"the database holds a {type(value).__name__}, which a backup cannot")
    return {"bytes": base64.b64encode(value).decode()}


class _Member:
    """A member while it is written."""

    def __init__(self, file: IO[bytes], target: Path) -> None:
        self._file, self._target, self._hash, self._length = file, target, hashlib.sha256(), 0

    def write(self, block: bytes) -> None:
        """Write so much more. Raises Refused."""
        with _written_to(self._target):
            self._file.write(block)
        self._hash.update(block)
        self._length += len(block)

    @property
    def part(self) -> Part:
        """What it is by now."""
        return Part(self._length, self._hash.hexdigest())


class _Members:
    """Writes members, and notes what they are."""

    def __init__(self, archive: zipfile.ZipFile, target: Path) -> None:
        self._archive, self._target = archive, target
        self.parts: dict[str, Part] = {}

    @contextmanager
    def new(self, name: str) -> Iterator[_Member]:
        """A member that is written in the block. Raises Refused."""
        about = zipfile.ZipInfo(name, datetime.now(UTC).timetuple()[:6])
        about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, FILE_RIGHTS
        with _written_to(self._target):
            file = self._archive.open(about, "w", force_zip64=True)
        member = _Member(file, self._target)
        try:
            yield member
        finally:
            with _written_to(self._target):
                file.close()
        self.parts[name] = member.part
