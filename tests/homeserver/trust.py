"""Whether a device is signed by its owner, from what keys/query answers. Pure, and of no Matrix library: an own opinion.

The chain, after the specification's section on cross-signing: the master key signs the self-signing key, which signs the
device's keys; the device signs its keys as well. A signature is Ed25519 over the canonical JSON of what is signed without
its `signatures` and `unsigned`.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from Crypto.Signature import eddsa

Answer = Mapping[str, Any]


def canonical(value: Any) -> bytes:
    """A value as it is signed: shortest JSON, its keys in the order of their code points, without signatures."""
    if isinstance(value, Mapping):
        value = {key: each for key, each in value.items() if key not in ("signatures", "unsigned")}
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def signed_devices(answer: Answer, user_id: str) -> set[str]:
    """The devices of a user that the user's own identity vouches for."""
    signer = _self_signing_key(answer, user_id)
    devices = _mapping(_mapping(answer, "device_keys"), user_id)
    if signer is None:
        return set()
    return {name for name, keys in devices.items() if _is_signed_device(keys, user_id, name, signer)}


def all_devices(answer: Answer, user_id: str) -> set[str]:
    """The devices of a user that have keys at all."""
    return set(_mapping(_mapping(answer, "device_keys"), user_id))


def identity(answer: Answer, user_id: str) -> str | None:
    """A user's master key; None where there is none that could be one."""
    return _only_key(_mapping(_mapping(answer, "master_keys"), user_id), user_id, "master")


def has_signed(signed: Mapping[str, Any], user_id: str, key_name: str, public: str) -> bool:
    """Whether the Ed25519 key (unpadded base64) signed this, under this name of a user's key."""
    signature = _mapping(_mapping(signed, "signatures"), user_id).get(f"ed25519:{key_name}")
    try:
        key = eddsa.import_public_key(_bytes(public))
        eddsa.new(key, "rfc8032").verify(canonical(signed), _bytes(str(signature)))
    except (ValueError, binascii.Error):
        return False
    return True


def _self_signing_key(answer: Answer, user_id: str) -> str | None:
    master = identity(answer, user_id)
    keys = _mapping(_mapping(answer, "self_signing_keys"), user_id)
    own = _only_key(keys, user_id, "self_signing")
    return own if master is not None and own is not None and has_signed(keys, user_id, master, master) else None


def _is_signed_device(keys: Mapping[str, Any], user_id: str, device_id: str, signer: str) -> bool:
    own = _mapping(keys, "keys").get(f"ed25519:{device_id}")
    names = (keys.get("user_id"), keys.get("device_id"))
    return (
        names == (user_id, device_id)
        and isinstance(own, str)
        and has_signed(keys, user_id, device_id, own)
        and has_signed(keys, user_id, signer, signer)
    )


def _only_key(keys: Mapping[str, Any], user_id: str, usage: str) -> str | None:
    """The one key of a cross-signing key, where it is this user's and for this."""
    if keys.get("user_id") != user_id or usage not in keys.get("usage", []):
        return None
    match list(_mapping(keys, "keys").items()):
        case [(str(name), str(public))] if name == f"ed25519:{public}":
            return public
    return None


def _mapping(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}


def _bytes(unpadded: str) -> bytes:
    return base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True)
