"""Where stories are played on Discord: archived, locked and deleted threads, forums, direct messages, places for adults."""

from dataclasses import replace
from pathlib import Path

from adapters.discord.words import place_of
from bot.story.policy import Rating
from bot.story.turn import Role
from tests.builders import MIRA
from tests.fakes.discord import Channel
from tests.fakes.engine import Pause, ScriptedReply
from tests.walks.discord.whole import GREETING, Whole, whole

VERA = replace(MIRA, name="Vera", greeting="Vera lit a candle.", rating=Rating.ADULT)
MINUTE = 60.0


async def ended_in(bot: Whole, channel_id: int) -> bool:
    """Whether the story of a place rests in the bin, and nobody listens there any more."""
    place = place_of(channel_id)
    await bot.until(lambda: place not in bot.face.hearing.watched)
    assert await bot.store.session_at(place) is None
    return len(await bot.store.ended(place)) == 1


async def test_a_post_wakes_an_archived_thread_and_is_answered(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods.", "She smiles."]) as bot:
        thread = await bot.story()
        await bot.discord.archive(thread)
        await bot.post(thread, "Tobias knocks.")
        assert await bot.told_in(thread) == [GREETING, "Tobias knocks.", "She nods."]
        await bot.discord.archive(thread)
        await bot.press(bot.dressed(thread)[0], "us:retry")
        assert [each.content for each in bot.shown(thread)] == [GREETING, "She smiles."]
        await bot.check(thread)


async def test_a_locked_thread_ends_its_story_which_goes_on_elsewhere(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods.", "She smiles."]) as bot:
        thread = await bot.story()
        await bot.post(thread, "Tobias knocks.")
        await bot.discord.lock(thread)
        assert await ended_in(bot, thread.id)
        elsewhere = await bot.thread("Another evening")
        assert await bot.ask(elsewhere, "rp resume", {"story": "Mira"}) == "The story with Mira goes on."
        await bot.post(elsewhere, "Tobias comes in.")
        assert await bot.told_in(elsewhere) == [GREETING, "Tobias knocks.", "She nods.", "Tobias comes in.", "She smiles."]
        assert [each.content for each in bot.shown(elsewhere)] == ["She smiles."]


async def test_a_thread_locked_during_a_reply_ends_it_and_the_story(tmp_path: Path) -> None:
    pause = Pause(before=1)
    async with whole(tmp_path, [ScriptedReply(("She", " nods."), pause=pause), "She smiles."]) as bot:
        thread = await bot.story()
        await bot.discord.post(bot.player, thread, "Tobias knocks.")
        await pause.reached.wait()
        await bot.discord.lock(thread)
        assert await ended_in(bot, thread.id)
        await bot.quiet()
        other = await bot.story()
        await bot.post(other, "Tobias comes in.")
        assert await bot.told_in(other) == [GREETING, "Tobias comes in.", "She smiles."]


async def test_a_deleted_thread_ends_its_story_which_goes_on_elsewhere(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods.", "She smiles."]) as bot:
        thread = await bot.story()
        await bot.post(thread, "Tobias knocks.")
        await bot.discord.delete_channel(thread)
        assert await ended_in(bot, thread.id)
        elsewhere = await bot.thread("Another evening")
        await bot.ask(elsewhere, "rp resume", {"story": "Mira"})
        await bot.post(elsewhere, "Tobias comes in.")
        assert (await bot.told_in(elsewhere))[-1] == "She smiles."


async def test_a_thread_deleted_while_the_program_was_down_ends_its_story_at_the_start(tmp_path: Path) -> None:
    async with whole(tmp_path) as bot:
        gone, stays = await bot.story(), await bot.story()
        await bot.close()
        await bot.discord.delete_channel(gone)
        await bot.start()
        assert await ended_in(bot, gone.id)
        await bot.post(stays, "Tobias knocks.")
        assert len(await bot.told_in(stays)) == 3


async def test_a_story_that_ends_leaves_its_thread_in_peace_and_comes_back_there(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods."]) as bot:
        thread = await bot.story()
        await bot.ask(thread, "rp end")
        await bot.post(thread, "Tobias knocks.")
        assert bot.engine.requests == []
        await bot.ask(thread, "rp resume")
        await bot.post(thread, "Tobias knocks again.")
        assert await bot.told_in(thread) == [GREETING, "Tobias knocks again.", "She nods."]
        await bot.check(thread)


async def test_posts_that_stand_in_a_thread_become_a_story_and_are_gone_on_with(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods."]) as bot:
        thread = await bot.thread()
        await bot.discord.post(bot.player, thread, "Tobias knocks.")
        await bot.discord.proxy_post(thread, "Mira", "Mira opened the door.")
        await bot.discord.post(bot.player, thread, "Tobias comes in.")
        assert (await bot.ask(thread, "rp adopt", {"character": "Mira"})).startswith("3 posts are the story now")
        roles = [turn.role for turn in (await bot.session(thread)).turns]
        assert roles == [Role.PLAYER, Role.CHARACTER, Role.PLAYER]
        await bot.post(thread, "Tobias sits down.")
        assert (await bot.told_in(thread))[-2:] == ["Tobias sits down.", "She nods."]
        assert "Mira opened the door." in "".join(each.text for each in bot.engine.requests[-1].segments)


async def test_two_threads_of_a_channel_are_played_side_by_side(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods."]) as bot:
        first, second = await bot.story(), await bot.story()
        for number in range(3):
            await bot.discord.post(bot.player, first, f"Tobias knocks {number}.")
            await bot.discord.post(bot.other, second, f"Aled waits {number}.")
            await bot.quiet()
        assert [each for each in await bot.told_in(first) if "Aled" in each] == []
        assert [each for each in await bot.told_in(second) if "Tobias" in each] == []
        assert [len(await bot.told_in(each)) for each in (first, second)] == [7, 7]
        for each in (first, second):
            await bot.check(each)


async def test_a_story_in_a_forum_is_started_from_elsewhere_and_played(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods."]) as bot:
        post = await bot.story(bot.text, into=bot.forum, scenario="A stranger asks for shelter.")
        assert post.parent is bot.forum
        await bot.post(post, "Tobias knocks.")
        assert await bot.told_in(post) == [GREETING, "Tobias knocks.", "She nods."]
        await bot.check(post)


async def test_direct_messages_hold_a_story(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods."]) as bot:
        await bot.story(bot.dm)
        await bot.post(bot.dm, "Tobias knocks.")
        assert await bot.told_in(bot.dm) == [GREETING, "Tobias knocks.", "She nods."]
        assert [each for each in bot.texts(bot.dm) if "Mira" in each.split("\n")[0]] == [
            f"**Mira**\n{GREETING}",
            "**Mira**\nShe nods.",
        ]


async def test_a_character_for_adults_is_played_only_where_adults_are(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods."]) as bot:
        await bot.keep(VERA)
        plain = await bot.thread()
        said = await bot.ask(plain, "rp start", {"character": "Vera"})
        assert "marked for adults only" in said
        assert await bot.store.places() == ()
        cellar = bot.discord.add_channel(bot.guild, "cellar", nsfw=True)
        thread = await bot.story(await bot.thread("Night", cellar), "Vera")
        await bot.post(thread, "Tobias knocks.")
        assert await bot.told_in(thread) == ["Vera lit a candle.", "Tobias knocks.", "She nods."]
        await bot.check(thread)

        await bot.discord.restrict_age(cellar, nsfw=False)
        await bot.post(thread, "Tobias sits down.")
        assert len(bot.engine.requests) == 1
        assert len(await bot.told_in(thread)) == 3
        (notice,) = bot.said(thread)
        assert "marked for adults only" in notice

        await bot.discord.restrict_age(cellar)
        await bot.post(thread, "Tobias stays.")
        assert (await bot.told_in(thread))[3:] == ["Tobias stays.", "She nods."]


async def test_a_channel_that_stops_being_for_adults_stops_the_next_reply_by_button_too(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods."]) as bot:
        await bot.keep(VERA)
        cellar = bot.discord.add_channel(bot.guild, "cellar", nsfw=True)
        thread = await bot.story(await bot.thread("Night", cellar), "Vera")
        await bot.post(thread, "Tobias knocks.")
        await bot.discord.restrict_age(cellar, nsfw=False)
        await bot.press(bot.dressed(thread)[0], "us:retry")
        assert len(bot.engine.requests) == 1
        assert len((await bot.session(thread)).turns[-1].variants) == 1


async def test_while_it_cannot_be_known_who_comes_in_nothing_for_adults_is_written(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods."]) as bot:
        await bot.keep(VERA)
        cellar = bot.discord.add_channel(bot.guild, "cellar", nsfw=True)
        thread = await bot.story(await bot.thread("Night", cellar), "Vera")
        bot.clock.pass_by(2 * MINUTE)
        asked: list[int] = []
        unknown = bot.discord.faults.add(f"GET /channels/{cellar.id}", "cut before", times=3)
        bot.discord.on_exchange.append(lambda _: asked.append(len(bot.engine.requests)) if unknown.seen <= 3 else None)
        await bot.post(thread, "Tobias knocks.")
        assert unknown.seen > 3
        assert set(asked) == {0}, "nothing is written before Discord has told"
        assert await bot.told_in(thread) == ["Vera lit a candle.", "Tobias knocks.", "She nods."]


async def test_where_discord_does_not_tell_of_the_parent_nothing_for_adults_is_played(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods."]) as bot:
        await bot.keep(VERA)
        cellar = bot.discord.add_channel(bot.guild, "cellar", nsfw=True)
        thread = await bot.story(await bot.thread("Night", cellar), "Vera")
        bot.clock.pass_by(2 * MINUTE)
        del bot.discord.world.channels[cellar.id]
        await bot.post(thread, "Tobias knocks.")
        assert bot.engine.requests == []
        assert "marked for adults only" in bot.texts(thread)[-1]


async def test_a_missing_permission_is_named_to_whoever_starts(tmp_path: Path) -> None:
    async with whole(tmp_path) as bot:
        bot.discord.forbid(bot.text, "create_public_threads")
        said = await bot.ask(bot.text, "rp start", {"character": "Mira"})
        assert "Create Public Threads" in said
        assert await bot.store.places() == ()


async def test_without_webhooks_the_bot_speaks_itself_until_it_has_them_again(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods.", "She smiles.", "She sits."]) as bot:
        thread = await bot.story()
        await bot.quiet()
        bot.discord.forbid(bot.text, "manage_webhooks")
        bot.clock.pass_by(2 * MINUTE)
        await bot.restart()
        await bot.post(thread, "Tobias knocks.")
        assert bot.texts(thread)[-1] == "**Mira**\nShe nods."
        bot.discord.allow(bot.text, "manage_webhooks")
        bot.clock.pass_by(2 * MINUTE)
        await bot.post(thread, "Tobias sits down.")
        assert [each.content for each in bot.shown(thread)] == [GREETING, "She smiles."]
        await bot.press(bot.shown(thread)[-1], "us:retry")
        assert [each.content for each in bot.shown(thread)] == [GREETING, "She sits."]
        assert "**Mira**\nShe nods." in bot.texts(thread)


async def opened_by(bot: Whole, near: Channel, command: str, **options: str | int) -> Channel:
    """The thread that a command opens beside another one."""
    before = set(bot.discord.world.channels)
    await bot.ask(near, command, options)
    (opened,) = set(bot.discord.world.channels) - before
    return bot.discord.world.channels[opened]


async def test_a_branch_and_a_part_open_threads_with_links_there_and_back(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods.", "She smiles.", "She sits."]) as bot:
        thread = await bot.story()
        await bot.post(thread, "Tobias knocks.")
        branch = await opened_by(bot, thread, "rp branch", turn=2)
        assert f"<#{branch.id}>" in bot.said(thread)[-1]
        assert f"<#{thread.id}>" in bot.said(branch)[-1]
        await bot.post(branch, "Tobias leaves.")
        assert await bot.told_in(branch) == [GREETING, "Tobias knocks.", "She nods.", "Tobias leaves.", "She smiles."]
        assert await bot.told_in(thread) == [GREETING, "Tobias knocks.", "She nods."]

        part = await opened_by(bot, thread, "rp part", summary="They met.", title="The Second Night")
        assert part.name == "The Second Night"
        assert f"<#{part.id}>" in bot.said(thread)[-1]
        assert f"<#{thread.id}>" in bot.said(part)[-1]
        await bot.post(part, "The sun rises.")
        assert (await bot.told_in(part))[-2:] == ["The sun rises.", "She sits."]
        await bot.post(thread, "Too late.")
        assert await bot.told_in(thread) == [GREETING, "Tobias knocks.", "She nods."]
        assert bot.said(thread)[-1].startswith("This part of the story has ended")


async def test_direct_messages_that_were_missed_are_answered_and_their_buttons_work(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods.", "She smiles."]) as bot:
        await bot.story(bot.dm)
        await bot.close()
        await bot.discord.post(bot.player, bot.dm, "Tobias knocks.")
        await bot.start()
        await bot.quiet()
        assert await bot.told_in(bot.dm) == [GREETING, "Tobias knocks.", "She nods."]
        await bot.press(bot.dressed(bot.dm)[-1], "us:retry")
        assert bot.texts(bot.dm)[-1] == "**Mira**\nShe smiles."
        assert [each.content for each in bot.dressed(bot.dm)] == ["**Mira**\nShe smiles."]


async def test_posts_that_were_adopted_are_followed_when_they_change_after_a_restart_too(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods."]) as bot:
        thread = await bot.thread()
        first = await bot.discord.post(bot.player, thread, "Tobias knocks.")
        second = await bot.discord.post(bot.other, thread, "Aled comes in.")
        await bot.ask(thread, "rp adopt", {"character": "Mira"})
        await bot.restart()
        await bot.discord.edit(bot.player, first, "Tobias kicks the door.")
        await bot.quiet()
        assert await bot.told_in(thread) == ["Tobias kicks the door.", "Aled comes in."]
        await bot.ask(thread, "continue")
        assert await bot.told_in(thread) == ["Tobias kicks the door.", "Aled comes in.", "She nods."]
        await bot.discord.delete(second)
        await bot.quiet()
        assert await bot.told_in(thread) == ["Tobias kicks the door.", "She nods."]
        await bot.check(thread)
