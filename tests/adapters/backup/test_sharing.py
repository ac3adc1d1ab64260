"""Others at the same files: two backups never mix, and a restore leaves nothing that its bot cannot open."""

import json
import os
import zipfile
from pathlib import Path

import pytest

from adapters.backup import back_up, restore
from adapters.backup.making import _half_of
from bot.errors import Refused
from storage.store import open_store
from tests.adapters.backup.conftest import Noting, Places, make, url_of
from tests.adapters.backup.test_backup import a_backup


async def test_two_backups_to_one_file_never_mix(places: Places, tmp_path: Path) -> None:
    file, config = tmp_path / "backup.zip", places.new()
    make(config)
    await (await open_store(url_of(config))).close()

    class Meanwhile(Noting):
        def stage(self, name: str, total: int) -> None:
            super().stage(name, total)
            with pytest.raises(Refused, match="is under way"), _half_of(file):
                pass

    made = await back_up(config, file, Meanwhile())
    with zipfile.ZipFile(file) as archive:
        assert json.loads(archive.read("manifest.json"))["made"] == made.made
    assert [path.name for path in tmp_path.glob("backup*")] == ["backup.zip"]  # noqa: ASYNC240  nothing else runs


async def test_what_a_killed_backup_left_is_taken_over_and_closed_to_others(places: Places, tmp_path: Path) -> None:
    file, half = tmp_path / "backup.zip", tmp_path / "backup.zip.part"
    half.write_bytes(bytes(1 << 20))
    half.chmod(0o644)
    await a_backup(places, file)
    assert (file.stat().st_mode & 0o777, half.exists(), zipfile.ZipFile(file).testzip()) == (0o600, False, None)


async def test_a_restore_into_another_users_folder_is_refused(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_backup(places, tmp_path / "backup.zip")
    config = places.new()
    make(config)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(Refused, match="restore as they"):
        await restore(config, tmp_path / "backup.zip", Noting())
    assert list(Path(config.storage.directory).iterdir()) == []  # noqa: ASYNC240  nothing else runs
