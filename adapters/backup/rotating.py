"""Backups in a folder: what a new one is called, and which are too old. It deletes nothing."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

OURS = re.compile(r"understudy-(\d{4}-\d{2}-\d{2}T\d{6}Z)(?:-\d+)?\.zip(?:\.part)?")
KEYS = re.compile(r"\.understudy-(\d{4}-\d{2}-\d{2}T\d{6}Z)(?:-\d+)?\.zip-\w+")
"""What a backup that was killed leaves: half a file, and a folder with copies of keys."""

HALF = ".part"
"""What a backup is called besides while it is written."""

MOST = 100
"""Names that are tried: nobody makes so many backups within a second."""

WHEN = "%Y-%m-%dT%H%M%SZ"


def new_one(folder: Path, now: datetime) -> Path:
    """What a backup that is made now is called in a folder of them. A second one within a second has a number."""
    stem = f"understudy-{now.astimezone(UTC).strftime(WHEN)}"
    names = (f"{stem}.zip", *(f"{stem}-{number}.zip" for number in range(2, MOST)))
    free = (folder / name for name in names if not (folder / name).exists() and not (folder / f"{name}{HALF}").exists())
    return next(free, folder / names[0])


def old_ones(folder: Path, days: int, now: datetime) -> Sequence[Path]:
    """The backups of a folder that were made more than so many days ago, by their names; nothing else in it is touched.

    What a backup that was killed left behind counts as one.
    """
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            continue
        if match := (KEYS if path.is_dir() else OURS).fullmatch(path.name):
            try:
                made = datetime.strptime(match[1], WHEN).replace(tzinfo=UTC)
            except ValueError:
                continue
            if now - made > timedelta(days=days):
                found.append(path)
    return found
