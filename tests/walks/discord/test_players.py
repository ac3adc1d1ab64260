"""What players write on Discord: messages joined, changed and deleted, proxies, and posts that cannot be read."""

from pathlib import Path

import pytest

from tests.fakes.discord.players import PROXY_APPLICATION
from tests.walks.discord.whole import GREETING, whole

TUPPERBOX = 431544605209788416
JOIN = 3.0
"""Seconds of the fast clock: long enough for messages in a row on a slow machine."""


async def test_three_messages_in_a_row_are_one_post_and_the_story_follows_each_of_them(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods.", "She laughs.", "She frowns."], join_seconds=JOIN) as bot:
        thread = await bot.story()
        _, second, third = await bot.post(thread, "Tobias knocks.", "He waits.", "He knocks again.")
        assert await bot.told_in(thread) == [GREETING, "Tobias knocks.\n\nHe waits.\n\nHe knocks again.", "She nods."]
        await bot.check(thread)

        await bot.discord.edit(bot.player, second, "He waits in the rain.")
        await bot.quiet()
        story = await bot.told_in(thread)
        assert story[:2] == [GREETING, "Tobias knocks.\n\nHe waits in the rain.\n\nHe knocks again."]
        await bot.check(thread)

        await bot.discord.delete(third)
        await bot.quiet()
        assert (await bot.told_in(thread))[:2] == [GREETING, "Tobias knocks.\n\nHe waits in the rain."]
        assert len((await bot.session(thread)).turns) == 3


async def test_messages_that_a_moderator_deletes_at_one_stroke_leave_the_story(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods."], join_seconds=JOIN) as bot:
        thread = await bot.story()
        written = await bot.post(thread, "Tobias knocks.", "He waits.")
        await bot.post(thread, "He sits down.", by=bot.other)
        assert len(await bot.told_in(thread)) == 5
        await bot.discord.bulk_delete(written)
        await bot.quiet()
        told = await bot.told_in(thread)
        assert not [each for each in told if "knocks" in each or "waits" in each]
        await bot.check(thread)


async def test_a_message_deleted_before_it_is_answered_is_never_answered(tmp_path: Path) -> None:
    async with whole(tmp_path, join_seconds=JOIN) as bot:
        thread = await bot.story()
        message = await bot.discord.post(bot.player, thread, "Tobias knocks.")
        await bot.discord.delete(message)
        await bot.quiet()
        assert await bot.told_in(thread) == [GREETING]
        assert bot.engine.requests == []


@pytest.mark.parametrize("is_deleted_first", [True, False])
@pytest.mark.parametrize("application", [PROXY_APPLICATION, TUPPERBOX])
async def test_a_proxied_post_is_one_post_under_its_name_and_answered_once(
    tmp_path: Path, application: int, *, is_deleted_first: bool
) -> None:
    async with whole(tmp_path, ["She nods."], join_seconds=JOIN) as bot:
        thread = await bot.story()
        original = await bot.discord.post(bot.other, thread, "av: Aled knocks.")
        if is_deleted_first:
            await bot.discord.delete(original)
        copy = await bot.discord.proxy_post(thread, "Aled Vane", "Aled knocks.", application_id=application)
        if not is_deleted_first:
            await bot.discord.delete(original)
        await bot.quiet()
        _, post, reply = (await bot.session(thread)).turns
        assert (post.text, post.name, post.sources) == ("Aled knocks.", "Aled Vane", (str(copy.id),))
        assert [each.content for each in bot.shown(thread)] == [GREETING, reply.text]
        assert len(bot.engine.requests) == 1
        await bot.check(thread)


async def test_a_proxy_that_is_late_leaves_the_words_in_the_story_once(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods.", "She smiles."]) as bot:
        thread = await bot.story()
        (original,) = await bot.post(thread, "av: Aled knocks.", by=bot.other)
        await bot.discord.proxy_post(thread, "Aled Vane", "Aled knocks.")
        await bot.quiet()
        await bot.discord.delete(original)
        await bot.quiet()
        assert [each for each in await bot.told_in(thread) if "knocks" in each] == ["Aled knocks."]
        await bot.check(thread)


async def test_without_leave_to_read_it_says_so_once_and_takes_posts_that_call_it_or_are_chosen(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods.", "She smiles."], reads_content=False) as bot:
        thread = await bot.story()
        unread, _ = await bot.post(thread, "Tobias knocks.", "He waits.")
        await bot.post(thread, "He knocks again.")
        assert len(bot.said(thread)) == 1
        assert bot.said(thread)[0].startswith("Discord does not let me read your posts here.")
        assert await bot.told_in(thread) == [GREETING]

        await bot.post(thread, f"<@{bot.discord.bot_id}> Tobias shouts.")
        assert await bot.told_in(thread) == [GREETING, "Tobias shouts.", "She nods."]

        menu = await bot.discord.context_menu(bot.player, unread, "Take as post")
        await menu.wait_for_message()
        await bot.quiet()
        assert (await bot.told_in(thread))[3:] == ["Tobias knocks.", "She smiles."]
        assert len(bot.said(thread)) == 1


async def test_two_players_are_heard_each_by_their_own_name(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods."]) as bot:
        thread = await bot.story()
        await bot.discord.post(bot.player, thread, "Tobias knocks.")
        await bot.discord.post(bot.other, thread, "Aled looks out.")
        await bot.quiet()
        assert [turn.name for turn in (await bot.session(thread)).turns if turn.author] == ["Tobias", "Aled"]
        await bot.post(thread, "Tobias waits.", by=bot.other)
        prompt = "".join(segment.text for segment in bot.engine.requests[-1].segments)
        assert prompt.index("Tobias knocks.") < prompt.index("Aled looks out.") < prompt.index("Tobias waits.")
        await bot.check(thread)


async def test_talk_of_another_bot_and_pins_are_no_posts(tmp_path: Path) -> None:
    async with whole(tmp_path) as bot:
        thread = await bot.story()
        await bot.post(thread, "The weather: rain.", by=bot.discord.add_user("Radio", is_bot=True))
        await bot.discord.rename(thread, "Night")
        await bot.quiet()
        assert await bot.told_in(thread) == [GREETING]
        assert bot.engine.requests == []
