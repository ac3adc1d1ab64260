"""`understudy matrix login`: makes the bot a device of its account, or keeps it one, and has the account vouch for it.

A device that is whole stays: others know its keys. One whose key store is lost is replaced by a new one, as nothing that
was sent to it can be read any more.
"""

import os
from dataclasses import replace
from http import HTTPStatus

from nio.crypto.sessions import IdentityKeys

from adapters.matrix.client import Client, InUse, OldStore, first_client, locked, new_client
from adapters.matrix.keeping import USER, WORD, Account, Folder
from adapters.matrix.key_store import device_account
from adapters.matrix.settings import Settings
from adapters.matrix.trust.asking import UNKNOWN_TOKEN, Denied, Homeserver, part, shown
from adapters.matrix.trust.bootstrap import (
    NO_STORAGE,
    by_password,
    keeps_secrets,
    look,
    make_identity,
    publish,
    unlock,
    vouch,
)
from adapters.matrix.trust.discovery import found
from adapters.matrix.trust.secrets import WrongKey
from adapters.matrix.trust.tokens import Tokens
from adapters.matrix.trust.wishes import Asker, Wish
from adapters.matrix.words import server_of
from bot.errors import Refused

TRIES = 3
"""How often somebody may mistype a recovery key."""

NEW_DEVICE = (
    "The bot is a new device of its account. What was encrypted for its old one it cannot read: stories go on, but messages "
    "that it had not read yet are lost to it."
)


async def log_in(wish: Wish, folder: Folder, asker: Asker) -> Account:
    """Make or keep the bot a device of its account; returns the account as it is kept then. Raises Refused."""
    folder.make()
    kept = _kept(folder, asker)
    going_on = kept if kept is not None and _is_whole(folder, kept, asker) else None
    is_running = _is_running(folder)
    if is_running and going_on is None:
        raise InUse("Understudy is running with keys that are not kept here any more; stop it first, then log in again.")
    user = _user(wish, folder, kept, asker)
    address = kept.homeserver if kept and not wish.homeserver else await found(wish.homeserver, server_of(user), wish.proxy)
    tokens = Tokens(wish, asker, address, going_on)
    account = await tokens.any_for(user)
    if kept is not None and kept.user_id != account.user_id:
        raise _of_another(folder, kept, account.user_id)
    login = _Login(wish, folder, asker, tokens)
    if going_on is not None and going_on.device_id == account.device_id:
        try:
            return await login.go_on(account, is_running=is_running)
        except OldStore as old:
            asker.tell(str(old))
            # No new device is made that could not be used.
            _not_while(is_running)
            tokens.going_on = None
            account = await tokens.with_password(account.user_id)
    _not_while(is_running)
    return await login.begin(account, kept)


class _Login:
    """What follows once there is a token."""

    def __init__(self, wish: Wish, folder: Folder, asker: Asker, tokens: Tokens) -> None:
        self._wish, self._folder, self._asker, self._tokens = wish, folder, asker, tokens
        self._settings = Settings(folder=folder.path, http_proxy=wish.proxy)

    async def go_on(self, account: Account, *, is_running: bool) -> Account:
        """Stay the same device. Raises OldStore, and any other Refused."""
        if is_running:
            self._asker.tell("Understudy is running; it goes on with this login by itself within half a minute.")
            own = device_account(self._folder, account, changes_nothing=True).identity_keys
            account = await self._trusted(account, own)
        else:
            async with new_client(account, self._folder, self._settings) as client:
                account = await self._published(account, client)
        # Kept once more when all is done: whoever waits for another account then finds the key store free.
        self._folder.keep(account)
        return account

    async def begin(self, account: Account, old: Account | None) -> Account:
        """Become a new device, and take the old one away. Raises Refused."""
        async with self._home(account) as home:
            if (await look(home, account)).device is not None:
                raise Refused(
                    f"The device {shown(account.device_id)} has keys already, which are not here: its access token is one of "
                    "Element's, or of a bot that lost its key store. Log in with the password, as a device of its own."
                )
        account = replace(account, seeds=old.seeds if old else None)
        async with first_client(account, self._folder, self._settings) as client:
            self._folder.keep(account)
            account = await self._published(account, client)
        self._folder.keep(account)
        if old is not None:
            await self._replace(old, account)
        return account

    def _home(self, account: Account) -> Homeserver:
        return Homeserver(account.homeserver, account.access_token, self._wish.proxy)

    async def _published(self, account: Account, client: Client) -> Account:
        async with self._home(account) as home:
            await publish(home, client)
        return await self._trusted(account, client.keys.account.identity_keys)

    async def _trusted(self, account: Account, own: IdentityKeys) -> Account:
        """The account, with its identity vouching for the device where that can be."""
        async with self._home(account) as home:
            there = await look(home, account)
            if not there.has_identity:
                account = await make_identity(home, account, self._folder, lambda: self._tokens.ask_password(account.user_id))
                self._asker.tell("The account has an identity now, whose keys are kept with it.")
            elif not there.is_signed and not there.is_identity_of(account.seeds):
                account = await self._unlocked(home, account)
            for sentence in await vouch(home, account, self._folder, own):
                self._asker.tell(sentence)
        return account

    async def _unlocked(self, home: Homeserver, account: Account) -> Account:
        """The account with the key that vouches for its devices, if its recovery key is at hand."""
        if not await keeps_secrets(home, account):
            self._asker.tell(NO_STORAGE)
            return account
        for _ in range(TRIES if self._asker.can_answer and not self._wish.recovery_key else 1):
            text = self._wish.recovery_key or self._ask_recovery_key(account.user_id)
            if not text:
                break
            try:
                account = replace(account, seeds=await unlock(home, account, text))
            except WrongKey as wrong:
                self._asker.tell(str(wrong))
            else:
                self._folder.keep(account)
                break
        return account

    def _ask_recovery_key(self, user: str) -> str:
        if not self._asker.can_answer:
            return ""
        return self._asker.secret(f"Recovery key of {user}, or its passphrase (nothing: go on without)").strip()

    async def _replace(self, old: Account, new: Account) -> None:
        """Take the old device of the account away: nobody has its keys any more."""
        self._asker.tell(NEW_DEVICE)
        try:
            await self._log_out(old, new)
        except Refused:
            self._asker.tell(f"The old device {old.device_id} is still signed in; sign it out in Element (Settings, Sessions).")
        else:
            self._folder.key_store(old).unlink(missing_ok=True)

    async def _log_out(self, old: Account, new: Account) -> None:
        try:
            async with self._home(old) as home:
                await home.ask("POST", "/logout", {})
        except Denied as refusal:
            if refusal.code != UNKNOWN_TOKEN:
                raise
            await self._delete(old.device_id, new)

    async def _delete(self, device: str, new: Account) -> None:
        """Take a device away whose token is lost, by another one and the password."""
        path = f"/devices/{part(device)}"
        async with self._home(new) as home:
            try:
                await home.ask("GET", path)
                await home.ask("DELETE", path, {})
            except Denied as refusal:
                if refusal.status == HTTPStatus.NOT_FOUND:
                    return
                password = self._tokens.password
                if refusal.status != HTTPStatus.UNAUTHORIZED or not password:
                    raise
                await home.ask("DELETE", path, {"auth": by_password(refusal.content, new.user_id, lambda: password)})


def _kept(folder: Folder, asker: Asker) -> Account | None:
    try:
        return folder.account()
    except Refused as damaged:
        asker.tell(f"{damaged} The bot becomes a new device now; sign its old one out in Element.")
        return None


def _is_whole(folder: Folder, kept: Account, asker: Asker) -> bool:
    """Whether the device that is kept can go on."""
    try:
        device_account(folder, kept)
    except Refused as broken:
        asker.tell(str(broken))
        return False
    return True


def _is_running(folder: Folder) -> bool:
    try:
        os.close(locked(folder))
    except InUse:
        return True
    return False


def _not_while(is_running: bool) -> None:  # noqa: FBT001  it reads as a sentence
    if is_running:
        raise InUse("Understudy is running as another device of this account; stop it first, then log in again.")


def _user(wish: Wish, folder: Folder, kept: Account | None, asker: Asker) -> str:
    """Who logs in; empty where only a token tells. Raises Refused."""
    if not wish.user and not kept and wish.token and wish.homeserver:
        return ""
    own = kept.user_id if kept else ""
    user = wish.user or own or asker.text("The bot's user id (such as @bot:example.org)").strip()
    is_local = bool(wish.homeserver or kept) and not user.startswith("@") and WORD.fullmatch(user) is not None
    if not USER.fullmatch(user) and not is_local:
        raise Refused(f"{shown(user)!r} is no user id; write it as @bot:example.org.")
    if kept and user not in {own, own[1:].partition(":")[0]}:
        raise _of_another(folder, kept, user)
    return user


def _of_another(folder: Folder, kept: Account, user: str) -> Refused:
    where = f"{folder.path} holds the account {kept.user_id}"
    return Refused(f"{where}. For {shown(user)}, name another data folder (--data), or move that one away.")
