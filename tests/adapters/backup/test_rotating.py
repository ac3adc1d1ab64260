"""Backups in a folder are named after their time, and the old ones are known by it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.backup import new_one, old_ones


def test_only_our_old_backups_are_too_old(tmp_path: Path) -> None:
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    ours = [new_one(tmp_path, datetime(2026, 3, day, 11, tzinfo=UTC)).name for day in (1, 2, 3, 9)]
    left = ["understudy-2026-03-01T110000Z.zip.part", ".understudy-2026-03-01T110000Z.zip-ab_1"]
    others = ["understudy-2026-13-01T000000Z.zip", "notes.zip", "understudy-2020-01-01T000000Z.zip.bak"]
    for name in (*ours, *others):
        (tmp_path / name).touch()
    (tmp_path / left[0]).touch()
    (tmp_path / left[1]).mkdir()
    (tmp_path / f"{ours[3]}.part").touch()
    (tmp_path / "understudy-2019-01-01T000000Z.zip").mkdir()
    (tmp_path / "understudy-2018-01-01T000000Z.zip").symlink_to(tmp_path / ours[0])
    assert [path.name for path in old_ones(tmp_path, 7, now)] == [left[1], ours[0], left[0], *ours[1:3]]


def test_a_second_backup_within_a_second_has_a_name_of_its_own_and_grows_old_with_the_first(tmp_path: Path) -> None:
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    made = []
    for _ in range(3):
        made.append(new_one(tmp_path, now))
        made[-1].touch()
    assert len(set(made)) == 3
    assert set(old_ones(tmp_path, 7, now + timedelta(days=8))) == set(made)
