"""Secret storage: what an account keeps on its homeserver under a recovery key, unlocked. Pure; it asks nobody for anything.

The specification's section (https://spec.matrix.org/v1.16/client-server-api/#secrets): a key opens AES-CTR-256 and
HMAC-SHA-256 whose keys are derived from it by HKDF-SHA-256 for each secret; the key itself is written in base58, or made of a
passphrase by PBKDF2-SHA-512.
"""

import hashlib
import hmac
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF

from adapters.matrix.trust.identity import from_unpadded
from bot.errors import Refused

ALGORITHM = "m.secret_storage.v1.aes-hmac-sha2"
PBKDF2 = "m.pbkdf2"

DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
"""Of base58, as Bitcoin writes it."""

HEAD = b"\x8b\x01"
KEY_BYTES = 32
IV_BYTES = 16

MOST_ROUNDS = 10_000_000
"""Rounds of PBKDF2 that are still computed, some seconds of work: a homeserver could name any number. Element uses 500,000."""

LONGEST_TEXT = 1_000


class WrongKey(Refused):
    """This is not the key of the account's secret storage."""


def recovery_key(text: str) -> bytes | None:
    """The key that a recovery key writes out; None where the text is none. Spaces do not matter."""
    word = "".join(text.split())
    if not word or len(word) > LONGEST_TEXT or not {*word} <= {*DIGITS}:
        return None
    number = 0
    for digit in word:
        number = number * len(DIGITS) + DIGITS.index(digit)
    size = len(HEAD) + KEY_BYTES + 1
    if number >= 256**size:
        return None
    raw = number.to_bytes(size, "big")
    parity = 0
    for byte in raw:
        parity ^= byte
    return raw[len(HEAD) : -1] if raw.startswith(HEAD) and parity == 0 else None


def opening_key(text: str, description: Mapping[str, Any]) -> bytes:
    """The key behind what somebody typed, recovery key or passphrase, which opens the storage so described.

    `description` is the content of m.secret_storage.key.<id>. Raises WrongKey.
    """
    if description.get("algorithm") != ALGORITHM:
        raise WrongKey("The account's secret storage is of a kind that Understudy does not know.")
    for read in (recovery_key, partial(_from_passphrase, how=description.get("passphrase"))):
        key = read(text)
        if key is not None and is_key_of(key, description):
            return key
    raise WrongKey("That is not the recovery key of this account, nor its passphrase.")


def is_key_of(key: bytes, description: Mapping[str, Any]) -> bool:
    """Whether a key opens the storage. Where it was never noted how to tell, any may; a wrong one then opens no secret."""
    iv, mac = description.get("iv"), description.get("mac")
    if iv is None and mac is None:
        return True
    if not isinstance(iv, str) or not isinstance(mac, str):
        return False
    try:
        cipher_key, mac_key = _derived(key, "")
        return hmac.compare_digest(_mac(mac_key, _counted(cipher_key, from_unpadded(iv), bytes(KEY_BYTES))), from_unpadded(mac))
    except ValueError:
        return False


def opened(name: str, key: bytes, sealed: Mapping[str, Any]) -> bytes:
    """A secret of this name, sealed with a key. Raises WrongKey where it is not, or was changed."""
    wrong = WrongKey(f"The secret {name} of this account cannot be opened with that key.")
    cipher_key, mac_key = _derived(key, name)
    try:
        iv, ciphertext, mac = (from_unpadded(sealed[part]) for part in ("iv", "ciphertext", "mac"))
        if hmac.compare_digest(_mac(mac_key, ciphertext), mac):
            return _counted(cipher_key, iv, ciphertext)
    except (KeyError, TypeError, ValueError):
        raise wrong from None
    raise wrong


def _from_passphrase(text: str, how: object) -> bytes | None:
    if not isinstance(how, Mapping) or how.get("algorithm") != PBKDF2:
        return None
    salt, rounds, bits = how.get("salt"), how.get("iterations"), how.get("bits", KEY_BYTES * 8)
    if not isinstance(salt, str) or not isinstance(rounds, int) or not 0 < rounds <= MOST_ROUNDS or bits != KEY_BYTES * 8:
        return None
    return hashlib.pbkdf2_hmac("sha512", text.encode(), salt.encode(), rounds, KEY_BYTES)


def _derived(key: bytes, name: str) -> tuple[bytes, bytes]:
    """The keys of the cipher and of its check, for a secret of this name."""
    both = cast("bytes", HKDF(key, 2 * KEY_BYTES, bytes(KEY_BYTES), SHA256, context=name.encode()))
    return both[:KEY_BYTES], both[KEY_BYTES:]


def _counted(key: bytes, iv: bytes, text: bytes) -> bytes:
    """AES-CTR-256, which is its own reverse. Raises ValueError."""
    if len(iv) != IV_BYTES:
        raise ValueError("no initial counter")
    return AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=iv).encrypt(text)


def _mac(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()
