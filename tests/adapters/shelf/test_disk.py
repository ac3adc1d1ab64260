"""Where the shelf on disk can be hurt: files cut and changed, full disks, two programs, restarts, work behind the caller."""

import errno
import logging
import os
import resource
import shutil
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from adapters.shelf import DiskShelf
from adapters.shelf.folder import StateFolder
from adapters.shelf.layout import MAGIC
from bot.ports.shelf import KeptState
from tests.builders import a_kept_state

LIMIT = 100_000_000
STATE = a_kept_state(300, data=bytes(range(256)) * 40)


def kept(folder: Path, **states: KeptState) -> Path:
    """A folder in which these states were put, and whose shelf was closed."""
    shelf = DiskShelf(folder, LIMIT)
    for name, state in states.items():
        shelf.put(name, state)
    shelf.close()
    return folder


def fetched(folder: Path, name: str) -> tuple[KeptState | None, DiskShelf]:
    """What a new shelf brings of this name, and the shelf, closed."""
    shelf = DiskShelf(folder, LIMIT)
    shelf.fetch(name)
    [(_, state)] = arrived(shelf)
    shelf.close()
    return state, shelf


def arrived(shelf: DiskShelf) -> tuple[tuple[str, KeptState | None], ...]:
    end = time.monotonic() + 10
    while not (brought := shelf.fetched()):
        assert time.monotonic() < end, "nothing was brought"
        time.sleep(0)
    return brought


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name != "lock")


def test_what_was_put_outlives_the_program(tmp_path: Path) -> None:
    state, shelf = fetched(kept(tmp_path, mira=STATE), "mira")
    assert state == STATE
    assert shelf.statistics().hits == 1
    assert files(tmp_path) == []


def test_only_its_owner_may_read_it_and_no_name_is_a_path(tmp_path: Path) -> None:
    folder = kept(tmp_path / "new" / "kv", **{"../mira": STATE})
    assert folder.stat().st_mode & 0o777 == 0o700
    [file] = files(folder)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.stem.isalnum()


def changed(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 0x10]) + raw[at + 1 :]


def checked(raw: bytes) -> bytes:
    """The file with a checksum that is right again."""
    return raw[:-4] + struct.pack("<I", zlib.crc32(raw[:-4]))


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda _: b"",
    "cut in its start": lambda raw: raw[:20],
    "cut in its head": lambda raw: raw[:60],
    "cut in its tokens": lambda raw: raw[:400],
    "cut by one byte": lambda raw: raw[:-1],
    "longer by one byte": lambda raw: raw + b"\0",
    "another kind of file": lambda raw: checked(b"GGUF" + raw[4:]),
    "another layout": lambda raw: checked(raw[:16] + struct.pack("<I", 2) + raw[20:]),
    "a flip in its start": lambda raw: changed(raw, 21),
    "a flip in its head": lambda raw: changed(raw, 40),
    "a flip in its tokens": lambda raw: changed(raw, 300),
    "a flip in its state": lambda raw: changed(raw, len(raw) // 2),
    "a flip in its checksum": lambda raw: changed(raw, len(raw) - 2),
    "a head longer than the file": lambda raw: checked(raw[:20] + struct.pack("<I", 2**31) + raw[24:]),
    "a head that is no JSON": lambda raw: checked(raw.replace(b'{"name"', b'["name"')),
    "a head of nests": lambda _: checked(MAGIC + struct.pack("<II", 1, 100_000) + b"[" * 100_000 + bytes(4)),
    "a head of other keys": lambda raw: checked(raw.replace(b'"adapter"', b'"adopter"')),
    "more tokens than there are": lambda raw: checked(raw.replace(b'"tokens": 300', b'"tokens": 900')),
    "a negative number of tokens": lambda raw: checked(raw.replace(b'"tokens": 300', b'"tokens": -30')),
    "a fraction of tokens": lambda raw: checked(raw.replace(b'"tokens": 300', b'"tokens": 3.0')),
    "fewer bytes than there are": lambda raw: checked(raw.replace(b'"bytes": 10240', b'"bytes": 10239')),
    "stretches that do not rise": lambda raw: checked(raw.replace(struct.pack("<2i", 100, 200), struct.pack("<2i", 200, 100))),
    "stretches that end early": lambda raw: checked(raw.replace(struct.pack("<2i", 200, 300), struct.pack("<2i", 200, 299))),
    "another name": lambda raw: checked(raw.replace(b'"mira"', b'"mara"')),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_file_is_told_removed_and_never_handed_out(
    tmp_path: Path, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    [file] = files(kept(tmp_path, mira=STATE))
    raw = file.read_bytes()
    file.write_bytes(DAMAGES[what](raw))
    assert file.read_bytes() != raw
    state, shelf = fetched(tmp_path, "mira")
    assert state is None
    assert shelf.statistics().damaged == 1
    assert files(tmp_path) == []
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith("a saved memory of a story cannot be used and is removed: ")


def test_every_byte_of_a_file_is_checked(tmp_path: Path) -> None:
    [file] = files(kept(tmp_path, mira=a_kept_state(2, data=b"ab")))
    raw = file.read_bytes()
    for at in range(len(raw)):
        file.write_bytes(changed(raw, at))
        assert fetched(tmp_path, "mira")[0] is None, at


def test_the_longest_unused_leaves_first_after_a_restart_too(tmp_path: Path) -> None:
    for age, name in ((1, "new"), (3, "oldest"), (2, "old")):
        before = set(files(kept(tmp_path)))
        [file] = set(files(kept(tmp_path, **{name: STATE}))) - before
        os.utime(file, (time.time() - age * 100,) * 2)
    shelf = DiskShelf(tmp_path, 2 * file.stat().st_size)
    shelf.close()
    assert [shelf.holds(name) for name in ("oldest", "old", "new")] == [False, True, True]
    assert len(files(tmp_path)) == 2


def test_the_files_never_take_more_than_the_limit(tmp_path: Path) -> None:
    [file] = files(kept(tmp_path / "one", mira=STATE))
    shelf = DiskShelf(tmp_path / "two", 3 * file.stat().st_size + 100)
    for number in range(10):
        shelf.put(f"story {number:04}", STATE)
    shelf.close()
    assert len(files(tmp_path / "two")) == 3
    assert (shelf.statistics().entries, shelf.statistics().dropped) == (3, 7)
    assert shelf.statistics().bytes == sum(each.stat().st_size for each in files(tmp_path / "two"))


def test_what_was_half_written_is_removed_at_the_next_start_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / f"{'a' * 40}.part").write_bytes(b"half")
    (tmp_path / "notes.txt").write_bytes(b"not ours")
    kept(tmp_path, mira=STATE)
    assert sorted(path.suffix for path in files(tmp_path)) == [".state", ".txt"]


@contextmanager
def files_no_longer_than(length: int) -> Iterator[None]:
    """As a full disk: a write stops in the middle of the file with an error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_without_room_costs_only_the_state(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept(tmp_path, tobias=STATE)
    shelf = DiskShelf(tmp_path, LIMIT)
    with files_no_longer_than(1_000_000):
        for name in ("mira", "again"):
            shelf.put(name, a_kept_state(data=bytes(2_000_000)))
        shelf.close()
    assert shelf.statistics().failed_writes == 2
    assert [shelf.holds(name) for name in ("mira", "tobias")] == [False, True]
    assert len(files(tmp_path)) == 1
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith("the model's memory of a story could not be written to disk: ")
    assert os.strerror(errno.EFBIG) in line


def test_a_folder_that_vanishes_does_no_harm(tmp_path: Path) -> None:
    shelf = DiskShelf(kept(tmp_path / "kv", tobias=STATE), LIMIT)
    shutil.rmtree(tmp_path / "kv")
    shelf.put("mira", STATE)
    shelf.fetch("tobias")
    shelf.close()
    assert (shelf.statistics().failed_writes, shelf.statistics().misses) == (1, 1)


def test_where_no_folder_can_be_nothing_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "kv").write_text("a file")
    shelf = DiskShelf(tmp_path / "kv", LIMIT)
    shelf.put("mira", STATE)
    assert not shelf.holds("mira")
    shelf.fetch("mira")
    assert shelf.fetched() == (("mira", None),)
    shelf.close()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "(File exists)" in caplog.text


def test_what_is_not_written_yet_is_brought_from_memory(tmp_path: Path) -> None:
    with held_worker(tmp_path) as shelf:
        shelf.put("mira", STATE)
        shelf.fetch("mira")
        assert shelf.fetched() == (("mira", STATE),)
    assert files(tmp_path) == []


def test_what_was_brought_and_never_taken_is_kept_at_the_end(tmp_path: Path) -> None:
    with held_worker(kept(tmp_path, first=STATE, second=STATE)) as shelf:
        shelf.put("mira", STATE)
        for name in ("mira", "first", "second"):
            shelf.fetch(name)
        shelf.put("second", a_kept_state(1))
    assert fetched(tmp_path, "mira")[0] == STATE
    assert fetched(tmp_path, "first")[0] == STATE
    assert fetched(tmp_path, "second")[0] == a_kept_state(1)


def test_what_was_dropped_before_it_was_written_never_reaches_the_disk(tmp_path: Path) -> None:
    with held_worker(kept(tmp_path, first=STATE)) as shelf:
        shelf.put("mira", a_kept_state(data=b"a secret of the story"))
        shelf.drop("mira")
        shelf.drop("first")
    assert files(tmp_path) == []


def test_what_was_dropped_while_it_was_brought_is_not_brought_for_the_next_who_asks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with held_worker(kept(tmp_path, first=STATE)) as shelf:
        shelf.fetch("first")
        shelf.drop("first")
        shelf.fetch("first")
        assert shelf.fetched() == (("first", None), ("first", None))
    assert shelf.fetched() == ()
    assert (shelf.statistics().hits, shelf.statistics().misses) == (0, 1)
    assert files(tmp_path) == []
    assert caplog.records == []


def test_a_state_whose_reading_fails_in_an_unknown_way_is_told_to_be_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> KeptState:
        raise RuntimeError

    kept(tmp_path, mira=STATE)
    monkeypatch.setattr(StateFolder, "read", fails)
    state, shelf = fetched(tmp_path, "mira")
    assert (state, shelf.statistics().damaged) == (None, 1)
    assert "a defect in reading a saved memory" in caplog.text


def test_what_the_disk_took_and_then_could_not_keep_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fails)
    shelf = DiskShelf(tmp_path, LIMIT)
    shelf.put("mira", STATE)
    shelf.close()
    assert (shelf.holds("mira"), shelf.statistics().failed_writes) == (False, 1)
    assert files(tmp_path) == []


def test_a_slow_disk_drops_the_oldest_instead_of_filling_the_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with held_worker(tmp_path, backlog=int(2.5 * STATE.size)) as shelf:
        for name in ("one", "two", "three"):
            shelf.put(name, STATE)
        assert [shelf.holds(name) for name in ("one", "two", "three")] == [False, True, True]
        assert shelf.statistics().dropped == 1
    assert len(files(tmp_path)) == 2
    assert "the disk is too slow" in caplog.text


@contextmanager
def held_worker(folder: Path, **settings: int) -> Iterator[DiskShelf]:
    """A shelf whose worker does nothing until the block ends."""
    may_go_on = Event()
    shelf = DiskShelf(folder, LIMIT, **settings)

    def wait() -> None:
        assert may_go_on.wait(30)

    shelf._jobs.put(wait)
    try:
        yield shelf
    finally:
        may_go_on.set()
        shelf.close()


def test_a_state_is_read_into_one_buffer_and_not_copied(tmp_path: Path) -> None:
    size = 20_000_000
    kept(tmp_path, mira=a_kept_state(data=bytes(size)))
    tracemalloc.start()
    try:
        state, _ = fetched(tmp_path, "mira")
        assert state is not None
        assert tracemalloc.get_traced_memory()[1] < 1.1 * size
    finally:
        tracemalloc.stop()
