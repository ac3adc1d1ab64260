"""An account's first identity, at homeservers that want a proof for it: never one over another."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.matrix.client import OldStore
from adapters.matrix.keeping import Folder
from adapters.matrix.trust.asking import Denied, Homeserver
from adapters.matrix.trust.bootstrap import FOREIGN, make_identity, vouch
from adapters.matrix.trust.identity import new_seeds, published
from bot.errors import Refused
from tests.adapters.matrix.stage import account_of
from tests.adapters.matrix.trust.test_identity import answered
from tests.homeserver.server import Login
from tests.homeserver.test_trust import ME

LOGIN = Login("@bot:matrix.test", "token", "BOT", "https://matrix.test", "")
UPLOAD = "/keys/device_signing/upload"
BY_PASSWORD = {"flows": [{"stages": ["m.login.sso"]}, {"stages": ["m.login.password"]}], "session": "s1", "params": {}}


class AskingHomeserver(Homeserver):
    """Wants a proof of who asks before it takes an identity; `identity` is what it has already."""

    def __init__(self, refusal: Denied, identity: Mapping[str, Any] | None = None) -> None:
        super().__init__(LOGIN.homeserver)
        self._refusal, self._identity = refusal, identity
        self.uploads: list[Mapping[str, Any]] = []
        self.keys: dict[str, Any] = {}

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:  # noqa: ARG002  the shape of the real one
        if path == "/keys/query" and self.keys:
            return self.keys
        if path == "/keys/query":
            return {"master_keys": {LOGIN.user_id: self._identity}} if self._identity else {}
        self.uploads.append(body or {})
        if "auth" not in (body or {}):
            raise self._refusal
        return {}


def refusing(content: dict[str, Any], status: int = 401) -> Denied:
    return Denied(status, content)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "matrix")


def password() -> str:
    return "the password"


def never() -> str:
    raise AssertionError("the password was asked for")


async def test_a_homeserver_that_wants_the_password_gets_it_with_the_very_same_identity(folder: Folder) -> None:
    home = AskingHomeserver(refusing(BY_PASSWORD))
    account = await make_identity(home, account_of(LOGIN), folder, password)
    bare, proven = home.uploads
    auth = proven["auth"]
    assert {name: value for name, value in proven.items() if name != "auth"} == bare
    assert (auth["type"], auth["password"], auth["session"]) == ("m.login.password", "the password", "s1")
    assert auth["identifier"] == {"type": "m.id.user", "user": LOGIN.user_id}
    assert folder.account() == account
    assert account.seeds is not None
    assert bare == published(account.seeds, LOGIN.user_id)


async def test_an_identity_that_somebody_made_meanwhile_is_not_overwritten(folder: Folder) -> None:
    home = AskingHomeserver(refusing(BY_PASSWORD), published(new_seeds(), LOGIN.user_id)["master_key"])
    with pytest.raises(Refused) as refused:
        await make_identity(home, account_of(LOGIN), folder, never)
    assert str(refused.value) == FOREIGN
    assert len(home.uploads) == 1


@pytest.mark.parametrize("misshapen", [{"keys": {}}, {"usage": "master"}, {"user_id": "@other:matrix.test"}])
async def test_what_cannot_be_read_as_an_identity_is_not_overwritten_either(folder: Folder, misshapen: dict[str, Any]) -> None:
    home = AskingHomeserver(refusing(BY_PASSWORD), {**published(new_seeds(), LOGIN.user_id)["master_key"], **misshapen})
    with pytest.raises(Refused, match="made elsewhere"):
        await make_identity(home, account_of(LOGIN), folder, never)
    seeds = new_seeds()
    home.keys = {**answered(seeds, "BOT"), "master_keys": {LOGIN.user_id: {"usage": ["master"], **misshapen}}}
    home.keys["device_keys"] = {LOGIN.user_id: {"BOT": {"keys": {"ed25519:BOT": "e", "curve25519:BOT": "c"}}}}
    account = replace(account_of(LOGIN), seeds=seeds)
    assert await vouch(home, account, folder, {"ed25519": "e", "curve25519": "c"}) == [FOREIGN]
    assert len(home.uploads) == 1


@pytest.mark.parametrize(
    "flows",
    [
        [],
        5,
        [5],
        [{"stages": ["m.oauth"]}],
        [{"stages": ["m.login.password", "m.login.terms"]}],
        [{"stages": "m.login.password"}],
    ],
)
async def test_a_proof_that_only_a_browser_can_give_is_told(folder: Folder, flows: Any) -> None:
    home = AskingHomeserver(refusing({"flows": flows}))
    with pytest.raises(Refused, match=r"only a browser can give.*sign in to it with Element once"):
        await make_identity(home, account_of(LOGIN), folder, never)


async def test_another_refusal_stays_one(folder: Folder) -> None:
    for refusal in (refusing({"errcode": "M_UNKNOWN_TOKEN", "error": "gone"}), refusing({"errcode": "M_UNKNOWN"}, 400)):
        with pytest.raises(Denied) as denied:
            await make_identity(AskingHomeserver(refusal), account_of(LOGIN), folder, never)
        assert denied.value is refusal


async def test_keys_that_were_kept_are_published_and_not_made_anew(folder: Folder) -> None:
    home = AskingHomeserver(refusing(BY_PASSWORD))
    account = await make_identity(home, account_of(LOGIN), folder, password)
    assert await make_identity(home, account, folder, password) == account
    assert home.uploads[0] == home.uploads[2]


async def test_nothing_vouches_for_a_device_with_other_keys_than_ours(folder: Folder) -> None:
    seeds = new_seeds()
    answer = answered(seeds, "BOT")
    answer["device_keys"] = {LOGIN.user_id: answer["device_keys"][ME]}
    home = AskingHomeserver(refusing(BY_PASSWORD))
    home.keys = answer
    account = replace(account_of(LOGIN), seeds=seeds)
    with pytest.raises(OldStore):
        await vouch(home, account, folder, {"ed25519": "other", "curve25519": "other"})
    assert home.uploads == []
