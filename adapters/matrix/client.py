"""A client for the account that is kept: its keys loaded, encryption on, and no waiting without end. It connects to nothing.

Rule 1: never two clients over one key store. Each has the account's keys in memory, and the last to write would undo what the
other one did: messages to keys that are gone can never be read.
Rule 2: never a new key store in place of a lost one (see `key_store`).
Rule 3: nothing that a stranger sends ends a sync: it would come again with the next one, for ever.
"""

import fcntl
import logging
import os
import weakref
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import vodozemac
from aiohttp import ClientResponse
from nio import (
    Api,
    AsyncClient,
    AsyncClientConfig,
    BadEventType,
    Event,
    KeysUploadError,
    KeysUploadResponse,
    MatrixRoom,
    Response,
    ToDeviceEvent,
)
from nio.crypto import Olm
from nio.store import SqliteStore

from adapters.matrix.keeping import FILE_MODE, LOG_IN, Account, Folder
from adapters.matrix.key_store import AS_A_NEW_DEVICE, device_account
from adapters.matrix.publishing import SIGNED, keys_to_upload
from adapters.matrix.settings import Settings
from adapters.matrix.soundness import sound_keys
from bot.errors import Refused

PATIENCE = 60.0
"""Seconds that one request may take. A sync takes as long as it asks the homeserver to wait, and a little more."""

LOCK = "lock"

log = logging.getLogger(__name__)

# What strangers send is quoted in the library's complaints, and anybody can make it complain.
logging.getLogger("nio").setLevel(logging.CRITICAL)


class Client(AsyncClient):
    """The library's client, mended where it would lose keys or end for what strangers send. `close` lets go of the store."""

    _fallback_is_due = False

    def hold(self, lock: int) -> None:
        """Keep an open lock (a file's descriptor) until `close`."""
        self._let_go = weakref.finalize(self, os.close, lock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End its connections and let go of the key store. Can be repeated."""
        try:
            await super().close()  # type: ignore[no-untyped-call]  # the library's
        finally:
            if self.store:
                self.store.database.close()
            self._let_go()

    @property
    def should_upload_keys(self) -> bool:
        """Whether one-time keys or the fallback key are used up, or the device's own were never uploaded."""
        return bool(super().should_upload_keys) or self._fallback_is_due

    async def keys_upload(self) -> KeysUploadResponse | KeysUploadError:
        """Upload what is due of the device's keys.

        Raises OldStore where the homeserver has others under the same names.
        """
        content = keys_to_upload(self.keys, with_fallback=self._fallback_is_due)
        method, path, data = Api.keys_upload(self.access_token, content)
        answer = await self._send(KeysUploadResponse, method, path, data)
        if isinstance(answer, KeysUploadResponse):
            self._fallback_is_due = False
        elif "already exists" in str(answer.message):
            raise OldStore
        return cast("KeysUploadResponse | KeysUploadError", answer)

    @property
    def keys(self) -> Olm:
        """The device's keys, and those that it knows of others."""
        if self.olm is None:
            raise RuntimeError("the client was made without its keys")
        return self.olm

    async def parse_body(self, transport_response: ClientResponse) -> dict[Any, Any]:
        """The body of an answer, without misshapen keys; what a sync tells of our own keys is noted."""
        body: object = await super().parse_body(transport_response)
        if not isinstance(body, dict):
            return {}
        self.note_own_keys(body)
        return sound_keys(body, self.keys)

    def note_own_keys(self, body: Mapping[str, Any]) -> None:
        """Note what a sync tells of the device's own keys. `body` is the answer, whatever it is an answer to."""
        unused, counts = body.get("device_unused_fallback_key_types"), body.get("device_one_time_keys_count")
        if isinstance(unused, list):
            self._fallback_is_due = SIGNED not in unused
        if isinstance(counts, dict) and not counts.get(SIGNED):
            # The library takes none for unknown, and would leave the device without any.
            self.keys.uploaded_key_count = 0

    async def receive_response(self, response: Response) -> None:
        """Take in an answer: what a sync changes in the key store is there as a whole or, after a crash, not at all."""
        with self.keys.store.database.atomic():
            await super().receive_response(response)

    def _handle_decrypt_to_device(self, to_device_event: ToDeviceEvent) -> ToDeviceEvent | None:
        try:
            return super()._handle_decrypt_to_device(to_device_event)
        except Exception as error:  # noqa: BLE001  whatever the library makes of what a stranger sent
            log.debug("a message to this device could not be read: %s", type(error).__name__)
            return None

    def _handle_timeline_event(
        self, event: Event | BadEventType, room_id: str, room: MatrixRoom, encrypted_rooms: set[str]
    ) -> Event | BadEventType | None:
        try:
            return super()._handle_timeline_event(event, room_id, room, encrypted_rooms)
        except Exception as error:  # noqa: BLE001  whatever the library makes of what a stranger sent
            log.debug("an event could not be read: %s", type(error).__name__)
            return None


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


class OldStore(Refused):
    """The homeserver has other keys of the device than the key store: that is older than the bot's last run."""

    def __init__(self) -> None:
        sentence = (
            "The homeserver has other keys of the bot's device than the key store, which comes from a backup that is too old"
        )
        super().__init__(f"{sentence}: {LOG_IN} to go on as a new device, which cannot read older messages.")


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
