"""The folder that holds the account of the bot on Matrix and its keys. It speaks to no homeserver and opens no key.

Whoever has this folder is the bot, so nobody but its owner reads it, whatever the umask says; and what is written in it is
there whole or not at all.
"""

import base64
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from adapters.network.hosts import is_loopback
from bot.errors import Refused

ACCOUNT = "account.json"
KEYS = "keys"
FACES = "faces.json"
NEW = ".new"

LONGEST = 65_536
"""Bytes of an account file."""

TEXTS = ("homeserver", "user_id", "device_id", "access_token", "pickle_key")
SEEDS = ("self_signing", "master", "user_signing")
SEED_BYTES = 32
FOLDER_MODE, FILE_MODE = 0o700, 0o600

USER = re.compile(r"@[^:\s]*:[^\s/]+")
WORD = re.compile(r"[!-~]+")

LOG_IN = "run `understudy matrix login`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """The private keys of an account's identity that are ours to use, 32 bytes each: Ed25519 seeds (RFC 8032).

    One that signs devices is always there. The master key and the one that signs users may be kept elsewhere alone.
    """

    self_signing: bytes = field(repr=False)
    master: bytes | None = field(default=None, repr=False)
    user_signing: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who the bot is: its homeserver's address, its user and device there, and its secrets, which no representation shows.

    `pickle_key` locks the key store. `seeds` are there once the account's identity was made here, or unlocked.
    """

    homeserver: str
    user_id: str
    device_id: str
    access_token: str = field(repr=False)
    pickle_key: str = field(repr=False)
    seeds: Seeds | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder, by its path; nothing of it needs to be there."""

    path: Path

    @property
    def account_file(self) -> Path:
        """The file with the account."""
        return self.path / ACCOUNT

    @property
    def keys(self) -> Path:
        """The folder of the key store."""
        return self.path / KEYS

    @property
    def faces(self) -> Path:
        """The file where it is noted which pictures the homeserver has."""
        return self.path / FACES

    def key_store(self, account: Account) -> Path:
        """The key store of the account's device. Its id may hold what no file's name can."""
        return self.keys / f"{quote(account.device_id, safe='')[:200]}.db"

    def account(self) -> Account | None:
        """The account; None where there is none yet. Raises Refused when its file cannot be used."""
        try:
            with self.account_file.open("rb") as file:
                raw = file.read(LONGEST)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Refused(f"{self.account_file} cannot be read ({error.strerror}); mend that, or {LOG_IN}.") from None
        try:
            return _read(json.loads(raw))
        except (ValueError, TypeError, RecursionError):
            # What the file holds is secret: the sentence tells nothing of it.
            raise Refused(f"{self.account_file} is damaged; bring it back from a backup, or {LOG_IN} again.") from None

    def changed_at(self) -> int:
        """When the account was kept, in nanoseconds since the epoch; 0 where there is none. Another number: another account."""
        try:
            return self.account_file.stat().st_mtime_ns
        except OSError:
            return 0

    def make(self) -> None:
        """Make the folder with its folder of keys, closed to others; close it where it is open. Raises Refused."""
        try:
            self.path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            for folder in (self.path, self.keys):
                folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
                folder.chmod(FOLDER_MODE)
        except OSError as error:
            raise Refused(f"The folder {self.path} cannot be used ({error.strerror}); choose another data folder.") from None

    def keep(self, account: Account) -> None:
        """Write the account in place of the one before. Raises Refused; the one before stays then."""
        self.make()
        new = self.account_file.with_name(ACCOUNT + NEW)
        try:
            new.unlink(missing_ok=True)
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "w", encoding="utf-8") as file:
                json.dump(_written(account), file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.account_file)
            settle(self.path)
        except OSError as error:
            raise Refused(f"{self.account_file} cannot be written ({error.strerror}); mend that and log in again.") from None


def is_safe(address: str) -> bool:
    """Whether secrets may be sent to a server at this address: it speaks TLS, or only this machine can reach it."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    if not parts.hostname or port == 0 or parts.username or parts.password or parts.query or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))


def settle(folder: Path) -> None:
    """Make a renaming outlast a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _written(account: Account) -> dict[str, Any]:
    kept: dict[str, Any] = {name: getattr(account, name) for name in TEXTS}
    if account.seeds:
        seeds = {name: getattr(account.seeds, name) for name in SEEDS}
        kept["seeds"] = {name: base64.b64encode(seed).decode() for name, seed in seeds.items() if seed is not None}
    return kept


def _read(kept: object) -> Account:
    """The account in a file. Raises ValueError or TypeError."""
    if not isinstance(kept, dict):
        raise TypeError
    texts: dict[str, Any] = {name: kept.get(name) for name in TEXTS}
    if not all(isinstance(text, str) for text in texts.values()):
        raise TypeError
    seeds = kept.get("seeds")
    account = Account(**texts, seeds=None if seeds is None else _seeds(seeds))
    words = (account.device_id, account.access_token, account.pickle_key)
    if not is_safe(account.homeserver) or not USER.fullmatch(account.user_id) or not all(map(WORD.fullmatch, words)):
        raise ValueError
    return account


def _seeds(kept: object) -> Seeds:
    if not isinstance(kept, dict):
        raise TypeError
    read = {name: base64.b64decode(kept[name], validate=True) for name in SEEDS if name in kept}
    if "self_signing" not in read or any(len(seed) != SEED_BYTES for seed in read.values()):
        raise ValueError
    return Seeds(**read)
