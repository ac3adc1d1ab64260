"""Cross-signing of a device of somebody, as Element does it at somebody's first login. It knows nothing of our own adapter.

The keys and signatures are vodozemac's, where what judges them here (`trust.py`) computes with another library.
"""

from collections.abc import Mapping
from typing import Any

import vodozemac

from tests.homeserver.trust import canonical
from tests.homeserver.wire import Wire

Keys = dict[str, Any]


class Identity:
    """The three keys by which somebody vouches for themselves and their devices. An account of Olm has a signing key: lent."""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self._keys = {usage: vodozemac.Account() for usage in ("master", "self_signing", "user_signing")}

    def public(self, usage: str) -> str:
        """A public key, in unpadded base64."""
        return self._keys[usage].ed25519_key.to_base64().rstrip("=")

    def described(self, usage: str) -> Keys:
        """A public key as the homeserver takes it."""
        public = self.public(usage)
        return {"user_id": self.user_id, "usage": [usage], "keys": {f"ed25519:{public}": public}}

    def signed(self, what: Mapping[str, Any], usage: str) -> Keys:
        """The same with a signature of ours; those that are there stay."""
        signature = self._keys[usage].sign(canonical(what)).to_base64().rstrip("=")
        others = what.get("signatures", {})
        own = others.get(self.user_id, {}) | {f"ed25519:{self.public(usage)}": signature}
        return {**what, "signatures": others | {self.user_id: own}}

    async def publish(self, wire: Wire) -> None:
        """Give the account this identity. Raises Refusal; Synapse wants a password where it has another one already."""
        wish = {"master_key": self.described("master")}
        for usage in ("self_signing", "user_signing"):
            wish[f"{usage}_key"] = self.signed(self.described(usage), "master")
        await wire.ask("POST", "/keys/device_signing/upload", wish)

    async def vouch_for(self, wire: Wire, device_id: str) -> None:
        """Sign a device of this account. Raises Refusal."""
        answer = await wire.ask("POST", "/keys/query", {"device_keys": {self.user_id: []}})
        device = answer["device_keys"][self.user_id][device_id]
        device.pop("unsigned", None)
        signed = self.signed(device, "self_signing")
        failed = await wire.ask("POST", "/keys/signatures/upload", {self.user_id: {device_id: signed}})
        assert not failed.get("failures"), failed
