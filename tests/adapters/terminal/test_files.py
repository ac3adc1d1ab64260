"""Files that a player at the shell names or takes home."""

import os
from pathlib import Path

import pytest

from adapters.terminal import files
from adapters.terminal.files import bring, take_home
from bot.errors import Refused
from bot.flow.desk import Answer


def test_a_file_of_just_the_limit_is_read_and_one_beyond_it_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "UPLOAD_LIMIT", 4)
    (tmp_path / "four").write_bytes(b"1234")
    (tmp_path / "five").write_bytes(b"12345")
    assert bring(str(tmp_path / "four")) == ("four", b"1234")
    with pytest.raises(Refused, match="larger"):
        bring(str(tmp_path / "five"))


def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in (tmp_path / "pipe", tmp_path, tmp_path / "none", "~no-such-user/card.png", "a\0b"):
        with pytest.raises(Refused):
            bring(str(name))


def test_a_file_is_written_into_the_folder_whatever_it_is_called(tmp_path: Path) -> None:
    assert take_home(Answer("", b"x", "../../etc/passwd"), tmp_path).parent == tmp_path
    assert take_home(Answer("", b"x", ""), tmp_path) == tmp_path / "file"


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="could not be written"):
        take_home(Answer("", b"x", "a"), tmp_path / "none")
