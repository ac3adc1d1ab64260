"""The loopback Discord's gateway, as an unmodified discord.py sees it: sessions, shards, intents, compression, events."""

import asyncio
import subprocess
import sys

import discord
import pytest

from tests.adapters.discord.plain_client import INTENTS, PLAIN_INTENTS, PlainClient, running, scene
from tests.fakes.discord import LoopbackDiscord

WITHOUT_ZSTANDARD = """
import asyncio, sys
sys.modules["zstandard"] = None  # as where it is not installed
import discord
del sys.modules["zstandard"]
from tests.fakes.discord.pointing import connector_from_environment

class Echo(discord.AutoShardedClient):
    async def on_message(self, message):
        if message.author != self.user:
            await message.channel.send(f"{discord.utils._ActiveDecompressionContext.COMPRESSION_TYPE}: {message.content}")
            await self.close()

async def main():
    intents = discord.Intents(guilds=True, messages=True, message_content=True)
    await Echo(intents=intents, connector=connector_from_environment()).start(sys.argv[1])

asyncio.run(main())
"""


async def test_a_client_becomes_ready_and_hears_a_player() -> None:
    async with scene() as here:
        await here.loopback.post(here.player, here.text, "Hello")
        await here.client.wait_for_note("message")

        assert here.client.contents == ["Hello"]
        assert discord.utils._ActiveDecompressionContext.COMPRESSION_TYPE == "zstd-stream"
        assert here.client.heard[0].author.name == "Tobias"
        assert here.client.heard[0].guild is not None
        assert here.tavern().permissions_for(here.client.guilds[0].me).manage_webhooks


async def test_a_child_process_without_zstandard_speaks_zlib_by_the_environment_alone() -> None:
    async with LoopbackDiscord() as loopback:
        player, guild = loopback.add_user("Tobias"), loopback.add_guild("Harbour")
        text = loopback.add_channel(guild, "tavern")
        command = (sys.executable, "-c", WITHOUT_ZSTANDARD, loopback.token)
        child = await asyncio.create_subprocess_exec(*command, env=loopback.environment(), stderr=subprocess.DEVNULL)
        await loopback.wait_until_ready()
        await loopback.post(player, text, "Hello " * 50)

        assert await asyncio.wait_for(child.wait(), 10) == 0
        assert loopback.messages(text)[-1].content == f"zlib-stream: {'Hello ' * 50}".strip()


async def test_two_shards_get_the_events_of_their_own_guilds_and_the_first_the_direct_messages() -> None:
    async with LoopbackDiscord() as loopback:
        player = loopback.add_user("Tobias")
        channels = [loopback.add_channel(loopback.add_guild(name), "tavern") for name in ("Harbour", "Moor")]
        client = PlainClient(loopback, shard_count=2)
        async with running(client, loopback.token):
            await client.wait_for_note("ready")
            for channel in (*channels, loopback.add_dm(player)):
                await loopback.post(player, channel, f"in {channel.name}{channel.guild and channel.guild.name}")
            await loopback.wait_until(lambda: len(client.heard) == 3)

            assert {each.shard for each in loopback.gateway.connected} == {0, 1}
            assert {guild.shard_id for guild in client.guilds} == {0, 1}
            told = [
                {data["id"] for _, name, data in each.kept if name == "MESSAGE_CREATE"} for each in loopback.gateway.sessions
            ]
            assert sorted(len(each) for each in told) == [1, 2]
            assert not told[0] & told[1]


async def test_the_number_of_shards_is_asked_for_where_the_client_says_none() -> None:
    async with LoopbackDiscord() as loopback:
        loopback.world.shards = 3
        client = PlainClient(loopback)
        async with running(client, loopback.token):
            await loopback.wait_until_ready(3)

        assert loopback.asked("GET", "/gateway/bot")


async def test_after_a_cut_connection_resume_replays_what_was_missed_and_doubles_nothing() -> None:
    async with scene() as here:
        await here.loopback.post(here.player, here.text, "one")
        await here.client.wait_for_note("message")
        await here.loopback.gateway.cut()
        for content in ("two", "three"):
            await here.loopback.post(here.player, here.text, content)
        await here.client.wait_for_note("resumed 0")
        await here.loopback.post(here.player, here.text, "four")
        await here.loopback.wait_until(lambda: len(here.client.heard) >= 4)

        assert here.client.contents == ["one", "two", "three", "four"]
        assert len(here.loopback.gateway.identifies) == 1


async def test_asked_to_reconnect_a_client_resumes() -> None:
    async with scene() as here:
        await here.loopback.gateway.ask_reconnect()
        await here.client.wait_for_note("resumed 0")

        assert len(here.loopback.gateway.identifies) == 1


async def test_a_session_that_is_invalid_but_resumable_is_resumed() -> None:
    async with scene() as here:
        await here.loopback.gateway.invalidate(resumable=True)
        await here.client.wait_for_note("resumed 0")

        assert len(here.loopback.gateway.identifies) == 1


async def test_after_an_invalid_session_a_client_identifies_anew_and_what_fell_between_is_lost() -> None:
    async with scene() as here:
        await here.loopback.gateway.invalidate()
        await here.loopback.post(here.player, here.text, "lost")
        await here.loopback.wait_until(lambda: here.client.noted.count("ready") == 2)
        await here.loopback.post(here.player, here.text, "heard")
        await here.client.wait_for_note("message")

        assert here.client.contents == ["heard"]
        assert len(here.loopback.gateway.identifies) == 2
        assert here.loopback.gateway.resumes == []
        assert [each.content async for each in here.tavern().history(oldest_first=True)] == ["lost", "heard"]


@pytest.mark.parametrize("code", [4000, 4009])
async def test_a_client_comes_back_after_a_close_that_it_may_come_back_from(code: int) -> None:
    async with scene() as here:
        await here.loopback.gateway.close(code)
        await here.client.wait_for_note("resumed 0")


async def test_a_close_with_1001_ends_the_session() -> None:
    async with scene() as here:
        await here.loopback.gateway.close(1001)
        await here.loopback.wait_until(lambda: len(here.loopback.gateway.identifies) == 2)

        assert len(here.loopback.gateway.resumes) == 1


async def test_a_wrong_token_is_a_failed_login() -> None:
    async with LoopbackDiscord() as loopback:
        client = PlainClient(loopback)
        with pytest.raises(discord.LoginFailure):
            await client.start("wrong")
        await client.close()


async def test_an_intent_that_the_application_lacks_closes_with_4014() -> None:
    async with LoopbackDiscord(reads_content=False) as loopback:
        client = PlainClient(loopback)
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await client.start(loopback.token)


async def test_identifying_can_be_refused_with_any_code() -> None:
    async with LoopbackDiscord() as loopback:
        loopback.gateway.refuse(4004)
        client = PlainClient(loopback)
        with pytest.raises(discord.ConnectionClosed) as closed:
            await client.start(loopback.token)

        assert closed.value.code == 4004


async def test_without_the_content_intent_only_direct_messages_own_ones_and_mentions_have_their_text() -> None:
    async with scene(reads_content=False, intents=PLAIN_INTENTS) as here:
        await here.loopback.post(here.player, here.text, "secret", files={"a.txt": b"a"})
        await here.loopback.post(here.player, here.text, f"<@{here.loopback.bot_id}> hello")
        await here.tavern().send("mine")
        await here.loopback.post(here.player, here.dm, "in private")
        await here.loopback.wait_until(lambda: len(here.client.heard) == 4)

        assert here.client.contents == ["", f"<@{here.loopback.bot_id}> hello", "mine", "in private"]
        assert here.client.heard[0].attachments == []
        assert [each.content async for each in here.tavern().history(limit=1, oldest_first=True)] == [""]


async def test_an_event_without_its_intent_is_not_sent() -> None:
    async with scene(intents=INTENTS & ~discord.Intents(typing=True)) as here:
        await here.loopback.typing(here.player, here.text)
        await here.loopback.post(here.player, here.text, "after")
        await here.client.wait_for_note("message")

        assert not [each for each in here.client.noted if each.startswith("typing")]


async def test_heartbeats_are_recorded_and_late_ones_can_be_counted() -> None:
    async with LoopbackDiscord() as loopback:
        loopback.gateway.heartbeat_s = 0.05
        client = PlainClient(loopback)
        async with running(client, loopback.token):
            await loopback.wait_until(lambda: len(loopback.gateway.beats) >= 5)

            assert loopback.gateway.late_beats(5) == []
            assert len(loopback.gateway.late_beats(-0.05)) >= 4
            assert client.latency < 5


async def test_a_malformed_event_ends_the_client() -> None:
    async with LoopbackDiscord() as loopback:
        loopback.add_guild("Harbour")
        client = PlainClient(loopback)
        async with running(client, loopback.token) as task:
            await client.wait_for_note("ready")
            loopback.gateway.send_malformed("MESSAGE_CREATE", {"id": "none"})
            with pytest.raises((KeyError, ValueError)):
                await asyncio.wait_for(task, 10)


async def test_a_discord_that_is_down_refuses_a_login_and_serves_it_later_with_all_that_stood() -> None:
    async with LoopbackDiscord() as loopback:
        guild = loopback.add_guild("Harbour")
        await loopback.stop()
        client = PlainClient(loopback)
        with pytest.raises(OSError, match="Cannot connect"):
            await client.start(loopback.token)
        await client.close()
        await loopback.start()
        again = PlainClient(loopback)
        async with running(again, loopback.token):
            await again.wait_for_note("ready")

            assert [each.id for each in again.guilds] == [guild.id]


async def test_everything_that_people_and_moderators_do_is_told() -> None:
    async with scene() as here:
        loopback, player = here.loopback, here.player
        first, second, third = [await loopback.post(player, here.text, each) for each in ("one", "two", "three")]
        thread = await loopback.open_thread(player, here.text, "A thread", first)
        await loopback.edit(player, second, "two, mended")
        await loopback.react(player, second, "👍")
        await loopback.typing(player, here.text)
        await loopback.bulk_delete([second, third])
        await loopback.delete(first)
        await loopback.archive(thread)
        await loopback.unarchive(thread)
        await loopback.lock(thread)
        await loopback.delete_channel(thread)
        await loopback.rename(here.text, "inn")
        await loopback.set_nsfw_level(here.guild, 3)
        await loopback.proxy_post(here.text, "Mira", "by proxy")
        await loopback.take_guild_away(here.guild)
        await loopback.bring_guild_back(here.guild)
        await here.client.wait_for_note(
            *(
                "edit two, mended",
                f"reaction 👍 {player.id}",
                f"typing {player.id}",
                f"bulk delete {sorted([second.id, third.id])}",
            ),
            *(f"delete {first.id}", "thread A thread", "thread archived=True locked=False", "thread archived=True locked=True"),
            *(f"thread deleted {thread.id}", "channel inn", "guild age_restricted", "webhooks inn", "guild away Harbour"),
        )
        await here.loopback.wait_until(lambda: here.client.noted[-1] == "guild here Harbour")

        assert here.client.heard[-1].webhook_id is not None
        assert here.client.heard[-1].author.name == "Mira"


async def test_active_threads_come_with_the_guild_and_archived_ones_by_rest() -> None:
    async with LoopbackDiscord() as loopback:
        player, guild = loopback.add_user("Tobias"), loopback.add_guild("Harbour")
        forum = loopback.add_channel(guild, "stories", "forum", nsfw=True)
        active, archived = [await loopback.open_post(player, forum, name, "Once") for name in ("active", "archived")]
        await loopback.archive(archived)
        client = PlainClient(loopback)
        async with running(client, loopback.token):
            await client.wait_for_note("ready")
            known = client.guilds[0].threads

            assert [each.id for each in known] == [active.id]
            assert known[0].is_nsfw()
            assert [each.id for each in await client.guilds[0].active_threads()] == [active.id]
            stories = client.get_channel(forum.id)
            assert isinstance(stories, discord.ForumChannel)
            assert [each.id async for each in stories.archived_threads()] == [archived.id]


async def test_a_channel_out_of_sight_is_silent_and_refused() -> None:
    async with scene() as here:
        here.loopback.forbid(here.text, "view_channel")
        await here.loopback.post(here.player, here.text, "unseen")
        await here.loopback.post(here.player, here.dm, "seen")
        await here.client.wait_for_note("message")
        with pytest.raises(discord.Forbidden) as refused:
            await here.client.fetch_channel(here.text.id)

        assert refused.value.code == 50001
        assert here.client.contents == ["seen"]
