"""Signs beside posts on Matrix: what they ask for, at which posts, and who may put them there."""

import re
from pathlib import Path

import pytest

from tests.fakes.engine import Pause, ScriptedReply
from tests.homeserver.people import people
from tests.homeserver.server import Synapse
from tests.homeserver.shown import Shown
from tests.walks.matrix.whole import GREETING, Whole, whole

LONG = "\n\n".join(f"{number}. The rain drummed on the shutters all evening." for number in range(1, 21))
MORE = " And so it went."
"""A reply of three posts, and what it goes on with."""

pytestmark = pytest.mark.usefixtures("short_posts")


def pieces(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\s*\S+", text))


async def test_a_reply_is_stopped_written_on_and_taken_back_by_signs(homeserver: Synapse, tmp_path: Path) -> None:
    pause = Pause(before=len(pieces(LONG)) - 20)
    async with whole(homeserver, tmp_path, [ScriptedReply(pieces(LONG), pause=pause), MORE]) as bot:
        room = await bot.story()
        post = await bot.player.say(room, "Tobias knocks.")
        await pause.reached.wait()
        greeting, first = await bot.player.until(lambda: _two_posts(bot, room), bot.patience)
        await bot.react(room, first.event_id, "⏹️")
        stopped = (await bot.told_in(room))[-1]
        assert LONG.startswith(stopped)
        assert len(first.text) < len(stopped) < len(LONG), "what was written and not shown yet stays, too"
        await bot.check(room)

        stood = await bot.posts(room)
        await bot.react(room, stood[-1].event_id, "⏩")
        assert (await bot.told_in(room))[-1] == f"{stopped}{MORE}"
        after = await bot.posts(room)
        assert [each.event_id for each in after] == [each.event_id for each in stood], "it goes on in the same post"
        assert after[-1].text.endswith(MORE.strip())
        await bot.check(room)

        await bot.react(room, after[1].event_id, "❌")
        assert [each.event_id for each in await bot.posts(room)] == [greeting.event_id]
        assert await bot.told_in(room) == [GREETING]
        assert post in [each.event_id for each in await bot.player.shown(room)], "what players wrote stays theirs"
        await bot.check(room)


async def _two_posts(bot: Whole, room: str) -> list[Shown]:
    posts = await bot.posts(room)
    return posts if len(posts) == 2 else []


async def test_a_reply_without_a_word_yet_is_stopped_by_a_sign_at_the_post_that_it_answers(
    homeserver: Synapse, tmp_path: Path
) -> None:
    pause = Pause(before=0)
    async with whole(homeserver, tmp_path, [ScriptedReply(("She", " nods."), pause=pause)]) as bot:
        room = await bot.story()
        post = await bot.player.say(room, "Tobias knocks.")
        await pause.reached.wait()
        await bot.react(room, post, "⏹")
        assert await bot.told_in(room) == [GREETING, "Tobias knocks."]
        await bot.check(room)


async def test_signs_at_old_posts_signs_taken_back_and_signs_of_others_change_nothing(
    homeserver: Synapse, tmp_path: Path
) -> None:
    async with (
        whole(homeserver, tmp_path, ["She nods.", "She smiles.", "She laughs."]) as bot,
        people(homeserver, "ada", "ben") as (ada, ben),
    ):
        room = await bot.story()
        await bot.come(room, ada, ben)
        await bot.post(room, "Tobias knocks.")
        await bot.post(room, "Ben comes in.", by=ben)
        greeting, old, newest = await bot.posts(room)
        for event, sign in ((greeting, "🔄"), (old, "🔄"), (old, "❌"), (newest, "🎉"), (newest, "👍")):
            await bot.react(room, event.event_id, sign)
        await bot.post(room, f"!rp remove {ben.login.name}")
        asked = len(bot.engine.requests)
        stranger, removed = [await bot.react(room, newest.event_id, "🔄", by=each) for each in (ada, ben)]
        assert stranger != removed
        told = [each.text for each in await bot.player.shown(room) if each.reply_to == newest.event_id]
        assert len(told) == 2, f"both are told that they may not: {told}"
        assert len(bot.engine.requests) == asked
        assert await bot.told_in(room) == [GREETING, "Tobias knocks.", "She nods.", "Ben comes in.", "She smiles."]

        sign = await bot.react(room, newest.event_id, "🔄")
        await bot.player.redact(room, sign)
        await bot.quiet(room)
        assert (await bot.told_in(room))[-1] == "She laughs.", "what a sign asked for is not undone with it"
        await bot.react(room, newest.event_id, "⬅️")
        assert (await bot.told_in(room))[-1] == "She smiles."
        await bot.check(room)
