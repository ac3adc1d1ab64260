"""Element's own SDK trusts the bot: one that excludes insecure devices reads it and is read by it, without any shield."""

import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.matrix.client import Client
from adapters.matrix.keeping import Folder
from adapters.matrix.trust import Wish, ensure, log_in
from tests.adapters.matrix.stage import again, first, joined, kept, read, synced
from tests.adapters.matrix.trust.asker import ScriptedAsker
from tests.homeserver.element_sdk import SOURCES, AtElement, ElementSdk, Read, SdkMissingError
from tests.homeserver.people import Person
from tests.homeserver.server import Login, Synapse

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def mira_login(homeserver: Synapse) -> Login:
    return homeserver.register(homeserver.fresh_name("mira"))


@asynccontextmanager
async def in_a_room(client: Client, person: Login) -> AsyncIterator[str]:
    """An encrypted room with both of them in it."""
    async with Person(person) as mira:
        await synced(client)
        room = await mira.create_room("Tavern", encrypted=True, invite=[client.user_id])
        await joined(client, room)
        yield room


async def said(client: Client, room: str, body: str) -> str:
    answer = await client.room_send(room, "m.room.message", {"msgtype": "m.text", "body": body}, ignore_unverified_devices=True)
    return str(answer.event_id)


@pytest.mark.slow
async def test_one_that_excludes_insecure_devices_reads_the_bot_and_is_read_by_it(
    element: ElementSdk, owner: Login, mira_login: Login, memory: Path
) -> None:
    folder = Folder(memory / "matrix")
    account = await log_in(
        Wish(homeserver=owner.homeserver, user=owner.user_id, password=owner.password), folder, ScriptedAsker()
    )
    async with AtElement(element, mira_login, is_strict=True) as mira, again(account, folder) as bot:
        await mira.set_up_recovery()
        await ensure(bot, account, folder)
        async with in_a_room(bot, mira_login) as room:
            assert await mira.is_signed_by_owner(account.user_id, account.device_id)
            await mira.say(room, "Hello?")
            assert read(await synced(bot), room) == ["Hello?"]
            answer = await said(bot, room, "Yes?")
            assert await mira.read(room, answer) == Read("Yes?", None, "NONE", None)


@pytest.mark.slow
async def test_a_device_that_nobody_vouches_for_is_shut_out_by_strict_ones_and_has_a_red_shield_at_others(
    element: ElementSdk, owner: Login, mira_login: Login, homeserver: Synapse, memory: Path
) -> None:
    account, folder = kept(homeserver.log_in(owner), memory)
    tobias_login = homeserver.register(homeserver.fresh_name("tobias"))
    async with (
        AtElement(element, mira_login, is_strict=True) as mira,
        AtElement(element, tobias_login) as tobias,
        first(account, folder) as bot,
        in_a_room(bot, mira_login) as room,
        Person(mira_login) as host,
        Person(tobias_login) as guest,
    ):
        await mira.set_up_recovery()
        await host.invite(room, tobias_login.user_id)
        await guest.join(room)
        await synced(bot)
        for person in (mira, tobias):
            assert not await person.is_signed_by_owner(account.user_id, account.device_id)
        event = await said(bot, room, "Yes?")
        assert await mira.read(room, event, patience=2) == Read(None, "UNSIGNED_SENDER_DEVICE", None, None)
        assert await tobias.read(room, event) == Read("Yes?", None, "RED", "UNSIGNED_DEVICE")
        await mira.say(room, "Hello?")
        assert read(await synced(bot), room)[-1] is None


@pytest.mark.slow
@pytest.mark.parametrize("passphrase", [None, "a passphrase"])
async def test_what_element_put_under_its_recovery_key_vouches_for_the_bot(
    element: ElementSdk, owner: Login, mira_login: Login, memory: Path, passphrase: str | None
) -> None:
    async with AtElement(element, owner) as operator:
        recovery_key = await operator.set_up_recovery(passphrase)
    folder = Folder(memory / "matrix")
    asker = ScriptedAsker(secrets=[owner.password, passphrase or recovery_key])
    account = await log_in(Wish(homeserver=owner.homeserver, user=owner.user_id), folder, asker)
    assert account.seeds is not None
    async with (
        AtElement(element, mira_login, is_strict=True) as mira,
        again(account, folder) as bot,
        in_a_room(bot, mira_login) as room,
    ):
        assert await mira.is_signed_by_owner(account.user_id, account.device_id)
        assert await mira.read(room, await said(bot, room, "Yes?")) == Read("Yes?", None, "NONE", None)


def test_the_sdk_is_pinned_by_its_hashes_and_names_no_place() -> None:
    text = (SOURCES / "package-lock.json").read_text(encoding="utf-8")
    packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}
    assert "://" not in text
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    wanted = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))["dependencies"]
    pinned = {re.sub("^node_modules/", "", name): entry["version"] for name, entry in packages.items()}
    assert wanted.items() <= pinned.items()


def test_without_node_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SdkMissingError, match="install the packages nodejs"):
        ElementSdk.installed(tmp_path)


def test_an_sdk_that_cannot_be_installed_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node, fails = shutil.which("node"), shutil.which("false")
    if node is None:
        pytest.skip("no node here")
    monkeypatch.setattr(shutil, "which", {"node": node, "npm": fails}.get)
    with pytest.raises(SdkMissingError, match="could not install"):
        ElementSdk.installed(tmp_path)
    assert [*tmp_path.iterdir()] == []


def test_a_node_that_is_too_old_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v16.20.2\n", encoding="utf-8")
    old.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(old))
    with pytest.raises(SdkMissingError, match="of version 16 here: install nodejs 18 or newer"):
        ElementSdk.installed(tmp_path / "keep")
