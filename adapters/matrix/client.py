"""A client for the account that is kept: its keys loaded, encryption on, and no waiting without end. It connects to nothing.

Rule 1: never two clients over one key store. Each has the account's keys in memory, and the last to write would undo what the
other one did: messages to keys that are gone can never be read.
Rule 2: never a new key store in place of a lost one (see `key_store`).
"""

import fcntl
import logging
import os
import weakref
from pathlib import Path

import vodozemac
from nio import AsyncClient, AsyncClientConfig
from nio.store import SqliteStore

from adapters.matrix.keeping import FILE_MODE, Account, Folder
from adapters.matrix.key_store import AS_A_NEW_DEVICE, device_account
from adapters.matrix.settings import Settings
from bot.errors import Refused

PATIENCE = 60.0
"""Seconds that one request may take. A sync takes as long as it asks the homeserver to wait, and a little more."""

LOCK = "lock"

# What strangers send is quoted in the library's complaints, and anybody can make it complain.
logging.getLogger("nio").setLevel(logging.CRITICAL)


class Client(AsyncClient):
    """The library's client, which lets go of the key store when it is closed."""

    def hold(self, lock: int) -> None:
        """Keep an open lock (a file's descriptor) until `close`."""
        self._let_go = weakref.finalize(self, os.close, lock)

    async def close(self) -> None:
        """End its connections and let go of the key store. Can be repeated."""
        try:
            await super().close()  # type: ignore[no-untyped-call]  # the library's
        finally:
            if self.store:
                self.store.database.close()
            self._let_go()


def new_client(account: Account, folder: Folder, settings: Settings) -> Client:
    """A client with the keys of the account's device. `close` it.

    Raises Refused, with what to do, when the key store is lost, broken, or not this account's, and while it is in use.
    """
    folder.make()
    lock = locked(folder)
    try:
        device_account(folder, account)
        return _client(account, folder, settings.http_proxy, lock)
    except BaseException:
        os.close(lock)
        raise


def first_client(account: Account, folder: Folder, settings: Settings) -> Client:
    """A client for a device that is new, with new keys in a new key store. `close` it. Raises Refused."""
    folder.make()
    lock = locked(folder)
    try:
        folder.key_store(account).unlink(missing_ok=True)
        return _client(account, folder, settings.http_proxy, lock)
    except OSError as error:
        os.close(lock)
        raise Refused(f"The key store in {folder.keys} cannot be written ({error.strerror}); mend that.") from None
    except BaseException:
        os.close(lock)
        raise


def locked(folder: Folder) -> int:
    """The descriptor of the lock on the key store, to be closed; one that is left open ends with the program.

    Raises Refused while another program, or another client of this one, has it.
    """
    try:
        lock = os.open(folder.keys / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    except OSError as error:
        raise Refused(f"The folder {folder.keys} cannot be used ({error.strerror}); mend that.") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise InUse(f"Understudy is running with the keys in {folder.keys}; stop it first.") from None
    return lock


class InUse(Refused):
    """The key store is used by a client that runs."""


def _client(account: Account, folder: Folder, proxy: str, lock: int) -> Client:
    store = folder.key_store(account)
    _close_to_others(store)
    client = Client(
        account.homeserver.rstrip("/"),
        account.user_id,
        account.device_id,
        str(folder.keys),
        AsyncClientConfig(
            # The usual store keeps files beside it whose names no user with a slash in their id can have.
            store=SqliteStore,
            store_name=store.name,
            pickle_key=account.pickle_key,
            encryption_enabled=True,
            store_sync_tokens=False,
            # Whoever asks has to know: waiting and trying again is theirs.
            max_limit_exceeded=0,
            max_timeouts=0,
            request_timeout=PATIENCE,
        ),
        proxy=proxy or None,
    )
    try:
        client.restore_login(account.user_id, account.device_id, account.access_token)
    except (vodozemac.PickleException, vodozemac.LibolmPickleException):
        raise Refused(f"The key store {store} is damaged: {AS_A_NEW_DEVICE}.") from None
    client.hold(lock)
    return client


def _close_to_others(store: Path) -> None:
    """Make the file with the right mode before the database does with any; what the database adds beside it gets the same."""
    os.close(os.open(store, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE))
    store.chmod(FILE_MODE)
