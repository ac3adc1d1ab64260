"""Files that the player at the shell names or takes home: read up to a limit, written beside nothing that was there.

It knows no story. The shell is the operator's own, so any file that they may read can be named.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from bot.errors import Refused
from bot.flow.desk import Answer

UPLOAD_LIMIT = 16 * 1024 * 1024
"""Bytes of a file that may be brought in."""

UNSAFE = re.compile(r"[^\w.() -]")
TRIES = 100


def bring(named: str) -> tuple[str, bytes]:
    """A file's own name and its bytes. Raises Refused when it cannot be read or is larger than is read."""
    path = Path(named)
    try:
        path = path.expanduser()
        # What is no plain file may never end, or wait for ever.
        if not path.is_file():
            raise Refused(f"There is no file {path}; write its path after the command.")
        with path.open("rb") as file:
            data = file.read(UPLOAD_LIMIT + 1)
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise Refused(f"The file {path} cannot be read ({reason}).") from None
    if len(data) > UPLOAD_LIMIT:
        raise Refused(f"The file {path} is larger than {UPLOAD_LIMIT // 1024 // 1024} MiB, the most that is read.")
    return path.name, data


def take_home(answer: Answer, folder: Path) -> Path:
    """Write an answer's file into a folder, under a name that is free; returns where. Raises Refused when it cannot be."""
    name = UNSAFE.sub("_", answer.file_name).strip(" .")[:100] or "file"
    try:
        path = next(path for path in _names(folder, name) if not path.exists())
        with path.open("xb") as file:
            file.write(answer.file)
    except StopIteration:
        raise Refused(f"There are too many files of the name {name} in {folder}; move some away.") from None
    except OSError as error:
        raise Refused(f"The file could not be written to {folder} ({error.strerror or error}).") from error
    return path


def _names(folder: Path, name: str) -> Iterator[Path]:
    plain = Path(name)
    yield folder / name
    yield from (folder / f"{plain.stem} ({number}){plain.suffix}" for number in range(2, TRIES))
