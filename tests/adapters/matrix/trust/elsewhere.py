"""An account that was set up elsewhere, as Element does it: an identity whose keys lie in secret storage, under a recovery key.

It seals what the bot has to open. That Element's own SDK seals alike, `test_element` shows.
"""

import base64
import hashlib
import hmac
from typing import Any

from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF

from adapters.matrix.keeping import Seeds
from adapters.matrix.trust.identity import new_seeds, published
from tests.homeserver.people import Person

KEY = hashlib.sha256(b"the recovery key of tests").digest()
SELF_SIGNING = "m.cross_signing.self_signing"


async def set_up(person: Person, seeds: Seeds | None = None, *, key: bytes = KEY) -> Seeds:
    """Give the account an identity; returns its keys, which lie in secret storage now."""
    seeds = seeds or new_seeds()
    await person.wire.ask("POST", "/keys/device_signing/upload", published(seeds, person.user_id))
    await keep_secret(person, seeds.self_signing, key)
    return seeds


async def keep_secret(person: Person, seed: bytes, key: bytes = KEY) -> None:
    """Keep the key that vouches for devices in secret storage, as the only secret there."""
    sealed = _sealed(SELF_SIGNING, key, base64.b64encode(seed).rstrip(b"="))
    check = _sealed("", key, bytes(32))
    description = {"algorithm": "m.secret_storage.v1.aes-hmac-sha2", "iv": check["iv"], "mac": check["mac"]}
    await person.set_account_data("m.secret_storage.key.usual", description)
    await person.set_account_data("m.secret_storage.default_key", {"key": "usual"})
    await person.set_account_data(SELF_SIGNING, {"encrypted": {"usual": sealed}})


def written(key: bytes) -> str:
    """A key as people write it down."""
    digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    raw = b"\x8b\x01" + key
    parity = 0
    for byte in raw:
        parity ^= byte
    number, word = int.from_bytes(raw + bytes([parity])), ""
    while number:
        number, digit = divmod(number, 58)
        word = digits[digit] + word
    return " ".join(word[start : start + 4] for start in range(0, len(word), 4))


def _sealed(name: str, key: bytes, secret: bytes) -> dict[str, Any]:
    keys: Any = HKDF(key, 64, bytes(32), SHA256, context=name.encode())
    iv = hashlib.sha256(name.encode()).digest()[:16]
    ciphertext = AES.new(keys[:32], AES.MODE_CTR, nonce=b"", initial_value=iv).encrypt(secret)
    mac = hmac.new(keys[32:], ciphertext, hashlib.sha256).digest()
    return {"iv": _text(iv), "ciphertext": _text(ciphertext), "mac": _text(mac)}


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
