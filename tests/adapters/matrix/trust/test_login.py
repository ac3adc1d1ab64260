"""Logging in makes the bot a device that others trust, keeps it one, and never takes away what the account had."""

import json
import sqlite3
from dataclasses import replace

import pytest

from adapters.matrix.client import InUse
from adapters.matrix.keeping import Account, Folder
from adapters.matrix.trust import Wish, ensure, log_in
from adapters.matrix.trust.bootstrap import FOREIGN, NO_STORAGE
from bot.errors import Refused
from tests.adapters.matrix.stage import again, joined, read, synced
from tests.adapters.matrix.trust.accounts import devices, keys_of, signed, silent, wish
from tests.adapters.matrix.trust.asker import ScriptedAsker
from tests.adapters.matrix.trust.elsewhere import KEY, keep_secret, set_up, written
from tests.homeserver import trust
from tests.homeserver.people import Person
from tests.homeserver.sealed import Sealed
from tests.homeserver.server import Login, Synapse


async def test_a_new_account_gets_an_identity_that_vouches_for_the_bot_and_strict_clients_read_it(
    homeserver: Synapse, owner: Login, operator: Person, folder: Folder
) -> None:
    asker = ScriptedAsker(texts=[owner.user_id], secrets=[owner.password])
    account = await log_in(Wish(homeserver=owner.homeserver, device_name="Stage hand"), folder, asker)
    assert len(asker.asked) == 2
    assert folder.account() == account
    assert account.seeds is not None
    assert await signed(operator) == {account.device_id}
    names = {each["device_id"]: each.get("display_name") for each in (await operator.wire.ask("GET", "/devices"))["devices"]}
    assert names[account.device_id] == "Stage hand"

    async with Sealed(homeserver.register(homeserver.fresh_name("mira")), exclude_insecure=True) as mira:
        room = await mira.create_room("Tavern", encrypted=True, invite=[account.user_id])
        async with again(account, folder) as bot:
            assert await ensure(bot, account, folder) == []
            await synced(bot)
            await joined(bot, room)
            await mira.say(room, "Hello?")
            assert read(await synced(bot), room) == ["Hello?"]
            sent = await bot.room_send(
                room, "m.room.message", {"msgtype": "m.text", "body": "Yes?"}, ignore_unverified_devices=True
            )
            [_, answer] = await mira.until_shown(room, lambda shown: len(shown) == 2)
            assert (answer.event_id, answer.body) == (getattr(sent, "event_id", sent), "Yes?")
        assert mira.withheld == []
        assert await mira.shields(account.user_id) == "none"


async def test_logging_in_again_keeps_the_device_and_needs_no_password(owner: Login, operator: Person, folder: Folder) -> None:
    account = await log_in(wish(owner), folder, silent())
    before, at = await devices(operator), folder.changed_at()
    asker = silent()
    assert await log_in(Wish(), folder, asker) == account
    assert "still good" in asker.said
    assert await devices(operator) == before
    assert folder.changed_at() > at


async def test_a_token_that_is_gone_is_replaced_and_the_device_and_its_identity_stay(
    homeserver: Synapse, owner: Login, operator: Person, folder: Folder
) -> None:
    account = await log_in(wish(owner), folder, silent())
    master = trust.identity(await keys_of(operator), owner.user_id)
    homeserver.log_out(replace(owner, device_id=account.device_id))
    asker = ScriptedAsker(secrets=[owner.password])
    renewed = await log_in(Wish(), folder, asker)
    assert renewed == replace(account, access_token=renewed.access_token) != account
    # Logging out took the keys away: they are there again, and vouched for.
    assert await signed(operator) == {account.device_id}
    assert trust.identity(await keys_of(operator), owner.user_id) == master


@pytest.mark.parametrize("loss", ["missing", "damaged", "another pickle key"])
async def test_a_device_whose_keys_are_lost_is_replaced_and_signed_out(
    owner: Login, operator: Person, folder: Folder, loss: str
) -> None:
    lost = await log_in(wish(owner), folder, silent())
    match loss:
        case "missing":
            folder.key_store(lost).unlink()
        case "damaged":
            folder.key_store(lost).write_bytes(b"no database at all")
        case _:
            folder.keep(replace(lost, pickle_key="another"))
    asker = ScriptedAsker(secrets=[owner.password])
    account = await log_in(Wish(), folder, asker)
    assert account.device_id != lost.device_id
    assert account.seeds == lost.seeds
    assert await devices(operator) == {owner.device_id, account.device_id}
    assert await signed(operator) == {account.device_id}
    assert "cannot read" in asker.said
    assert [path.name for path in folder.keys.glob("*.db")] == [folder.key_store(account).name]
    async with again(account, folder) as bot:
        assert await ensure(bot, account, folder) == []


async def test_a_lost_device_is_signed_out_by_the_password_where_its_token_is_lost_too(
    owner: Login, operator: Person, folder: Folder
) -> None:
    lost = await log_in(wish(owner), folder, silent())
    folder.keep(replace(lost, access_token="gone"))  # noqa: S106  of no account
    folder.key_store(lost).unlink()
    account = await log_in(wish(owner), folder, silent())
    assert await devices(operator) == {owner.device_id, account.device_id}


async def test_a_damaged_account_file_is_replaced_and_it_is_told_what_stays_behind(
    owner: Login, operator: Person, folder: Folder
) -> None:
    lost = await log_in(wish(owner), folder, silent())
    folder.account_file.write_text("{", encoding="utf-8")
    asker = silent()
    # The keys of the identity are gone with the file, and it is not overwritten.
    account = await log_in(wish(owner), folder, asker)
    assert "sign its old one out in Element" in asker.said
    assert FOREIGN in asker.said
    assert await devices(operator) == {owner.device_id, lost.device_id, account.device_id}
    assert await signed(operator) == {lost.device_id}


async def test_a_key_store_from_an_old_backup_is_replaced(owner: Login, operator: Person, folder: Folder) -> None:
    old = await log_in(wish(owner), folder, silent())
    other = await log_in(wish(owner), Folder(folder.path.parent / "other"), silent())
    # Other keys under the device that is kept: what a store would hold that was brought back too late.
    folder.key_store(old).write_bytes(b"")
    (folder.path.parent / "other" / "keys" / f"{other.device_id}.db").rename(folder.key_store(old))
    _pass_off(folder, old, other)
    asker = silent()
    account = await log_in(wish(owner), folder, asker)
    assert "backup that is too old" in asker.said
    assert account.device_id not in {old.device_id, other.device_id}
    assert old.device_id not in await devices(operator)


def _pass_off(folder: Folder, old: Account, other: Account) -> None:
    """Have the store say that its keys are those of the old device."""
    with sqlite3.connect(folder.key_store(old)) as store:
        store.execute("UPDATE accounts SET device_id = ?", (old.device_id,))
    store.close()
    folder.keep(replace(old, pickle_key=other.pickle_key))


async def test_an_identity_made_elsewhere_vouches_for_the_bot_once_its_recovery_key_is_given(
    owner: Login, operator: Person, folder: Folder
) -> None:
    seeds = await set_up(operator)
    before = await keys_of(operator)
    asker = ScriptedAsker(secrets=[written(bytes(32)), f" {written(KEY)} "])
    account = await log_in(wish(owner), folder, asker)
    assert "not the recovery key" in asker.said
    assert account.seeds is not None
    assert account.seeds.self_signing == seeds.self_signing
    after = await keys_of(operator)
    assert trust.signed_devices(after, owner.user_id) == {account.device_id}
    assert [after[kind] for kind in ("master_keys", "self_signing_keys", "user_signing_keys")] == [
        before[kind] for kind in ("master_keys", "self_signing_keys", "user_signing_keys")
    ]
    # It is kept: a new device later needs no recovery key.
    folder.key_store(account).unlink()
    later = await log_in(wish(owner), folder, silent())
    assert later.device_id in await signed(operator)


async def test_without_the_recovery_key_the_login_stands_and_it_is_told_what_users_will_see(
    owner: Login, operator: Person, folder: Folder
) -> None:
    await set_up(operator)
    master = trust.identity(await keys_of(operator), owner.user_id)
    asker = ScriptedAsker(secrets=[""])
    account = await log_in(wish(owner), folder, asker)
    assert asker.told == [FOREIGN]
    assert "red shield" in FOREIGN
    assert account.seeds is None
    assert await signed(operator) == set()
    async with again(account, folder) as bot:
        assert await ensure(bot, account, folder) == [FOREIGN]
    # Later, with the key, the same device is vouched for.
    assert await log_in(Wish(recovery_key=written(KEY)), folder, silent()) != account
    assert await signed(operator) == {account.device_id}
    assert trust.identity(await keys_of(operator), owner.user_id) == master


async def test_somebody_who_mistypes_three_times_goes_on_without(owner: Login, operator: Person, folder: Folder) -> None:
    await set_up(operator)
    asker = ScriptedAsker(secrets=["one", "two", "three", written(KEY)])
    await log_in(wish(owner), folder, asker)
    assert asker.secrets == [written(KEY)]
    assert asker.told[-1] == FOREIGN


async def test_an_identity_without_secret_storage_is_left_alone_and_told(
    owner: Login, operator: Person, folder: Folder
) -> None:
    await set_up(operator)
    await operator.set_account_data("m.cross_signing.self_signing", {"encrypted": 5})
    asker = ScriptedAsker()
    await log_in(wish(owner), folder, asker)
    assert asker.told == [NO_STORAGE, FOREIGN]


async def test_a_secret_that_is_not_the_identity_of_today_signs_nothing(owner: Login, operator: Person, folder: Folder) -> None:
    await set_up(operator)
    await keep_secret(operator, bytes(range(32)))
    with pytest.raises(Refused, match="not the account's identity of today"):
        await log_in(wish(owner, recovery_key=written(KEY)), folder, silent())
    assert await signed(operator) == set()


async def test_an_access_token_is_enough(homeserver: Synapse, owner: Login, operator: Person, folder: Folder) -> None:
    fresh = homeserver.log_in(owner)
    asker = silent()
    account = await log_in(Wish(homeserver=owner.homeserver, token=fresh.access_token), folder, asker)
    assert (account.user_id, account.device_id) == (owner.user_id, fresh.device_id)
    assert await signed(operator) == {fresh.device_id}


async def test_a_token_of_a_device_with_keys_of_its_own_is_refused(owner: Login, operator: Person, folder: Folder) -> None:
    async with Sealed(owner):
        with pytest.raises(Refused, match="has keys already, which are not here"):
            await log_in(wish(owner, token=owner.access_token), folder, silent())
    assert folder.account() is None
    assert trust.all_devices(await keys_of(operator), owner.user_id) == {owner.device_id}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"password": "wrong"}, "does not accept this password"),
        ({"token": "unknown"}, "does not know this access token"),
        ({"token": "two words"}, "has letters in it that none has"),
        ({"user": "nobody at all"}, "is no user id"),
        ({"user": "@nobody:matrix.test", "token": ""}, "does not accept this password for @nobody:matrix.test"),
        ({"homeserver": "http://matrix.example.org"}, r"begins with https://"),
        ({"homeserver": "http://127.0.0.1:1"}, "nothing answers there"),
        ({"password": ""}, "Nobody answers: Password of"),
    ],
)
async def test_what_cannot_be_used_is_refused_in_a_sentence_without_secrets(
    owner: Login, folder: Folder, changes: dict[str, str], sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence) as refused:
        await log_in(wish(owner, **changes), folder, silent())
    assert owner.password not in str(refused.value)
    assert folder.account() is None


async def test_a_token_of_somebody_else_is_refused(homeserver: Synapse, owner: Login, folder: Folder) -> None:
    other = homeserver.register(homeserver.fresh_name("other"))
    with pytest.raises(Refused, match=f"is one of {other.user_id}, not of {owner.user_id}"):
        await log_in(wish(owner, token=other.access_token), folder, silent())


async def test_a_folder_is_of_one_account(homeserver: Synapse, owner: Login, folder: Folder) -> None:
    account = await log_in(wish(owner), folder, silent())
    other = homeserver.register(homeserver.fresh_name("other"))
    for named in (wish(other), wish(other, user=other.name), wish(other, user=owner.name, token=other.access_token)):
        with pytest.raises(Refused, match="holds the account"):
            await log_in(named, folder, silent())
    assert folder.account() == account
    assert (await log_in(Wish(user=owner.name), folder, silent())).device_id == account.device_id


async def test_while_the_bot_runs_a_good_device_can_be_renewed_and_no_other_can_be_made(
    homeserver: Synapse, owner: Login, operator: Person, folder: Folder
) -> None:
    await set_up(operator)
    account = await log_in(wish(owner), folder, silent())
    async with again(account, folder):
        asker = silent()
        renewed = await log_in(wish(owner, recovery_key=written(KEY)), folder, asker)
        assert renewed.device_id == account.device_id
        assert renewed.access_token != account.access_token
        assert "within half a minute" in asker.said
        assert await signed(operator) == {account.device_id}
        fresh = homeserver.log_in(owner)
        with pytest.raises(InUse, match="stop it first"):
            await log_in(wish(owner, token=fresh.access_token), folder, silent())
        folder.keep(replace(renewed, pickle_key="another"))
        before = await devices(operator)
        with pytest.raises(InUse, match="stop it first"):
            await log_in(wish(owner), folder, silent())
        assert await devices(operator) == before


async def test_no_secret_is_logged(owner: Login, operator: Person, folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    await set_up(operator)
    account = await log_in(wish(owner, recovery_key=written(KEY)), folder, silent())
    async with again(account, folder) as bot:
        await ensure(bot, account, folder)
    assert account.seeds is not None
    logged = caplog.text
    file = json.loads(folder.account_file.read_text(encoding="utf-8"))
    secrets = [owner.password, written(KEY), file["access_token"], file["pickle_key"], *file["seeds"].values()]
    assert [secret for secret in secrets if secret in logged] == []
