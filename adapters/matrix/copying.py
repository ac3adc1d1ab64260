"""Copies of the folder with the bot's account and keys, made while the bot runs, and put back. It speaks to no homeserver."""

import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

from adapters.matrix.client import LOCK
from adapters.matrix.keeping import ACCOUNT, FACES, FILE_MODE, Folder
from adapters.matrix.key_store import PATIENCE, device_account
from bot.errors import Refused

KEY_STORE = "keys.db"
"""What the key store is called in a copy: on a disk it is called after its device."""

PARTS = (ACCOUNT, KEY_STORE, FACES)
"""What a copy may consist of."""

NEEDED = (ACCOUNT, KEY_STORE)

HALF = ".restoring"


def copied(folder: Folder, into: Path) -> Mapping[str, Path]:
    """Copies of the parts in a folder that nobody else can read; none where there is no account. Raises Refused.

    The key store is copied as one state of it, whatever the bot writes meanwhile.
    """
    account = folder.account()
    if account is None:
        return {}
    store = folder.key_store(account)
    if not store.is_file():
        raise Refused(f"The key store {store} is missing, so there are no keys to back up; see `understudy matrix doctor`.")
    try:
        found = {KEY_STORE: _copied_store(store, into / KEY_STORE)}
        for name, path in ((ACCOUNT, folder.account_file), (FACES, folder.faces)):
            if path.is_file():
                found[name] = Path(shutil.copyfile(path, into / name))
        if Folder(into).account() != account:
            raise Refused("The bot was logged in to Matrix anew just now; try again.")
    except (OSError, sqlite3.Error) as error:
        raise Refused(f"The folder {folder.path} cannot be copied ({error}); try again.") from None
    return found


def _copied_store(store: Path, copy: Path) -> Path:
    # "rw" and not "ro": what a crash left half done is undone first, as the bot's next start would.
    source = sqlite3.connect(f"{store.absolute().as_uri()}?mode=rw", uri=True, timeout=PATIENCE)
    with closing(source), closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def is_vacant(folder: Folder) -> bool:
    """Whether there are neither an account nor keys."""
    return not folder.account_file.exists() and not any(folder.keys.glob("*.db")) and not folder.faces.exists()


class PutBack:
    """The parts of a copy on their way to a vacant folder: checked beside it, and then there at once, or not at all.

    Write the parts into `half`; then `check`, `finish`, and always `close`. A folder that holds these very parts is as good as
    vacant: a restore that was killed just before its end left it, and nobody has used it since.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self.half = folder.path.with_name(folder.path.name + HALF)
        self._is_there = False
        try:
            # What a killed restore left: nobody else uses this name.
            if self.half.is_dir():
                shutil.rmtree(self.half)
            Folder(self.half).make()
        except OSError as error:
            raise Refused(f"{self.half} cannot be written ({error.strerror}); mend that.") from None

    def check(self) -> str:
        """Give the key store its name and open it; whose account it is. Raises Refused when the parts do not fit together."""
        half = Folder(self.half)
        account = half.account()
        if account is None:
            raise Refused("The backup holds keys on Matrix without their account; it cannot be used.")
        (self.half / KEY_STORE).rename(half.key_store(account))
        half.key_store(account).chmod(FILE_MODE)
        device_account(half, account)
        if not is_vacant(self._folder) and not self._is_left_over():
            raise Refused(f"{self._folder.path} holds an account on Matrix already: move it away, so that nothing is mixed.")
        return account.user_id

    def finish(self) -> None:
        """Put the folder in its place. Raises Refused when something is there by now."""
        folder = self._folder
        try:
            if self._is_left_over():
                shutil.rmtree(self.half)
                self._is_there = True
                return
            if folder.path.is_dir():
                (folder.keys / LOCK).unlink(missing_ok=True)
                with suppress(FileNotFoundError):
                    folder.keys.rmdir()
                folder.path.rmdir()
            self.half.rename(folder.path)
        except OSError as error:
            raise Refused(f"{folder.path} is in the way ({error.strerror}): move it away.") from None
        self._is_there = True

    def _is_left_over(self) -> bool:
        return not is_vacant(self._folder) and _contents(self._folder.path) == _contents(self.half)

    def undo(self) -> None:
        """Take it out of its place again."""
        if self._is_there:
            self._folder.path.rename(self.half)
            self._is_there = False

    def close(self) -> None:
        """Clear up what did not come to its place."""
        if self.half.is_dir():
            shutil.rmtree(self.half, ignore_errors=True)


def _contents(folder: Path) -> Mapping[Path, bytes]:
    """Every file below a folder but the lock, which says nothing. Raises OSError."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != LOCK]
    return {path.relative_to(folder): path.read_bytes() for path in files}


def write_part(path: Path) -> int:
    """A new file that nobody else can read, to be written and closed. Raises OSError."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
