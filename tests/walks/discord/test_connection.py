"""The bot's connection to Discord lost and found again: nothing is missed, and nothing is answered twice."""

import re
from pathlib import Path

from adapters.discord.words import event_of, place_of
from tests.fakes.discord import Message, payloads
from tests.fakes.discord.world import Event
from tests.fakes.engine import Pause, ScriptedReply
from tests.walks.discord.whole import GREETING, Whole, whole

LONG = "\n\n".join(f"{number}. {'It rained all evening, and the road was a river. ' * 9}".strip() for number in range(14))
REPLIES = ["One.", "Two.", "Three.", "Four.", "Five."]


def posted(*texts: str) -> list[str]:
    """A story in which these were posted and answered one by one."""
    told = [GREETING]
    for number, text in enumerate(texts):
        told += [text, REPLIES[number]]
    return told


async def test_what_is_written_while_the_line_is_cut_is_answered_once_after_a_resume(tmp_path: Path) -> None:
    async with whole(tmp_path, REPLIES) as bot:
        thread = await bot.story()
        await bot.post(thread, "Tobias knocks.")
        history = len(bot.discord.asked("GET", f"/channels/{thread.id}/messages"))
        await bot.discord.gateway.cut()
        await bot.discord.post(bot.player, thread, "He waits.")
        await bot.until(lambda: bot.discord.gateway.resumes)
        await bot.quiet()
        assert await bot.told_in(thread) == posted("Tobias knocks.", "He waits.")
        assert len(bot.discord.asked("GET", f"/channels/{thread.id}/messages")) == history, "a resume needs no look back"
        assert len(bot.discord.gateway.identifies) == 1
        await bot.check(thread)


async def test_a_request_to_reconnect_loses_nothing(tmp_path: Path) -> None:
    async with whole(tmp_path, REPLIES) as bot:
        thread = await bot.story()
        await bot.discord.gateway.ask_reconnect()
        await bot.discord.post(bot.player, thread, "Tobias knocks.")
        await bot.until(lambda: bot.discord.gateway.resumes)
        await bot.quiet()
        assert await bot.told_in(thread) == posted("Tobias knocks.")
        await bot.check(thread)


async def test_a_lost_session_is_caught_up_with_once(tmp_path: Path) -> None:
    async with whole(tmp_path, REPLIES) as bot:
        thread = await bot.story()
        first, *_ = await bot.post(thread, "Tobias knocks.")
        await bot.discord.gateway.invalidate()
        await bot.discord.post(bot.player, thread, "He waits.")
        await bot.discord.post(bot.other, thread, "Aled looks out.")
        await bot.until(lambda: len(bot.discord.gateway.identifies) == 2)
        await bot.quiet()
        told = await bot.told_in(thread)
        assert [each for each in told if each not in REPLIES] == [GREETING, "Tobias knocks.", "He waits.", "Aled looks out."]
        assert await bot.store.turn_of((await bot.session(thread)).place, event_of(first.id)) == 1
        asked = len(bot.engine.requests)
        await bot.discord.gateway.invalidate()
        await bot.until(lambda: len(bot.discord.gateway.identifies) == 3)
        await bot.quiet()
        assert await bot.told_in(thread) == told
        assert len(bot.engine.requests) == asked
        await bot.check(thread)


async def test_a_message_that_discord_tells_of_twice_is_answered_once(tmp_path: Path) -> None:
    async with whole(tmp_path, REPLIES) as bot:
        thread = await bot.story()
        (message,) = await bot.post(thread, "Tobias knocks.")
        tell_again(bot, message)
        await bot.quiet()
        tell_again(bot, message)
        await bot.quiet()
        assert await bot.told_in(thread) == posted("Tobias knocks.")
        assert len(bot.engine.requests) == 1


def tell_again(bot: Whole, message: Message) -> None:
    world = bot.discord.world
    world.emit(Event("MESSAGE_CREATE", payloads.message(world, message), bot.guild, message.channel, message))


async def test_messages_missed_while_the_program_was_down_are_answered_once_in_order_as_they_read_now(tmp_path: Path) -> None:
    async with whole(tmp_path, REPLIES) as bot:
        thread, third = await bot.story(), bot.discord.add_user("Ines")
        (early,) = await bot.post(thread, "Tobias knocks.")
        await bot.close()
        await bot.discord.edit(bot.player, early, "Tobias knocks twice.")
        await bot.discord.post(bot.player, thread, "Tobias comes in.")
        changed = await bot.discord.post(bot.other, thread, "Aled looks up.")
        await bot.discord.edit(bot.other, changed, "Aled does not look up.")
        await bot.discord.post(third, thread, "Ines pours the wine.")
        await bot.start()
        await bot.quiet()
        told = await bot.told_in(thread)
        assert [each for each in told if each not in REPLIES] == [
            GREETING,
            "Tobias knocks twice.",
            "Tobias comes in.",
            "Aled does not look up.",
            "Ines pours the wine.",
        ]
        await bot.check(thread)
        asked = len(bot.engine.requests)
        await bot.restart()
        await bot.quiet()
        assert await bot.told_in(thread) == told
        assert len(bot.engine.requests) == asked


async def test_a_post_that_was_not_heard_before_a_restart_is_answered_after_it(tmp_path: Path) -> None:
    async with whole(tmp_path, REPLIES) as bot:
        thread = await bot.story()
        await bot.discord.post(bot.player, thread, "Tobias knocks.")
        await bot.restart()
        await bot.quiet()
        assert await bot.told_in(thread) == posted("Tobias knocks.")
        await bot.check(thread)


async def test_a_restart_before_the_first_word_of_an_answer_answers_once(tmp_path: Path) -> None:
    pause = Pause(before=0)
    async with whole(tmp_path, [ScriptedReply(("Never", " heard."), pause=pause), "One."]) as bot:
        thread = await bot.story()
        await bot.discord.post(bot.player, thread, "Tobias knocks.")
        await pause.reached.wait()
        await bot.restart()
        await bot.quiet()
        assert await bot.told_in(thread) == posted("Tobias knocks.")
        await bot.check(thread)


async def test_a_reply_that_discord_was_away_for_is_shown_once_when_it_is_back(tmp_path: Path) -> None:
    pause = Pause(before=len(LONG.split(" ")) - 20)
    async with whole(tmp_path, [ScriptedReply(tuple(re.findall(r"\s*\S+", LONG)), pause=pause), "Two."]) as bot:
        thread = await bot.story()
        await bot.discord.post(bot.player, thread, "Tobias knocks.")
        await pause.reached.wait()
        await bot.until(lambda: len(bot.shown(thread)) > 2)
        await bot.discord.stop()
        pause.go.set()
        await bot.until(lambda: not bot.service.receiver.is_writing(place_of(thread.id)))
        await bot.discord.post(bot.other, thread, "Aled looks out.")
        await bot.discord.start()
        await bot.quiet()
        assert await bot.told_in(thread) == [GREETING, "Tobias knocks.", LONG, "Aled looks out.", "Two."]
        creates = [each.content for each in bot.discord.history(thread) if each.kind == "create"]
        assert len(creates) == len(set(creates)), "nothing was shown twice"
        await bot.check(thread)
