"""One program at a time has the folder of the shelf: the next one waits for it, for a while."""

import fcntl
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.child import ORPHAN_SECONDS
from adapters.shelf import DiskShelf
from adapters.shelf.disk import CLAIM_SECONDS
from tests.adapters.shelf.test_disk import LIMIT, STATE, arrived, fetched, files, kept
from tests.builders import a_kept_state


def test_a_second_program_keeps_out_of_the_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = DiskShelf(tmp_path, LIMIT)
    first.put("mira", STATE)
    second = DiskShelf(tmp_path, LIMIT)
    second.put("mira", a_kept_state(1))
    second.drop("mira")
    second.close()
    first.close()
    assert "another program keeps its model's memory in" in caplog.text
    assert fetched(tmp_path, "mira")[0] == STATE


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "the shelf did not come to it"
        time.sleep(0)


def test_a_folder_that_another_program_lets_go_of_in_time_is_used_from_then_on(tmp_path: Path) -> None:
    first = DiskShelf(kept(tmp_path, mira=STATE), LIMIT)
    second = DiskShelf(tmp_path, LIMIT)
    second.put("tobias", STATE)
    assert (second.holds("mira"), second.holds("tobias")) == (False, True)
    first.close()
    until(lambda: second.holds("mira"))
    second.fetch("mira")
    assert arrived(second) == (("mira", STATE),)
    second.close()
    assert fetched(tmp_path, "tobias")[0] == STATE


def test_what_is_dropped_before_the_folder_is_free_is_gone_from_it(tmp_path: Path) -> None:
    first = DiskShelf(kept(tmp_path, mira=STATE, tobias=STATE), LIMIT)
    second = DiskShelf(tmp_path, LIMIT)
    second.drop("mira")
    first.close()
    until(lambda: second.holds("tobias") and not second.holds("mira"))
    second.close()
    assert len(files(tmp_path)) == 1


def test_a_folder_that_stays_in_other_hands_is_given_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = DiskShelf(tmp_path, LIMIT)
    second = DiskShelf(tmp_path, LIMIT, patience=0)
    second.put("mira", STATE)
    until(lambda: not second.holds("mira"))
    second.put("tobias", STATE)
    assert not second.holds("tobias")
    second.close()
    first.close()
    assert second.statistics().failed_writes == 2
    assert [record.getMessage().split(" in ")[0] for record in caplog.records] == ["another program keeps its model's memory"]
    assert files(tmp_path) == []


def test_a_child_of_a_bot_that_was_killed_is_waited_for() -> None:
    assert CLAIM_SECONDS > ORPHAN_SECONDS


def test_the_folder_is_free_once_the_shelf_is_closed(tmp_path: Path) -> None:
    kept(tmp_path)
    with (tmp_path / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
