"""What waits to be written when the shelf is closed: all of it is, the newest first."""

from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from adapters.shelf import DiskShelf
from adapters.shelf.folder import StateFolder
from tests.adapters.shelf.test_disk import LIMIT, STATE, files, kept


def closed_with_work_left(folder: Path, names: Sequence[str], limit: int = LIMIT) -> DiskShelf:
    """A closed shelf whose worker did nothing before it was closed."""
    shelf = DiskShelf(folder, limit)
    shelf._jobs.put(lambda: assert_set(shelf._closing))
    for name in names:
        shelf.put(name, STATE)
    shelf.close()
    return shelf


def assert_set(event: Event) -> None:
    assert event.wait(30)


def test_when_closed_the_newest_is_written_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    write = StateFolder.write

    def noted(self: StateFolder, key: str, name: str, *rest: Any) -> None:
        written.append(name)
        write(self, key, name, *rest)

    monkeypatch.setattr(StateFolder, "write", noted)
    closed_with_work_left(tmp_path, ["one", "two", "three"])
    assert written == ["three", "two", "one"]


def test_what_was_written_last_at_the_end_still_is_the_oldest_at_the_next_start(tmp_path: Path) -> None:
    closed_with_work_left(tmp_path, ["one", "two", "three"])
    shelf = DiskShelf(tmp_path, 2 * files(tmp_path)[0].stat().st_size + 100)
    shelf.close()
    assert [shelf.holds(name) for name in ("one", "two", "three")] == [False, True, True]


def test_when_closed_an_older_one_takes_no_room_from_a_newer_one(tmp_path: Path) -> None:
    [file] = files(kept(tmp_path, before=STATE))
    shelf = closed_with_work_left(tmp_path, ["one", "two", "six"], 2 * file.stat().st_size + 100)
    assert shelf.statistics().dropped == 2
    assert [shelf.holds(name) for name in ("before", "one", "two", "six")] == [False, False, True, True]
    assert len(files(tmp_path)) == 2
