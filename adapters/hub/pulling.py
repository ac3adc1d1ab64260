"""Brings a file of the hub into a folder: whole, checked, or not at all. It shows nothing; a watcher is told how far it is.

What has come so far lies beside its later place under a name with its checksum in it, and the next pull goes on from there.
"""

import errno
import fcntl
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from adapters.hub.remote import Address, BrokenOff, Checksum, Hub, RemoteFile
from bot.errors import Refused

MAGIC = b"GGUF"
ENDING = ".gguf"
SLACK = 256 * 1024 * 1024
"""Bytes that must stay free on the disk: a full disk hurts everybody on the machine."""

LONGEST_NAME = 200
GIGA = 1_000_000_000
BLOCK = 4 * 1024 * 1024
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before a new try: the first after one that got further, then longer after each in a row that did not."""


class Watcher(Protocol):
    """Told how far a pull is. It must return at once: the download waits for it."""

    def stage(self, name: str, done: int, total: int) -> None:
        """Something begins, or begins again: `done` of `total` bytes are behind it."""

    def advance(self, count: int) -> None:
        """So many bytes more are done."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """A model file that is there and whole. `fetched` counts the bytes that came now; `checksum` None: the hub names none."""

    path: Path
    size: int
    fetched: int
    checksum: Checksum | None
    commit: str


def pull(hub: Hub, address: Address, folder: Path, watcher: Watcher, *, pause: Callable[[float], None] = time.sleep) -> Pulled:
    """The file of this address in this folder, fetched as far as it is not there yet.

    Nothing that is there is overwritten. Raises Refused; what came so far is then kept, unless it is not the right file.
    """
    name = local_name(address.file)
    remote = hub.look_up(address)
    if remote.size < len(MAGIC):
        raise Refused(f"{address} is empty; choose another file.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        target = folder.resolve() / name
        if os.path.lexists(target):
            return _already_there(target, remote, watcher)
        return _pulled(hub, remote, target, watcher, pause)
    except OSError as error:
        raise Refused(_disk_trouble(error, folder)) from error


def local_name(file: str) -> str:
    """The name of a file of the hub in our folder: its last part, so that no name leads out of the folder. Raises Refused."""
    parts = file.split("/")
    odd = any(part in {"", ".", ".."} or re.search(r'[\x00-\x1f\x7f\\:*?"<>|]', part) for part in parts)
    name = PurePosixPath(file).name
    if odd or name.startswith(".") or len(name.encode()) > LONGEST_NAME:
        raise Refused(f"{file!r} is no file name that can be used here; name a GGUF file as the hub shows it.")
    if not name.lower().endswith(ENDING):
        raise Refused(f"{name} is not a GGUF file by its name; choose one that ends in {ENDING}.")
    return name


def gigabytes(count: int) -> str:
    """A number of bytes as the hub writes it."""
    return f"{count / 1e9:.2f} GB" if count >= GIGA // 100 else f"{count / 1e6:.2f} MB"


def _already_there(target: Path, remote: RemoteFile, watcher: Watcher) -> Pulled:
    if not target.is_file():
        raise Refused(f"{target} is there already and is no file; move it away, or choose another folder with --to.")
    whole = target.stat().st_size == remote.size and _is_right(target, remote, watcher)
    if not whole:
        raise Refused(
            f"{target} is there already and differs from the hub's; move it away, or choose another folder with --to."
        )
    return Pulled(target, remote.size, 0, remote.checksum, remote.commit)


def _pulled(hub: Hub, remote: RemoteFile, target: Path, watcher: Watcher, pause: Callable[[float], None]) -> Pulled:
    mark = remote.checksum.digest if remote.checksum else remote.commit
    part = target.with_name(f"{target.name}.{mark[:12]}.part")
    with _claimed(part) as file:
        have = file.seek(0, os.SEEK_END)
        if have > remote.size:
            have = file.truncate(0)
        _require_space(target.parent, remote, have)
        fetched = _Download(hub, remote, part, file, watcher).run(pause)
        file.flush()
        os.fsync(file.fileno())
        if not _is_right(part, remote, watcher):
            part.unlink()
            raise Refused(
                f"What came for {remote.address} has another checksum than the hub's own and was removed; pull it again."
                " If that happens twice, something between the hub and this machine changes files."
            )
        if os.path.lexists(target):
            raise Refused(f"{target} has come to be there meanwhile and stays as it is; this download stays in {part.name}.")
        part.rename(target)
    return Pulled(target, remote.size, fetched, remote.checksum, remote.commit)


@contextmanager
def _claimed(part: Path) -> Iterator[BinaryIO]:
    """What has come so far, open for more of it; for one pull at a time. Raises Refused."""
    with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused(f"Another pull is fetching {part.name} now; wait for it, or stop it.") from None
        yield file


def _require_space(folder: Path, remote: RemoteFile, have: int) -> None:
    free = shutil.disk_usage(folder).free
    needed = remote.size - have + SLACK
    if free < needed:
        raise Refused(
            f"{remote.address.file} needs {gigabytes(needed)} more in {folder} and {gigabytes(free)} are free;"
            " make room, or choose another folder with --to."
        )


@dataclass(slots=True)
class _Download:
    """One file on its way: asks again where the connection broke, with longer pauses while nothing comes at all."""

    hub: Hub
    remote: RemoteFile
    part: Path
    file: BinaryIO
    watcher: Watcher
    fetched: int = 0

    def run(self, pause: Callable[[float], None]) -> int:
        """Fetch what is missing; the number of bytes that came. Raises Refused."""
        vain = 0
        have = furthest = self.file.seek(0, os.SEEK_END)
        self.watcher.stage("Downloading", have, self.remote.size)
        while have < self.remote.size:
            try:
                self._take(have)
            except BrokenOff as broken:
                # A hub that serves whole files only begins anew each time: what counts is how far it got, not what came.
                vain = 0 if self.file.tell() > furthest else vain + 1
                if vain >= len(PAUSES):
                    raise Refused(self._given_up(broken)) from broken
                pause(broken.seconds or PAUSES[vain])
            have = self.file.tell()
            furthest = max(furthest, have)
        return self.fetched

    def _take(self, offset: int) -> None:
        with self.hub.opened(self.remote, offset) as (start, blocks):
            if start != offset:
                self._begin_again(start)
            for block in blocks:
                self._keep(block[: self.remote.size - self.file.tell()])
        if self.file.tell() < self.remote.size:
            raise BrokenOff("the answer ended early")

    def _begin_again(self, start: int) -> None:
        """The hub sends other bytes than were asked for: those from its first one on are good, and no others."""
        if start:
            raise BrokenOff("the hub sends other bytes than it was asked for")
        self.file.seek(0)
        self.file.truncate()
        self.watcher.stage("Downloading", 0, self.remote.size)

    def _keep(self, block: bytes) -> None:
        if self.file.tell() == 0 and not MAGIC.startswith(block[: len(MAGIC)]):
            self.part.unlink()
            raise Refused(f"{self.remote.address} is not a GGUF file by its content; choose another file.")
        self.file.write(block)
        self.fetched += len(block)
        self.watcher.advance(len(block))

    def _given_up(self, broken: BrokenOff) -> str:
        so_far = f"{gigabytes(self.file.tell())} of {gigabytes(self.remote.size)}"
        return f"The download broke off ({broken}) with {so_far} here; pull again to go on from there."


def _is_right(path: Path, remote: RemoteFile, watcher: Watcher) -> bool:
    """Whether the content is what the hub says it is; only its beginning is looked at where the hub says nothing."""
    watcher.stage("Checking", 0, remote.size)
    with path.open("rb") as file:
        if remote.checksum is None:
            return file.read(len(MAGIC)) == MAGIC
        # Git hashes its objects so; this is their name, no protection. The hub gives nothing better for small files.
        digest = hashlib.sha256() if remote.checksum.kind == "sha256" else hashlib.sha1(usedforsecurity=False)
        if remote.checksum.kind == "git":
            digest.update(f"blob {remote.size}\0".encode())
        while block := file.read(BLOCK):
            digest.update(block)
            watcher.advance(len(block))
    return digest.hexdigest() == remote.checksum.digest


def _disk_trouble(error: OSError, folder: Path) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"The disk of {folder} is full; make room and pull again to go on from there."
    return f"The folder {folder} cannot be used ({error.strerror or error}); choose another with --to."
