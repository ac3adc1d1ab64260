"""Each start sees to it that the bot's device is known and vouched for, and makes or overwrites nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.matrix.keeping import Folder, Seeds
from adapters.matrix.publishing import keys_to_upload
from adapters.matrix.trust import VOUCHED, NoAnswer, ensure, log_in
from adapters.matrix.trust.asking import Denied
from adapters.matrix.trust.bootstrap import NO_IDENTITY
from adapters.matrix.trust.identity import new_seeds
from tests.adapters.matrix.stage import again, first, kept
from tests.adapters.matrix.trust.accounts import keys_of, signed, silent, wish
from tests.adapters.matrix.trust.elsewhere import set_up
from tests.homeserver import trust
from tests.homeserver.people import Person
from tests.homeserver.server import Login, Synapse


async def test_a_start_vouches_for_the_bot_where_its_account_does_not_yet(
    owner: Login, operator: Person, folder: Folder
) -> None:
    seeds = await set_up(operator)
    account = await log_in(wish(owner), folder, silent())
    account = replace(account, seeds=Seeds(self_signing=seeds.self_signing))
    async with again(account, folder) as bot:
        assert await ensure(bot, account, folder) == [VOUCHED]
        assert await ensure(bot, account, folder) == []
    assert await signed(operator) == {account.device_id}


async def test_a_start_publishes_an_identity_whose_keys_were_kept_just_before_a_crash(
    homeserver: Synapse, owner: Login, operator: Person, memory: Path
) -> None:
    account, folder = kept(homeserver.log_in(owner), memory)
    account = replace(account, seeds=new_seeds())
    async with first(account, folder) as bot:
        assert await ensure(bot, account, folder) == [VOUCHED]
    assert await signed(operator) == {account.device_id}


async def test_a_start_makes_no_identity_of_its_own(homeserver: Synapse, owner: Login, operator: Person, memory: Path) -> None:
    account, folder = kept(homeserver.log_in(owner), memory)
    async with first(account, folder) as bot:
        assert await ensure(bot, account, folder) == [NO_IDENTITY]
    assert trust.identity(await keys_of(operator), owner.user_id) is None


async def test_a_start_with_a_token_that_is_gone_or_without_a_homeserver_says_which_it_is(
    homeserver: Synapse, owner: Login, memory: Path
) -> None:
    account, folder = kept(homeserver.log_in(owner), memory)
    gone = replace(account, access_token="gone")  # noqa: S106  of no account
    async with first(gone, folder) as bot:
        with pytest.raises(Denied, match="M_UNKNOWN_TOKEN"):
            await ensure(bot, gone, folder)
    away = replace(account, homeserver="http://127.0.0.1:1")
    async with first(away, folder) as bot:
        with pytest.raises(NoAnswer, match="nothing answers there") as unanswered:
            await ensure(bot, away, folder)
    assert unanswered.value.may_pass


async def test_a_start_offers_no_key_again_that_was_on_its_way_when_the_last_run_ended(
    homeserver: Synapse, owner: Login, operator: Person, memory: Path
) -> None:
    account, folder = kept(homeserver.log_in(owner), memory)
    wish = {"one_time_keys": {account.user_id: {account.device_id: "signed_curve25519"}}}
    async with first(account, folder) as bot:
        promised = keys_to_upload(bot.keys, with_fallback=True)
        async with Person(replace(owner, access_token=account.access_token)) as device:
            await device.wire.ask("POST", "/keys/upload", promised)  # and killed before it knew that they had come
    taken = await operator.wire.ask("POST", "/keys/claim", wish)
    async with again(account, folder) as bot:
        await ensure(bot, account, folder)
    later = [await operator.wire.ask("POST", "/keys/claim", wish) for _ in range(50)]
    assert taken not in later
