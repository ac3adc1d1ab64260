"""The file of a socket: who may be at its path before a server opens it, and which one is the server's own to remove."""

import errno
import socket
import stat
from pathlib import Path

from bot.errors import ConfigMistakes, NotNow

ASKING_SECONDS = 2.0

Identity = tuple[int, int]
"""A file by its device and number, whatever its name."""

_DEAD = {errno.ECONNREFUSED, errno.ENOENT}


def refuse_taken(path: Path) -> None:
    """Raise NotNow when a server is at the path, ConfigMistakes when it is anything else but a dead server's socket."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise unusable(path, error) from None
    if not stat.S_ISSOCK(mode):
        raise ConfigMistakes([f"{path} is there already and is no socket, so it stays as it is; name another path."])
    if _answers(path):
        raise NotNow(f"Another engine is being served at {path}; end it, or name another path.")


def unusable(path: Path, error: OSError) -> ConfigMistakes:
    """That no server can be at the path."""
    return ConfigMistakes([f"The engine cannot be served at {path} ({error.strerror or error}); name another path."])


def identity(path: Path) -> Identity | None:
    """Which file is at the path; None when there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def remove(path: Path, own: Identity | None) -> None:
    """Remove the file at the path if it is this one."""
    if own is not None and identity(path) == own:
        path.unlink(missing_ok=True)


def _answers(path: Path) -> bool:
    """Whether somebody listens there; whoever cannot be asked may."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(ASKING_SECONDS)
        try:
            asking.connect(str(path))
        except OSError as error:
            return error.errno not in _DEAD
    return True
