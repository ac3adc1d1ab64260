"""One folder of state files: how much they may take, which goes first, whose folder it is. It knows no threads and no model.

Rule 1. A file's name is made of a hash: no text from outside becomes a path.
Rule 2. A file has its own name only when it is whole; until then it is a leftover that the next start removes.
Rule 3. One program at a time has the folder: it holds a lock on it for as long as it lives.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from adapters.shelf import layout
from bot.ports.shelf import KeptState

LOCK = "lock"
WHOLE = ".state"
BEGUN = ".part"


class StateFolder:
    """The files of a folder, the longest unused first. Raises BlockingIOError when another program has it, else OSError."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._claim = (folder / LOCK).open("a")
        try:
            fcntl.flock(self._claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for leftover in folder.glob(f"*{BEGUN}"):
                leftover.unlink()
            self._lengths = dict(_by_age(folder))
            self.make_room(0)
        except OSError:
            self._claim.close()
            raise

    @property
    def bytes(self) -> int:
        """What the files take together."""
        return sum(self._lengths.values())

    @property
    def keys(self) -> frozenset[str]:
        """What the files are called."""
        return frozenset(self._lengths)

    def fits(self, length: int) -> bool:
        """Whether a file of this length could be kept at all."""
        return length <= self._limit

    def make_room(self, length: int) -> list[str]:
        """Remove the longest unused files until a file of this length fits; returns what they were called."""
        removed = []
        while self._lengths and self.bytes + length > self._limit:
            removed.append(next(iter(self._lengths)))
            self.remove(removed[-1])
        return removed

    def write(self, key: str, name: str, state: KeptState, written: int | None = None) -> None:
        """Write a state whole, or leave nothing; `written` is when, in nanoseconds, if not now. Raises OSError."""
        part = self._folder / f"{key}{BEGUN}"
        try:
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb", buffering=0) as file:  # noqa: PTH123  Path.open takes no mode for the new file
                layout.write(file, name, state)
                if written is not None:
                    os.utime(file.fileno(), ns=(written, written))
                os.fsync(file.fileno())
            part.replace(self._path(key))
        except OSError:
            part.unlink(missing_ok=True)
            raise
        self._lengths[key] = layout.length_of(name, state)

    def read(self, key: str, name: str) -> KeptState:
        """The state that was written under this name. Raises DamagedState, OSError."""
        with self._path(key).open("rb", buffering=0) as file:
            return layout.read(file, os.fstat(file.fileno()).st_size, name)

    def remove(self, key: str) -> None:
        """Remove a file, if there is one. Raises OSError; it is not counted any more even then."""
        self._lengths.pop(key, None)
        self._path(key).unlink(missing_ok=True)

    def erase(self, key: str) -> None:
        """Remove a file, and what a failed writing left of it, so that no power cut brings them back. Raises OSError."""
        self.remove(key)
        (self._folder / f"{key}{BEGUN}").unlink(missing_ok=True)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def close(self) -> None:
        """Let go of the folder."""
        self._claim.close()

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{WHOLE}"


def key_of(name: str) -> str:
    """What the file of a state of this name is called."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _by_age(folder: Path) -> Iterator[tuple[str, int]]:
    found = [(path.stat(), path.name.removesuffix(WHOLE)) for path in folder.glob(f"*{WHOLE}")]
    for stat, key in sorted(found, key=lambda each: (each[0].st_mtime_ns, each[1])):
        yield key, stat.st_size
