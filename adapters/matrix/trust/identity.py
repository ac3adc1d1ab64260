"""The identity of an account: the keys that vouch for its devices, and what the homeserver publishes of them. Pure.

The master key signs the self-signing key, which signs the keys of each device; others who know the master key know by that
which devices are really of the account. https://spec.matrix.org/v1.16/client-server-api/#cross-signing
"""

import base64
import binascii
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from Crypto.Signature import eddsa

from adapters.matrix.keeping import SEED_BYTES, Seeds

MASTER, SELF_SIGNING, USER_SIGNING = "master", "self_signing", "user_signing"

Signed = Mapping[str, Any]
"""Something with signatures, as the homeserver has it."""


def canonical(content: Signed) -> bytes:
    """What is signed of something: shortest JSON, keys in the order of their letters, without signatures and `unsigned`."""
    bare = {name: value for name, value in content.items() if name not in {"signatures", "unsigned"}}
    return json.dumps(bare, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def unpadded(raw: bytes) -> str:
    """Bytes as Matrix writes keys and signatures."""
    return base64.b64encode(raw).decode().rstrip("=")


def from_unpadded(text: str) -> bytes:
    """The bytes of such a text, padded or not. Raises ValueError."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error


def public_key(seed: bytes) -> str:
    """The public key of a seed."""
    return unpadded(eddsa.import_private_key(seed).public_key().export_key(format="raw"))


def signed(content: Signed, seed: bytes, user: str) -> dict[str, Any]:
    """The same with a signature by the key of a seed; the signatures that are there stay."""
    signature = eddsa.new(eddsa.import_private_key(seed), "rfc8032").sign(canonical(content))
    return with_signature(content, user, public_key(seed), unpadded(signature))


def with_signature(content: Signed, user: str, key: str, signature: str) -> dict[str, Any]:
    """The same with one signature more, by a user's key of this name. What only the homeserver adds is left out."""
    there = content.get("signatures")
    signatures = {name: dict(each) for name, each in there.items()} if isinstance(there, Mapping) else {}
    signatures.setdefault(user, {})[f"ed25519:{key}"] = signature
    bare = {name: value for name, value in content.items() if name not in {"signatures", "unsigned"}}
    return {**bare, "signatures": signatures}


def is_signed(content: Signed, user: str, key: str, public: str) -> bool:
    """Whether it bears a right signature by a user's key of this name, of which this is the public part."""
    theirs = content.get("signatures")
    own = theirs.get(user) if isinstance(theirs, Mapping) else None
    signature = own.get(f"ed25519:{key}") if isinstance(own, Mapping) else None
    if not isinstance(signature, str):
        return False
    try:
        verifier = eddsa.new(eddsa.import_public_key(from_unpadded(public)), "rfc8032")
        verifier.verify(canonical(content), from_unpadded(signature))
    except (ValueError, TypeError):
        return False
    return True


def new_seeds() -> Seeds:
    """The private keys of a new identity."""
    one, two, three = (secrets.token_bytes(SEED_BYTES) for _ in range(3))
    return Seeds(master=one, self_signing=two, user_signing=three)


def published(seeds: Seeds, user: str) -> dict[str, Any]:
    """A new identity as the homeserver takes it. All three seeds have to be there."""
    if seeds.master is None or seeds.user_signing is None:
        raise ValueError("an identity that was unlocked cannot be made anew")
    return {
        "master_key": _described(MASTER, seeds.master, user),
        "self_signing_key": signed(_described(SELF_SIGNING, seeds.self_signing, user), seeds.master, user),
        "user_signing_key": signed(_described(USER_SIGNING, seeds.user_signing, user), seeds.master, user),
    }


@dataclass(frozen=True, slots=True)
class Standing:
    """What the homeserver publishes of an account: its identity, and one device of it. None: nothing that could be it."""

    user: str
    device_id: str
    device: Signed | None
    master: Signed | None
    self_signing: Signed | None

    @property
    def has_identity(self) -> bool:
        """Whether anything is published as the account's identity, also what nobody can read: others may have to do with it."""
        return self.master is not None

    @property
    def master_key(self) -> str:
        """The public master key, by which others know the account; empty where there is no identity, or none to be read."""
        return _only_key(self.master, self.user, MASTER)

    @property
    def self_signing_key(self) -> str:
        """The public key that vouches for devices; empty where there is none that the master key vouches for."""
        key, master = _only_key(self.self_signing, self.user, SELF_SIGNING), self.master_key
        return key if key and master and is_signed(self.self_signing or {}, self.user, master, master) else ""

    @property
    def is_signed(self) -> bool:
        """Whether the identity vouches for the device."""
        key = self.self_signing_key
        return bool(key) and self.device is not None and is_signed(self.device, self.user, key, key)

    def is_device_of(self, ed25519: str, curve25519: str) -> bool:
        """Whether the device has these keys there."""
        keys = self.device.get("keys") if self.device is not None else None
        wanted = {f"ed25519:{self.device_id}": ed25519, f"curve25519:{self.device_id}": curve25519}
        return isinstance(keys, Mapping) and all(keys.get(name) == key for name, key in wanted.items())

    def is_identity_of(self, seeds: Seeds | None) -> bool:
        """Whether these are the private keys of its identity."""
        if seeds is None or not self.self_signing_key:
            return False
        is_master = seeds.master is None or public_key(seeds.master) == self.master_key
        return is_master and public_key(seeds.self_signing) == self.self_signing_key


def standing(answer: Mapping[str, Any], user: str, device_id: str) -> Standing:
    """What an answer of /keys/query says of an account."""
    return Standing(
        user,
        device_id,
        _found(_found(_found(answer, "device_keys"), user), device_id),
        _found(_found(answer, "master_keys"), user),
        _found(_found(answer, "self_signing_keys"), user),
    )


def _described(usage: str, seed: bytes, user: str) -> dict[str, Any]:
    public = public_key(seed)
    return {"user_id": user, "usage": [usage], "keys": {f"ed25519:{public}": public}}


def _found(within: object, name: str) -> Signed | None:
    found = within.get(name) if isinstance(within, Mapping) else None
    return found if isinstance(found, Mapping) else None


def _only_key(described: Signed | None, user: str, usage: str) -> str:
    """The one public key of a cross-signing key, where it is this user's and for this."""
    if described is None or described.get("user_id") != user:
        return ""
    usages, keys = described.get("usage"), described.get("keys")
    if not isinstance(usages, list) or usage not in usages or not isinstance(keys, Mapping):
        return ""
    match list(keys.items()):
        case [(str(name), str(public))] if name == f"ed25519:{public}":
            return public
    return ""
