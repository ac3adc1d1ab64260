"""Commands are put to Discord when they have changed, and only then. The stage judges them by Discord's own document."""

import pytest

from adapters.discord.commands.syncing import kept_at, sync
from adapters.discord.words import DISCORD
from tests.adapters.discord.commands.commands_stage import stage


async def test_commands_are_put_once_and_again_only_when_they_changed() -> None:
    async with stage() as on:
        put = "/commands"
        assert len(on.loopback.asked("PUT", put)) == 1
        assert not await sync(on.client, on.store, is_degraded=False)
        assert len(on.loopback.asked("PUT", put)) == 1
        assert await sync(on.client, on.store, is_degraded=True)
        assert {each["name"] for each in on.loopback.commands()} >= {"rp", "retry", "Take as post"}


async def test_what_discord_did_not_take_is_put_again() -> None:
    async with stage() as on:
        await on.store.bookmark(kept_at(on.application), "others")
        on.loopback.faults.add(route="PUT /applications/*", kind="429 without via")
        with pytest.raises(Exception, match="429"):
            await sync(on.client, on.store, is_degraded=False)
        assert (await on.store.bookmarks(DISCORD))[kept_at(on.application).channel] == "others"
        assert await sync(on.client, on.store, is_degraded=False)
