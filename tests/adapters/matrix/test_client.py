"""The client keeps its keys: over restarts, over crashes, against strangers, and never in two places at once."""

import base64
import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import vodozemac
from nio import KeysUploadError, KeysUploadResponse, SyncResponse

from adapters.matrix.client import Client
from adapters.matrix.publishing import keys_to_upload
from bot.errors import Refused
from tests.adapters.matrix.stage import again, first, joined, kept, read, synced
from tests.homeserver.people import Person
from tests.homeserver.sealed import Sealed
from tests.homeserver.server import Login, Synapse

GARBAGE: list[dict[str, Any]] = [
    {"type": 0, "body": "zzz"},
    {"type": 0, "body": "AwoAEiA"},
    {"type": 1, "body": "zzz"},
    {"type": "0", "body": "AwoAEiA"},
    {"type": 0, "body": 5},
]


@pytest.fixture
def login(homeserver: Synapse) -> Login:
    return homeserver.register(homeserver.fresh_name("bot"))


@pytest.fixture
def mira_login(homeserver: Synapse) -> Login:
    return homeserver.register(homeserver.fresh_name("mira"))


async def upload(client: Client, wish: dict[str, Any]) -> dict[str, Any]:
    """Upload keys past the client; returns how many one-time keys the homeserver has then."""
    headers = {"Authorization": f"Bearer {client.access_token}", "Content-Type": "application/json"}
    answer = await client.send("POST", "/_matrix/client/v3/keys/upload", json.dumps(wish), headers)
    assert answer.status == 200, await answer.text()
    return dict((await answer.json())["one_time_key_counts"])


async def claimed(person: Person, bot: Login) -> dict[str, Any]:
    """One key of the bot's device, as somebody takes it who wants to send it something."""
    wish = {"one_time_keys": {bot.user_id: {bot.device_id: "signed_curve25519"}}}
    answer = await person.wire.ask("POST", "/keys/claim", wish)
    return dict(answer["one_time_keys"].get(bot.user_id, {}).get(bot.device_id, {}))


async def test_what_was_said_while_it_was_away_is_read_after_a_restart(login: Login, mira_login: Login, tmp_path: Path) -> None:
    account, folder = kept(login, tmp_path)
    async with Sealed(mira_login) as mira:
        room = await mira.create_room("Tavern", encrypted=True, invite=[login.user_id])
        bot = first(account, folder)
        await synced(bot)
        await joined(bot, room)
        await mira.say(room, "One")
        assert read(await synced(bot), room) == ["One"]
        since = bot.next_batch
        await bot.close()

        await mira.say(room, "Two")
        bot = again(account, folder)
        bot.next_batch = since
        assert read(await synced(bot), room) == ["Two"]
        await bot.close()


async def test_keys_that_were_uploaded_just_before_a_crash_are_still_there_after_it(login: Login, tmp_path: Path) -> None:
    account, folder = kept(login, tmp_path)
    bot = first(account, folder)
    promised = keys_to_upload(bot.keys, with_fallback=True)
    assert (await upload(bot, promised))["signed_curve25519"] == 50
    await bot.close()  # killed: the client never learnt that its keys had come

    bot = again(account, folder)
    assert keys_to_upload(bot.keys, with_fallback=True) == promised
    assert isinstance(await bot.keys_upload(), KeysUploadResponse)
    await bot.close()


async def test_used_up_one_time_keys_are_made_anew(login: Login, mira_login: Login, tmp_path: Path) -> None:
    account, folder = kept(login, tmp_path)
    bot = first(account, folder)
    await synced(bot)
    async with Person(mira_login) as mira:
        keys = [await claimed(mira, login) for _ in range(50)]
        assert len({name for key in keys for name in key}) == 50
        await synced(bot)
        assert (await upload(bot, {}))["signed_curve25519"] == 50
    await bot.close()


async def test_with_no_one_time_key_left_the_bot_is_reached_by_its_fallback_key_even_after_a_restart(
    login: Login, mira_login: Login, tmp_path: Path
) -> None:
    account, folder = kept(login, tmp_path)
    bot = first(account, folder)
    await synced(bot)
    since = bot.next_batch
    identity = vodozemac.Curve25519PublicKey.from_base64(bot.keys.account.identity_keys["curve25519"])
    await bot.close()
    async with Person(mira_login) as mira:
        for _ in range(50):
            await claimed(mira, login)
        [(name, fallback)] = (await claimed(mira, login)).items()
        assert fallback["fallback"] is True

        theirs = vodozemac.Account()
        session = theirs.create_outbound_session(identity, vodozemac.Curve25519PublicKey.from_base64(fallback["key"]))
        message = session.encrypt(b"{}").to_pre_key()
        assert message is not None
        bot = again(account, folder)
        _, opened = bot.keys.account._account.create_inbound_session(theirs.curve25519_key, message)
        assert opened == b"{}"

        bot.next_batch = since
        await synced(bot)  # it says that the fallback key is used: there is a new one now
        for _ in range(50):
            await claimed(mira, login)
        assert {name} != {*await claimed(mira, login)}
    await bot.close()


async def test_nothing_that_a_stranger_sends_to_the_device_ends_a_sync(login: Login, mira_login: Login, tmp_path: Path) -> None:
    account, folder = kept(login, tmp_path)
    async with Sealed(mira_login) as mira:
        room = await mira.create_room("Tavern", encrypted=True, invite=[login.user_id])
        bot = first(account, folder)
        await synced(bot)
        await joined(bot, room)
        own = bot.keys.account.identity_keys["curve25519"]
        for number, sealed in enumerate([*GARBAGE, _to_a_key_that_is_none(bot)]):
            content = {"algorithm": "m.olm.v1.curve25519-aes-sha2", "sender_key": own, "ciphertext": {own: sealed}}
            wish = {"messages": {login.user_id: {login.device_id: content}}}
            await mira.wire.ask("PUT", f"/sendToDevice/m.room.encrypted/garbage{number}", wish)
        await mira.send(room, "m.room.encrypted", {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "zzz", "session_id": 5})
        await mira.say(room, "Hello?")
        assert read(await synced(bot), room)[-1] == "Hello?"
        await bot.close()


def _to_a_key_that_is_none(bot: Client) -> dict[str, Any]:
    """A well-formed message that begins a session with a one-time key which the bot never had."""
    stranger, other = vodozemac.Account(), vodozemac.Account()
    other.generate_one_time_keys(1)
    [key] = other.one_time_keys.values()
    session = stranger.create_outbound_session(
        vodozemac.Curve25519PublicKey.from_base64(bot.keys.account.identity_keys["curve25519"]), key
    )
    kind, message = session.encrypt(b"{}").to_parts()
    return {"type": kind, "body": base64.b64encode(message).decode()}


async def test_what_a_sync_changes_in_the_key_store_is_there_as_a_whole_or_not_at_all(login: Login, tmp_path: Path) -> None:
    account, folder = kept(login, tmp_path)
    bot = first(account, folder)
    await synced(bot)

    async def dies(response: SyncResponse) -> None:  # noqa: ARG001  the method's shape
        bot.keys.account.generate_one_time_keys(1)
        bot.keys.save_account()
        raise RuntimeError("the power went out")

    bot._handle_sync = dies  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="power"):
        await bot.sync(0)
    await bot.close()
    bot = again(account, folder)
    assert bot.keys.account.one_time_keys["curve25519"] == {}
    await bot.close()


async def test_a_key_store_from_an_old_backup_is_refused_with_the_way_out(login: Login, tmp_path: Path) -> None:
    account, folder = kept(login, tmp_path)
    bot = first(account, folder)
    store = folder.key_store(account)
    backup = store.read_bytes()
    await synced(bot)
    await bot.close()
    store.write_bytes(backup)
    bot = again(account, folder)
    with pytest.raises(Refused, match="backup that is too old; run `understudy matrix login`"):
        await bot.keys_upload()
    await bot.close()


async def test_a_refused_upload_is_an_answer_like_any_other(login: Login, tmp_path: Path) -> None:
    account, folder = kept(login, tmp_path)
    bot = first(account, folder)
    await bot.send("POST", "/_matrix/client/v3/logout", "{}", {"Authorization": f"Bearer {bot.access_token}"})
    answer = await bot.keys_upload()
    assert isinstance(answer, KeysUploadError)
    assert answer.status_code == "M_UNKNOWN_TOKEN"
    assert bot.should_upload_keys
    await bot.close()


async def test_an_unreachable_homeserver_is_told_at_once(login: Login, tmp_path: Path) -> None:
    account, folder = kept(replace(login, homeserver="http://127.0.0.1:1"), tmp_path)
    bot = first(account, folder)
    with pytest.raises(OSError, match=r"127\.0\.0\.1"):
        await bot.sync(0)
    await bot.close()
    await bot.close()


def offline(tmp_path: Path) -> tuple[Any, Any]:
    return kept(Login("@bot/1:matrix.test", "token", "DEVICE/1", "http://127.0.0.1:1", ""), tmp_path)


async def test_two_clients_never_share_a_key_store(tmp_path: Path) -> None:
    account, folder = offline(tmp_path)
    bot = first(account, folder)
    with pytest.raises(Refused, match=r"is running with the keys in .*stop it first"):
        again(account, folder)
    with pytest.raises(Refused, match="is running with the keys in"):
        first(account, folder)
    await bot.close()
    await again(account, folder).close()


async def test_a_lost_key_store_is_refused_and_none_is_made_in_its_place(tmp_path: Path) -> None:
    account, folder = offline(tmp_path)
    with pytest.raises(Refused, match="is missing: bring it back from a backup, or run `understudy matrix login`"):
        again(account, folder)
    assert not folder.key_store(account).exists()


@pytest.mark.parametrize(
    ("breakage", "sentence"),
    [
        (b"", "cannot be read"),
        (b"no database at all, but long enough to be none" * 9, "cannot be read"),
    ],
)
async def test_a_broken_key_store_is_refused_and_stays_as_it_is(tmp_path: Path, breakage: bytes, sentence: str) -> None:
    account, folder = offline(tmp_path)
    await first(account, folder).close()
    store = folder.key_store(account)
    store.write_bytes(breakage)
    with pytest.raises(Refused, match=f"{sentence}.*understudy matrix login"):
        again(account, folder)
    assert store.read_bytes() == breakage


async def test_a_key_store_of_another_account_is_refused(tmp_path: Path) -> None:
    account, folder = offline(tmp_path)
    await first(account, folder).close()
    with pytest.raises(Refused, match="does not hold the keys of this device"):
        again(replace(account, user_id="@other:matrix.test"), folder)


async def test_a_wrong_pickle_key_is_refused(tmp_path: Path) -> None:
    account, folder = offline(tmp_path)
    await first(account, folder).close()
    with pytest.raises(Refused, match="does not open the key store") as refused:
        again(replace(account, pickle_key="another"), folder)
    assert "another" not in str(refused.value)
    await again(account, folder).close()  # and nothing is held or changed


async def test_everything_in_the_folder_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        account, folder = offline(tmp_path)
        await first(account, folder).close()
        folder.key_store(account).chmod(0o644)
        folder.path.chmod(0o755)
        bot = again(account, folder)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder.path, *folder.path.rglob("*")]}
        await bot.close()
    finally:
        os.umask(old)
    assert modes.pop("matrix") == modes.pop("keys") == 0o700
    assert {*modes.values()} == {0o600}
