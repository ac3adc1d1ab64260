"""Has an account's identity vouch for the bot's device: makes one where there is none, and never changes one that is there.

Users whose clients exclude insecure devices exchange nothing with a device that no identity vouches for; others see a red
shield at each of its messages. An identity that was made elsewhere, as Element does at the first login, stays: the key that
vouches for devices is unlocked from the account's secret storage then, with its recovery key.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from nio import KeysUploadError
from nio.crypto.sessions import IdentityKeys

from adapters.matrix.client import Client, OldStore
from adapters.matrix.keeping import LOG_IN, SEED_BYTES, Account, Folder, Seeds
from adapters.matrix.publishing import SIGNED
from adapters.matrix.trust.asking import Content, Denied, Homeserver, part
from adapters.matrix.trust.identity import Standing, from_unpadded, new_seeds, public_key, published, signed, standing
from adapters.matrix.trust.secrets import WrongKey, opened, opening_key
from adapters.network.errors import NETWORK_ERRORS
from bot.errors import Refused

SECRET = "m.cross_signing.self_signing"  # noqa: S105  the name of one
DEFAULT_KEY = "m.secret_storage.default_key"
PASSWORD = "m.login.password"  # noqa: S105  the name of a way to log in

MOST_KEYS = 5
"""Of a secret storage that are tried."""

SHIELD = "users see a red shield at its messages, and those whose clients exclude insecure devices cannot read it, nor it them"
VOUCHED = "The account's identity vouches for the bot's device now."
NO_IDENTITY = f"The account has no identity that vouches for the bot's device: {SHIELD}. To mend it, {LOG_IN}."
FOREIGN = (
    f"The account's identity was made elsewhere, and does not vouch for the bot's device: {SHIELD}. To mend it, {LOG_IN} and "
    "give it the account's recovery key. If that is lost, reset the identity in Element, signed in as the bot (Settings, "
    "Encryption), note the new recovery key, and log in here again."
)
NO_STORAGE = (
    "The account keeps no secrets on its homeserver that a recovery key could open. In Element, signed in as the bot, set up "
    f"recovery (Settings, Encryption), and {LOG_IN} again."
)
OTHER_SECRET = (
    "The recovery key is right, but what it opens is not the account's identity of today. Set up recovery anew in Element, "
    f"signed in as the bot (Settings, Encryption), and {LOG_IN} again."
)


async def ensure(client: Client, account: Account, folder: Folder) -> list[str]:
    """See to it that the device is known and vouched for, as a start has to; returns sentences for the operator, if any.

    Raises NoAnswer where the same may work later, and any other Refused where only the operator can mend what is wrong.
    """
    async with Homeserver(client.homeserver, account.access_token, client.proxy or "") as home:
        await publish(home, client)
        return await vouch(home, account, folder, client.keys.account.identity_keys)


async def look(home: Homeserver, account: Account) -> Standing:
    """What the homeserver publishes of the account. Raises NoAnswer, Denied."""
    answer = await home.ask("POST", "/keys/query", {"device_keys": {account.user_id: []}})
    return standing(answer, account.user_id, account.device_id)


async def publish(home: Homeserver, client: Client) -> None:
    """See to it that the homeserver has the device's keys, and enough of those that are used up. Raises Refused."""
    keys, account = client.keys, client.keys.account
    there = standing(await home.ask("POST", "/keys/query", {"device_keys": {keys.user_id: []}}), keys.user_id, keys.device_id)
    if there.device is not None and not is_ours(there, account.identity_keys):
        raise OldStore
    # Logging out takes the keys off the homeserver, whatever the key store says of it.
    account.shared = there.device is not None
    if account.shared:
        # What was on its way when the last run ended may have come, and be used since: no key is offered twice.
        keys.mark_keys_as_published()
        keys.save_account()
        keys.uploaded_key_count = await one_time_keys(home)
    if client.should_upload_keys:
        await _upload(home, client)


async def one_time_keys(home: Homeserver) -> int:
    """How many of the device's one-time keys nobody has taken. Raises NoAnswer, Denied."""
    counts = (await home.ask("POST", "/keys/upload", {})).get("one_time_key_counts")
    count = counts.get(SIGNED, 0) if isinstance(counts, dict) else 0
    return count if isinstance(count, int) else 0


async def vouch(home: Homeserver, account: Account, folder: Folder, own: IdentityKeys) -> list[str]:
    """Have the account's identity vouch for its device, whose keys are `own`, if it can; returns what there is to say."""
    there = await look(home, account)
    if there.device is None or not is_ours(there, own):
        raise OldStore
    if not there.has_identity:
        if account.seeds is None or account.seeds.master is None:
            return [NO_IDENTITY]
        await make_identity(home, account, folder, _no_password)
        there = await look(home, account)
    if there.is_signed:
        return []
    if account.seeds is None or not there.is_identity_of(account.seeds):
        return [FOREIGN]
    await _sign(home, there, account.seeds)
    return [VOUCHED]


async def make_identity(home: Homeserver, account: Account, folder: Folder, password: Callable[[], str]) -> Account:
    """Give an account its first identity, whose keys are kept before they are published; returns the account with them.

    `password` is called where the homeserver asks for it. Raises Refused, also where the account got an identity meanwhile.
    """
    if account.seeds is None or account.seeds.master is None:
        account = replace(account, seeds=new_seeds())
        folder.keep(account)
    seeds = account.seeds or new_seeds()
    wish = published(seeds, account.user_id)
    try:
        await home.ask("POST", "/keys/device_signing/upload", wish)
    except Denied as refusal:
        if refusal.status != HTTPStatus.UNAUTHORIZED or "flows" not in refusal.content:
            raise
        # With the password another identity could be overwritten: one that somebody made since we looked.
        if (await look(home, account)).has_identity:
            raise Refused(FOREIGN) from None
        proof = by_password(refusal.content, account.user_id, password)
        await home.ask("POST", "/keys/device_signing/upload", {**wish, "auth": proof})
    return account


def by_password(asked: Content, user: str, password: Callable[[], str]) -> Content:
    """A proof that the user is who they are, for a homeserver that asked for one. Raises Refused where a password is none."""
    flows = asked.get("flows")
    stages = [flow.get("stages") for flow in flows if isinstance(flow, dict)] if isinstance(flows, list) else []
    if [PASSWORD] not in stages:
        sentence = "The homeserver wants a proof that only a browser can give before the account gets an identity"
        raise Refused(f"{sentence}: sign in to it with Element once, note the recovery key, and {LOG_IN} again.")
    return {
        "type": PASSWORD,
        "identifier": {"type": "m.id.user", "user": user},
        "password": password(),
        **({"session": asked["session"]} if isinstance(asked.get("session"), str) else {}),
    }


async def keeps_secrets(home: Homeserver, account: Account) -> bool:
    """Whether the account has a secret storage with the key that vouches for devices. Raises NoAnswer, Denied."""
    return bool(_sealed(await _account_data(home, account, SECRET)))


async def unlock(home: Homeserver, account: Account, text: str) -> Seeds:
    """The key that vouches for the account's devices, unlocked with its recovery key or passphrase.

    Raises WrongKey, or any other Refused where no key would do.
    """
    there = await look(home, account)
    sealed = _sealed(await _account_data(home, account, SECRET))
    if not sealed:
        raise Refused(NO_STORAGE)
    usual = (await _account_data(home, account, DEFAULT_KEY)).get("key")
    wrong = WrongKey("That is not the recovery key of this account, nor its passphrase.")
    for name in _in_order(sealed, usual):
        description = await _account_data(home, account, f"m.secret_storage.key.{name}")
        try:
            seed = _seed(opened(SECRET, opening_key(text, description), sealed[name]))
        except WrongKey as error:
            wrong = error
            continue
        if not there.self_signing_key or public_key(seed) != there.self_signing_key:
            raise Refused(OTHER_SECRET)
        return Seeds(self_signing=seed)
    raise wrong


def is_ours(there: Standing, own: IdentityKeys) -> bool:
    """Whether the device has these keys there: its own, by the names of their algorithms."""
    return there.is_device_of(own["ed25519"], own["curve25519"])


def _no_password() -> str:
    raise Refused(NO_IDENTITY)


async def _upload(home: Homeserver, client: Client) -> None:
    try:
        answer = await client.keys_upload()
    except NETWORK_ERRORS as error:
        raise home.unreached(error) from None
    if isinstance(answer, KeysUploadError):
        raise Denied(0, {"errcode": answer.status_code, "error": answer.message})


async def _sign(home: Homeserver, there: Standing, seeds: Seeds) -> None:
    vouched = signed(there.device or {}, seeds.self_signing, there.user)
    answer = await home.ask("POST", "/keys/signatures/upload", {there.user: {there.device_id: vouched}})
    if answer.get("failures"):
        raise Refused(f"The homeserver does not take the signature of the bot's device; {LOG_IN} again.")


async def _account_data(home: Homeserver, account: Account, kind: str) -> Content:
    """What the account keeps there under a name; nothing where there is none."""
    try:
        return await home.ask("GET", f"/user/{part(account.user_id)}/account_data/{part(kind)}")
    except Denied as refusal:
        if refusal.status != HTTPStatus.NOT_FOUND:
            raise
        return {}


def _sealed(secret: Content) -> dict[str, Mapping[str, Any]]:
    """A secret as it is sealed, by the names of the keys that open it."""
    sealed = secret.get("encrypted")
    return {name: each for name, each in sealed.items() if isinstance(each, dict)} if isinstance(sealed, dict) else {}


def _in_order(names: Iterable[str], usual: object) -> list[str]:
    return sorted(names, key=lambda name: name != usual)[:MOST_KEYS]


def _seed(secret: bytes) -> bytes:
    try:
        seed = from_unpadded(secret.decode())
    except ValueError:
        seed = b""
    if len(seed) != SEED_BYTES:
        raise Refused(OTHER_SECRET)
    return seed
