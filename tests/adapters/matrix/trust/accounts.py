"""The bot's account as its operator and everybody else sees it: its devices, and which of them its identity vouches for."""

from typing import Any

from adapters.matrix.trust import Wish
from tests.adapters.matrix.trust.asker import ScriptedAsker
from tests.homeserver import trust
from tests.homeserver.people import Person
from tests.homeserver.server import Login


def wish(owner: Login, **more: Any) -> Wish:
    return Wish(**{"homeserver": owner.homeserver, "user": owner.user_id, "password": owner.password, **more})


def silent() -> ScriptedAsker:
    return ScriptedAsker(can_answer=False)


async def keys_of(operator: Person) -> dict[str, Any]:
    return dict(await operator.wire.ask("POST", "/keys/query", {"device_keys": {operator.user_id: []}}))


async def signed(operator: Person) -> set[str]:
    return trust.signed_devices(await keys_of(operator), operator.user_id)


async def devices(operator: Person) -> set[str]:
    answer = await operator.wire.ask("GET", "/devices")
    return {device["device_id"] for device in answer["devices"]}
