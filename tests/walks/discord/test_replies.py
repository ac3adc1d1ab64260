"""Replies on Discord from the post to the last button: long ones in several posts, other versions, stopped and taken back."""

import re
from pathlib import Path

from tests.fakes.discord import Channel
from tests.fakes.engine import Pause, ScriptedReply
from tests.walks.discord.whole import GREETING, Whole, whole

SENTENCES = "The rain drummed on the shutters all evening, and nobody came up the road. " * 6
LONG = "\n\n".join(f"{number}. {SENTENCES.strip()}" for number in range(1, 14))
MEDIUM = "\n\n".join(f"{number}. {SENTENCES.strip()}" for number in range(21, 28))
RAIN = " ".join(f"It rained for the {number}th hour, and the road was a river." for number in range(40, 110))


def pieces(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\s*\S+", text))


def changes_since(bot: Whole, channel: Channel, mark: int) -> list[str]:
    return [each.kind for each in bot.discord.history(channel)[mark:]]


async def test_a_reply_of_six_thousand_characters_stands_in_whole_posts_in_order(tmp_path: Path) -> None:
    assert len(LONG) > 5900
    async with whole(tmp_path, [LONG]) as bot:
        thread = await bot.story()
        await bot.post(thread, "Tobias knocks.")
        greeting, *posts = bot.shown(thread)
        assert greeting.content == GREETING
        assert len(posts) >= 4
        assert all(len(each.content) <= 2000 for each in posts)
        assert "\n\n".join(each.content for each in posts) == LONG, "each post ends where a paragraph does"
        assert [each.id for each in bot.dressed(thread)] == [posts[-1].id]
        await bot.check(thread)


async def test_a_reply_without_paragraphs_is_cut_at_the_ends_of_sentences(tmp_path: Path) -> None:
    async with whole(tmp_path, [RAIN]) as bot:
        thread = await bot.story()
        await bot.post(thread, "Tobias knocks.")
        posts = [each.content for each in bot.shown(thread)[1:]]
        assert len(posts) >= 3
        assert all(each.endswith("river.") for each in posts)
        assert " ".join(posts) == RAIN
        await bot.check(thread)


async def test_a_shorter_version_edits_posts_first_and_takes_away_what_is_left_over(tmp_path: Path) -> None:
    async with whole(tmp_path, [LONG, MEDIUM]) as bot:
        thread = await bot.story()
        await bot.post(thread, "Tobias knocks.")
        first = bot.shown(thread)[1:]
        mark = len(bot.discord.history(thread))
        await bot.press(first[-1], "us:retry")
        after = bot.shown(thread)[1:]
        assert 1 < len(after) < len(first)
        assert [each.id for each in after] == [each.id for each in first[: len(after)]], "posts are edited in place"
        assert "\n\n".join(each.content for each in after) == MEDIUM
        kinds = changes_since(bot, thread, mark)
        assert kinds.count("delete") == len(first) - len(after)
        assert "create" not in kinds
        assert [each.id for each in bot.dressed(thread)] == [after[-1].id]
        await bot.check(thread)


async def test_a_longer_version_appends_posts(tmp_path: Path) -> None:
    async with whole(tmp_path, [MEDIUM, LONG]) as bot:
        thread = await bot.story()
        await bot.post(thread, "Tobias knocks.")
        first = bot.shown(thread)[1:]
        await bot.press(first[-1], "us:retry")
        after = bot.shown(thread)[1:]
        assert len(after) > len(first)
        assert [each.id for each in after[: len(first)]] == [each.id for each in first]
        assert "\n\n".join(each.content for each in after) == LONG
        assert bot.said(thread) == [], "nobody came between"
        assert [each.id for each in bot.dressed(thread)] == [after[-1].id]
        await bot.check(thread)


async def test_a_longer_version_says_where_it_goes_on_when_somebody_wrote_between(tmp_path: Path) -> None:
    async with whole(tmp_path, [MEDIUM, LONG]) as bot:
        thread = await bot.story()
        await bot.post(thread, "Tobias knocks.")
        first = bot.shown(thread)[1:]
        await bot.discord.post(bot.discord.add_user("Radio", is_bot=True), thread, "The weather: rain.")
        await bot.ask(thread, "retry")
        after = bot.shown(thread)[1:]
        assert "\n\n".join(each.content for each in after) == LONG
        (line,) = [each for each in bot.texts(thread) if "goes on here" in each]
        assert f"/{thread.id}/{first[-1].id}" in line
        at = bot.texts(thread).index(line)
        assert bot.texts(thread)[at - 1] == "The weather: rain."
        assert bot.texts(thread)[at + 1] == after[len(first)].content
        await bot.check(thread)
        await bot.press(after[-1], "us:swipe:left")
        assert "\n\n".join(each.content for each in bot.shown(thread)[1:]) == MEDIUM
        assert not [each for each in bot.texts(thread) if "goes on here" in each], "the line goes with the posts after it"
        await bot.check(thread)


async def test_undo_takes_the_whole_set_of_posts_away(tmp_path: Path) -> None:
    async with whole(tmp_path, [LONG]) as bot:
        thread = await bot.story()
        await bot.post(thread, "Tobias knocks.")
        assert len(bot.shown(thread)) > 4
        await bot.ask(thread, "undo")
        assert [each.content for each in bot.shown(thread)] == [GREETING]
        assert await bot.told_in(thread) == [GREETING]
        assert [each.content for each in bot.dressed(thread)] == [GREETING]
        await bot.check(thread)


async def test_versions_are_swiped_by_button_before_and_after_a_restart(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods.", LONG, "She sits."]) as bot:
        thread = await bot.story()
        await bot.post(thread, "Tobias knocks.")
        await bot.press(bot.dressed(thread)[0], "us:retry")
        assert "\n\n".join(each.content for each in bot.shown(thread)[1:]) == LONG
        await bot.press(bot.dressed(thread)[0], "us:swipe:left")
        assert [each.content for each in bot.shown(thread)[1:]] == ["She nods."]
        await bot.check(thread)
        await bot.restart()
        await bot.press(bot.dressed(thread)[0], "us:swipe:right")
        assert "\n\n".join(each.content for each in bot.shown(thread)[1:]) == LONG
        assert len(bot.dressed(thread)) == 1
        await bot.check(thread)
        await bot.restart()
        await bot.post(thread, "Tobias sits down.")
        assert bot.shown(thread)[-1].content == "She sits."
        assert [each.content for each in bot.dressed(thread)] == ["She sits."]
        await bot.check(thread)


async def test_a_reply_is_stopped_and_written_on(tmp_path: Path) -> None:
    pause = Pause(before=len(pieces(LONG)) - 40)
    async with whole(tmp_path, [ScriptedReply(pieces(LONG), pause=pause), " And so it went."]) as bot:
        thread = await bot.story()
        await bot.discord.post(bot.player, thread, "Tobias knocks.")
        await pause.reached.wait()
        assert await bot.ask(thread, "stop") == "The reply is stopped."
        stopped = (await bot.told_in(thread))[-1]
        assert LONG.startswith(stopped)
        await bot.check(thread)
        await bot.press(bot.dressed(thread)[0], "us:continue")
        assert (await bot.told_in(thread))[-1] == f"{stopped} And so it went."
        await bot.check(thread)


async def test_a_reply_of_several_posts_goes_on_where_a_restart_cut_it_off(tmp_path: Path) -> None:
    pause = Pause(before=len(pieces(LONG)) - 40)
    rest = f"\n\n{MEDIUM}"
    async with whole(tmp_path, [ScriptedReply(pieces(LONG), pause=pause), rest]) as bot:
        thread = await bot.story()
        await bot.discord.post(bot.player, thread, "Tobias knocks.")
        await pause.reached.wait()
        await bot.until(lambda: len(bot.shown(thread)) > 2)
        stood = [(each.id, each.content) for each in bot.shown(thread)]
        await bot.restart()
        await bot.quiet()
        assert [(each.id, each.content) for each in bot.shown(thread)][: len(stood)] == stood, "what stood stands"
        told = (await bot.told_in(thread))[-1]
        assert told.endswith(rest)
        assert LONG.startswith(told.removesuffix(rest))
        assert len(bot.engine.requests) == 2
        await bot.check(thread)


async def test_one_post_of_a_reply_is_edited_by_the_menu_and_the_others_stand(tmp_path: Path) -> None:
    async with whole(tmp_path, [MEDIUM]) as bot:
        thread = await bot.story()
        await bot.post(thread, "Tobias knocks.")
        _, first, second, *_ = bot.shown(thread)
        kept = first.content
        menu = await bot.discord.context_menu(bot.player, second, "Edit")
        done = await bot.discord.submit(bot.player, menu, {"text": second.content.replace("rain", "snow")})
        await done.wait_for_message()
        await bot.quiet()
        assert first.content == kept
        assert "The snow drummed" in second.content
        assert "The rain" not in second.content
        await bot.check(thread)


async def test_a_reply_of_which_somebody_deleted_a_post_stands_whole_again_with_its_next_version(tmp_path: Path) -> None:
    async with whole(tmp_path, [LONG, MEDIUM]) as bot:
        thread = await bot.story()
        await bot.post(thread, "Tobias knocks.")
        await bot.discord.delete(bot.shown(thread)[1])
        await bot.quiet()
        await bot.ask(thread, "retry")
        assert "\n\n".join(each.content for each in bot.shown(thread)[1:]) == MEDIUM
        await bot.check(thread)
        await bot.press(bot.dressed(thread)[-1], "us:swipe:left")
        assert "\n\n".join(each.content for each in bot.shown(thread)[1:]) == LONG
        await bot.check(thread)


async def test_a_reply_whose_webhook_somebody_deleted_is_shown_anew_with_its_next_version(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods.", MEDIUM]) as bot:
        thread = await bot.story()
        await bot.post(thread, "Tobias knocks.")
        old = bot.shown(thread)[-1]
        bot.discord.world.webhooks.clear()
        await bot.ask(thread, "retry")
        assert old.is_deleted
        assert "\n\n".join(each.content for each in bot.shown(thread)) == MEDIUM
        assert bot.dressed(thread)[-1] is bot.shown(thread)[-1]


async def test_a_reply_that_a_change_overtakes_is_taken_back_and_written_anew(tmp_path: Path) -> None:
    pause = Pause(before=len(pieces(LONG)) - 40)
    async with whole(tmp_path, [ScriptedReply(pieces(LONG), pause=pause), MEDIUM]) as bot:
        thread = await bot.story()
        message = await bot.discord.post(bot.player, thread, "Tobias knocks.")
        await pause.reached.wait()
        await bot.until(lambda: len(bot.shown(thread)) > 2)
        await bot.discord.edit(bot.player, message, "Tobias breaks the door.")
        await bot.quiet()
        assert await bot.told_in(thread) == [GREETING, "Tobias breaks the door.", MEDIUM]
        assert "\n\n".join(each.content for each in bot.shown(thread)[1:]) == MEDIUM
        await bot.check(thread)


async def test_a_post_that_waits_for_a_reply_to_end_bears_a_sign_until_it_is_taken_up(tmp_path: Path) -> None:
    pause = Pause(before=1)
    async with whole(tmp_path, [ScriptedReply(("She", " nods."), pause=pause), "She smiles."]) as bot:
        thread = await bot.story()
        await bot.discord.post(bot.player, thread, "Tobias knocks.")
        await pause.reached.wait()
        waits = await bot.discord.post(bot.other, thread, "Aled looks out.")
        await bot.until(lambda: waits.reactions)
        assert list(waits.reactions) == ["⏳"]
        pause.go.set()
        await bot.quiet()
        assert waits.reactions == {}
        assert await bot.told_in(thread) == [GREETING, "Tobias knocks.", "She nods.", "Aled looks out.", "She smiles."]
        await bot.check(thread)
