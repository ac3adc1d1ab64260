"""What is erased from the shelf on disk has no file any more when that is told, and no lie is told about it."""

import logging
import threading
from pathlib import Path

import pytest

from adapters.shelf import DiskShelf
from adapters.shelf.folder import StateFolder, key_of
from tests.builders import a_kept_state

LIMIT = 100_000_000
WORDS = b"what the model holds of Mira"
STATE = a_kept_state(300, data=WORDS * 100)


def erased(shelf: DiskShelf, name: str) -> bool:
    heard: list[bool] = []
    told = threading.Event()

    def done(is_gone: bool) -> None:  # noqa: FBT001 - as the shelf tells it
        heard.append(is_gone)
        told.set()

    shelf.erase(name, done)
    assert told.wait(10), "nothing was told"
    return heard[0]


def found_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if WORDS in path.read_bytes()]


def test_no_file_holds_what_was_erased_once_that_is_told(tmp_path: Path) -> None:
    shelf = DiskShelf(tmp_path, LIMIT)
    shelf.put("mira", STATE)
    assert erased(shelf, "mira")
    assert found_in(tmp_path) == []
    shelf.close()
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_what_an_earlier_program_wrote_is_erased_too(tmp_path: Path) -> None:
    earlier = DiskShelf(tmp_path, LIMIT)
    earlier.put("mira", STATE)
    earlier.close()
    assert found_in(tmp_path)
    shelf = DiskShelf(tmp_path, LIMIT)
    assert erased(shelf, "mira")
    assert found_in(tmp_path) == []
    shelf.close()


def test_what_a_failed_writing_left_is_erased_too(tmp_path: Path) -> None:
    shelf = DiskShelf(tmp_path, LIMIT)
    (tmp_path / f"{key_of('mira')}.part").write_bytes(WORDS)
    assert erased(shelf, "mira")
    assert found_in(tmp_path) == []
    shelf.close()


def test_a_file_that_cannot_be_removed_is_told_of_and_logged_without_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = DiskShelf(tmp_path, LIMIT)
    shelf.put("mira", STATE)

    def refused(_: StateFolder, key: str) -> None:
        raise PermissionError(13, f"not {key}")

    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr(StateFolder, "erase", refused)
        assert not erased(shelf, "mira")
    assert "could not be erased" in caplog.text
    assert "mira" not in caplog.text
    assert erased(shelf, "mira")
    shelf.close()


def test_a_folder_in_other_hands_cannot_be_known_to_be_empty(tmp_path: Path) -> None:
    other = DiskShelf(tmp_path, LIMIT)
    shelf = DiskShelf(tmp_path, LIMIT, patience=0.0)
    assert not erased(shelf, "mira")
    shelf.close()
    other.close()


def test_what_is_erased_while_the_folder_is_waited_for_is_erased_when_it_is_free(tmp_path: Path) -> None:
    other = DiskShelf(tmp_path, LIMIT)
    other.put("mira", STATE)
    shelf = DiskShelf(tmp_path, LIMIT)
    heard: list[bool] = []
    shelf.erase("mira", heard.append)
    assert heard == []
    other.close()
    assert erased(shelf, "tobias")
    assert heard == [True]
    assert found_in(tmp_path) == []
    assert not shelf.holds("mira")
    shelf.close()
