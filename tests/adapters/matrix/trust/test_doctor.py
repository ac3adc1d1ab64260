"""The doctor sees what there is, beside a bot that runs, and leaves everything as it was."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace

import pytest

from adapters.findings import Grade
from adapters.matrix.keeping import Account, Folder
from adapters.matrix.trust import Wish, examine, findings, log_in
from tests.adapters.matrix.stage import again, joined, read, synced
from tests.adapters.matrix.trust.asker import ScriptedAsker
from tests.homeserver.people import Person
from tests.homeserver.sealed import Sealed
from tests.homeserver.server import Login, Synapse


@pytest.fixture
async def mira(homeserver: Synapse) -> AsyncIterator[Sealed]:
    async with Sealed(homeserver.register(homeserver.fresh_name("mira"))) as person:
        yield person


@pytest.fixture
async def account(owner: Login, folder: Folder) -> Account:
    wish = Wish(homeserver=owner.homeserver, user=owner.user_id, password=owner.password)
    return await log_in(wish, folder, ScriptedAsker())


async def wrong(folder: Folder) -> dict[str, str]:
    """What is not well, by what it is about."""
    return {each.about: each.sentence for each in findings(await examine(folder)) if each.grade is not Grade.OK}


async def test_beside_a_running_bot_it_sees_everything_and_takes_nothing(
    account: Account, folder: Folder, mira: Sealed
) -> None:
    room = await mira.create_room("Tavern", encrypted=True, invite=[account.user_id])
    muted = await mira.create_room("Stage", invite=[account.user_id])
    await mira.set_power(muted, {}, events_default=50)
    waiting = await mira.create_room("Cellar", invite=[account.user_id])
    async with again(account, folder) as bot:
        await synced(bot)
        await bot.join(muted)
        await joined(bot, room)
        await mira.say(room, "Hello?")  # its key waits for the bot
        before = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
        facts = await examine(folder, {room: '{"adults": true}', muted: '{"adults": false}'})
        assert {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()} == before

        told = {each.about: (each.grade, each.sentence) for each in findings(facts)}
        assert told[room] == (Grade.OK, "'Tavern' is encrypted, and for adults only.")
        assert told[muted][0] is Grade.WRONG
        assert f"{mira.user_id} invites the bot to 'Cellar'" in told[waiting][1]
        assert {about for about, (grade, _) in told.items() if grade is not Grade.OK} == {muted, waiting}
        assert await wrong(folder) != {}
        assert read(await synced(bot), room) == ["Hello?"]

        # What changed within the two minutes for which Synapse remembers what it answered is seen too.
        await mira.set_power(muted, {}, events_default=0)
        assert muted not in await wrong(folder)


async def test_lost_and_foreign_keys_are_seen_without_a_word_from_the_library(account: Account, folder: Folder) -> None:
    store = folder.key_store(account)
    kept = store.read_bytes()
    store.unlink()
    assert "is missing" in (await wrong(folder))["key store"]
    assert not store.exists()
    store.write_bytes(b"")
    assert "cannot be read" in (await wrong(folder))["key store"]
    store.write_bytes(kept)
    folder.keep(replace(account, pickle_key="another"))
    assert "does not open the key store" in (await wrong(folder))["key store"]


async def test_what_a_crash_left_half_written_is_told_and_left_to_the_next_start(account: Account, folder: Folder) -> None:
    store = folder.key_store(account)
    journal = store.with_name(f"{store.name}-journal")
    with closing(sqlite3.connect(store, isolation_level=None)) as writer:
        writer.execute("PRAGMA cache_size=1")
        writer.execute("CREATE TABLE more AS SELECT randomblob(2000) AS bytes FROM pragma_table_info('accounts')")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE accounts SET account = randomblob(9000)")
        writer.execute(
            "INSERT INTO more SELECT randomblob(2000) FROM pragma_table_info('accounts'), pragma_table_info('accounts')"
        )
        killed = [(path, path.read_bytes()) for path in (store, journal)]
        writer.execute("ROLLBACK")
    for path, content in killed:
        path.write_bytes(content)
    assert "its next start mends that" in (await wrong(folder))["key store"]
    assert [(path, path.read_bytes()) for path in (store, journal)] == killed
    await again(account, folder).close()
    assert "key store" not in await wrong(folder)


async def test_a_login_that_is_gone_and_a_homeserver_that_is_away_are_told(
    homeserver: Synapse, owner: Login, account: Account, folder: Folder
) -> None:
    folder.keep(replace(account, homeserver="http://127.0.0.1:1"))
    assert "nothing answers there" in (await wrong(folder))["homeserver"]
    folder.keep(replace(account, access_token=owner.access_token))
    assert f"as the device {owner.device_id}" in (await wrong(folder))["login"]
    folder.keep(account)
    homeserver.log_out(replace(owner, device_id=account.device_id))
    assert "does not know the login any more" in (await wrong(folder))["login"]


async def test_open_files_are_named(account: Account, folder: Folder) -> None:
    folder.account_file.chmod(0o644)
    folder.keys.chmod(0o750)
    said = (await wrong(folder))["files"]
    assert str(folder.account_file) in said
    assert str(folder.keys) in said
    assert folder.key_store(account).name not in said


async def test_a_damaged_account_file_is_all_that_is_told(folder: Folder) -> None:
    folder.make()
    folder.account_file.write_text("{", encoding="utf-8")
    assert [*await wrong(folder)] == ["account"]


async def test_used_up_keys_are_counted(account: Account, folder: Folder, mira: Sealed) -> None:
    async with Person(mira.login) as stranger:
        for _ in range(50):
            wish = {"one_time_keys": {account.user_id: {account.device_id: "signed_curve25519"}}}
            await stranger.wire.ask("POST", "/keys/claim", wish)
        assert "share its fallback key" in (await wrong(folder))["one-time keys"]
        await stranger.wire.ask("POST", "/keys/claim", wish)
    assert "cannot write to it" in (await wrong(folder))["one-time keys"]
