"""The program on Discord, asked to end as services are, while a reply of several posts is written and brought."""

from pathlib import Path

import pytest

from tests.fakes.discord.checked import Watchful, watched
from tests.walks.discord.whole import document, place
from tests.walks.program import CHARACTER, POSTS, Program, assert_left, assert_whole_story, ends_with, halting, running

PATIENCE = 40.0


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize("is_in_time", [True, False], ids=["it comes to its end", "it is handed back"])
async def test_a_reply_under_way_when_the_program_ends_is_whole_and_no_post_is_lost(
    tmp_path: Path, *, is_in_time: bool
) -> None:
    async with watched(Watchful(document())) as discord, halting() as (engine, address):
        guild, player = discord.add_guild("Harbour"), discord.add_user("Tobias")
        thread = await discord.open_thread(player, discord.add_channel(guild, "tavern"), "Evening")
        config = f'[discord]\ntoken = "{discord.token}"\nshard_count = 1\njoin_seconds = 0.5\n'
        program = Program(tmp_path, address, "On Discord as", "tests.walks.discord.pointed", config, discord.environment())

        def seen() -> list[str]:
            return [each.content for each in discord.messages(thread) if each.webhook_id]

        async with running(program):
            await discord.slash(player, thread, "rp start", {"character": CHARACTER})
            await discord.wait_until(seen, PATIENCE)
            greeting = len(seen())
            await discord.post(player, thread, POSTS[0])
            await discord.wait_until(lambda: len(seen()) > greeting, PATIENCE)

            await program.ask_to_end()
            await discord.post(player, thread, POSTS[1])
            if is_in_time:
                engine.may_go_on.set()
            await program.ended()
            assert discord.gateway.closed == [1000], "it said goodbye"
            await assert_left(tmp_path, place(thread), is_whole=is_in_time)
            assert ends_with(1, seen()) is is_in_time

            engine.may_go_on.set()
            await program.start()
            await discord.wait_until(lambda: ends_with(2, seen()), PATIENCE)
            await program.ask_to_end()
            await program.ended()
            await assert_whole_story(tmp_path, place(thread), seen())
