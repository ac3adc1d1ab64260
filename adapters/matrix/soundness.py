"""What others published as keys, without what is misshapen. Pure; it trusts nobody for it.

Anybody can publish anything as the keys of a device, and the library gives up on an answer about all users where it meets
something that it did not expect.
"""

from collections.abc import Mapping
from typing import Any

import vodozemac
from nio.crypto import Olm


def sound_keys(answer: dict[str, Any], olm: Olm) -> dict[str, Any]:
    """The homeserver's answer, without devices and one-time keys that are none. Whatever else it holds stays."""
    sound = dict(answer)
    for name, is_sound in (("device_keys", _is_device), ("one_time_keys", _is_one_time_key)):
        if isinstance(users := answer.get(name), dict):
            sound[name] = {
                user: {device: keys for device, keys in devices.items() if is_sound(olm, user, device, keys)}
                for user, devices in users.items()
                if isinstance(devices, dict)
            }
    return sound


def _is_device(olm: Olm, user: str, device: str, keys: object) -> bool:
    if not isinstance(keys, dict) or (keys.get("user_id"), keys.get("device_id")) != (user, device):
        return False
    algorithms, own, unsigned = keys.get("algorithms"), keys.get("keys"), keys.get("unsigned", {})
    if not isinstance(algorithms, list) or not _are_texts(algorithms) or not isinstance(unsigned, dict):
        return False
    if (
        not isinstance(own, dict)
        or not _are_texts(own.values())
        or not isinstance(unsigned.get("device_display_name", ""), str)
    ):
        return False
    return _is_curve_key(own.get(f"curve25519:{device}")) and _is_signed(olm, user, device, own.get(f"ed25519:{device}"), keys)


def _is_one_time_key(olm: Olm, user: str, device: str, keys: object) -> bool:
    if not isinstance(keys, dict) or not keys:
        return False
    known = olm.device_store[user].get(device)
    first = next(iter(keys.values()))
    if known is None or not isinstance(first, dict) or not _is_curve_key(first.get("key")):
        return False
    return _is_signed(olm, user, device, known.ed25519, first)


def _is_signed(olm: Olm, user: str, device: str, key: object, content: Mapping[str, Any]) -> bool:
    """Whether it is signed by a key. The library's own judgement, as it has to live with what it makes of it."""
    signatures = content.get("signatures")
    if not isinstance(signatures, dict) or not all(
        isinstance(each, dict) and _are_texts(each.values()) for each in signatures.values()
    ):
        return False
    try:
        return bool(olm.verify_json(dict(content), key, user, device))  # type: ignore[no-untyped-call]  # the library's
    except (ValueError, TypeError, KeyError):  # a lone half of a character is a ValueError too
        return False


def _is_curve_key(key: object) -> bool:
    try:
        vodozemac.Curve25519PublicKey.from_base64(key)  # type: ignore[arg-type]  # whatever it is
    except (ValueError, TypeError):
        return False
    return True


def _are_texts(values: Any) -> bool:  # noqa: ANN401  any collection
    return all(isinstance(each, str) for each in values)
