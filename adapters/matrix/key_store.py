"""Looks into the key store of a device without changing it, and says in a sentence what is wrong with it.

The library makes a new store, with new keys, where it finds none. Under a device that is known already, new keys are of no
use: others have locked what they sent with the old ones, and the homeserver refuses the new ones.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import vodozemac
from nio.crypto import OlmAccount

from adapters.matrix.keeping import LOG_IN, Account, Folder
from bot.errors import Refused

PATIENCE = 5.0
"""Seconds to wait for a running bot that writes to the store."""

UNFINISHED = "SQLITE_READONLY_ROLLBACK"
"""SQLite's name for a store that has to be mended before it can be read."""

AS_A_NEW_DEVICE = f"bring it back from a backup, or {LOG_IN}: the bot goes on as a new device, and cannot read older messages"


class Unfinished(Refused):
    """The bot was killed while it wrote to the key store. Whoever opens it to write mends it by that."""


def device_account(folder: Folder, account: Account, *, changes_nothing: bool = False) -> OlmAccount:
    """The keys of the account's device. Raises Refused when they are not there, or cannot be read.

    `changes_nothing`: not even what a crash left half done is undone, as a start would; raises Unfinished for that.
    """
    path = folder.key_store(account)
    if not path.is_file():
        raise Refused(f"The key store {path} is missing: {AS_A_NEW_DEVICE}.")
    try:
        with _opened(path, "ro" if changes_nothing else "rw") as store:
            if store.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("it is damaged")
            found = store.execute(
                "SELECT account, shared FROM accounts WHERE user_id = ? AND device_id = ?", (account.user_id, account.device_id)
            ).fetchone()
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "") == UNFINISHED:
            raise Unfinished(
                f"Understudy was cut off while it wrote to the key store {path}; its next start mends that."
            ) from None
        raise Refused(f"The key store {path} cannot be read ({error}): {AS_A_NEW_DEVICE}.") from None
    if found is None:
        raise Refused(f"The key store {path} does not hold the keys of this device: {AS_A_NEW_DEVICE}.")
    try:
        return OlmAccount.from_pickle(bytes(found[0]), account.pickle_key, bool(found[1]))
    except (vodozemac.PickleException, vodozemac.LibolmPickleException, ValueError, TypeError):
        sentence = f"The pickle key in {folder.account_file} does not open the key store {path}"
        raise Refused(f"{sentence}: bring back both from the same backup, or {LOG_IN} to go on as a new device.") from None


@contextmanager
def _opened(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=PATIENCE)) as store:
        yield store
