"""The public keys that a device gives its homeserver, as the request that does so. It sends nothing.

The library makes keys, uploads them and writes them down afterwards: killed in between, the device would have promised keys
that it does not have, and make others under the same names, which the homeserver refuses for ever. Here they are written
down first, and what was not confirmed is uploaded again as it was.

Fallback keys, which the library does not know, are what others use where the one-time keys have run out.
https://spec.matrix.org/v1.16/client-server-api/#one-time-and-fallback-keys
"""

from collections.abc import Mapping
from typing import Any

from nio.crypto import Olm

SIGNED = "signed_curve25519"


def device_keys(olm: Olm) -> dict[str, Any]:
    """The device's own keys, signed by itself."""
    own = olm.account.identity_keys
    keys = {f"curve25519:{olm.device_id}": own["curve25519"], f"ed25519:{olm.device_id}": own["ed25519"]}
    return _signed(
        olm,
        {
            "algorithms": list(olm._algorithms),  # noqa: SLF001  the library has no other name for them
            "device_id": olm.device_id,
            "user_id": olm.user_id,
            "keys": keys,
        },
    )


def keys_to_upload(olm: Olm, *, with_fallback: bool) -> dict[str, Any]:
    """What the device has to upload now; what is new of it is written down already. Ask for it only if something is due."""
    account, content = olm.account, dict[str, Any]()
    if not account.shared:
        content["device_keys"] = device_keys(olm)
    pending = account.one_time_keys["curve25519"]
    there = 0 if not account.shared else olm.uploaded_key_count
    missing = 0 if there is None else account.max_one_time_keys - there - len(pending)
    if missing > 0:
        account.generate_one_time_keys(missing)
        pending = account.one_time_keys["curve25519"]
    if pending:
        content["one_time_keys"] = _named(olm, pending, {})
    # The library's own wrapper has no fallback keys, and the annotations of what it wraps do not name them.
    inner: Any = account._account  # noqa: SLF001  the only way
    if with_fallback and not inner.fallback_key:
        inner.generate_fallback_key()
    if inner.fallback_key:
        fallback = {name: key.to_base64() for name, key in inner.fallback_key.items()}
        content["fallback_keys"] = _named(olm, fallback, {"fallback": True})
    olm.save_account()
    return content


def _named(olm: Olm, keys: Mapping[str, str], mark: Mapping[str, bool]) -> dict[str, Any]:
    return {f"{SIGNED}:{name}": _signed(olm, {"key": key, **mark}) for name, key in keys.items()}


def _signed(olm: Olm, content: dict[str, Any]) -> dict[str, Any]:
    signature = olm.sign_json(content)
    return {**content, "signatures": {olm.user_id: {f"ed25519:{olm.device_id}": signature}}}
