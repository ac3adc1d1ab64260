"""What players do to their own messages on Matrix: edits, redactions and quotations, before and after they are answered."""

from pathlib import Path

import pytest

from tests.fakes.engine import Pause, ScriptedReply
from tests.homeserver.people import people
from tests.homeserver.server import Synapse
from tests.homeserver.shown import Shown
from tests.walks.matrix.test_reactions import LONG, pieces
from tests.walks.matrix.whole import GREETING, Whole, whole


async def test_edits_and_redactions_of_answered_posts_change_what_the_model_reads_next(
    homeserver: Synapse, tmp_path: Path
) -> None:
    async with whole(homeserver, tmp_path, ["She nods.", "She smiles.", "She sits."], is_sealed=True) as bot:
        room = await bot.story(encrypted=True)
        first = await bot.post(room, "Tobias knocks.")
        second = await bot.post(room, "Tobias sings.")
        await bot.player.edit(room, first, "Tobias rings.")
        await bot.player.edit(room, first, "Tobias rings twice.")
        await bot.player.redact(room, second)
        await bot.quiet(room)
        assert await bot.told_in(room) == [GREETING, "Tobias rings twice.", "She nods.", "She smiles."]
        assert len(bot.engine.requests) == 2, "what was answered stays answered"

        answers = (await bot.posts(room))[-1].event_id
        quoted = f"> <{bot.login.user_id}> She smiles.\n\nTobias smiles back."
        await bot.player.say(room, quoted, reply_to=answers)
        await bot.quiet(room)
        told = await bot.told_in(room)
        assert told[-2:] == ["Tobias smiles back.", "She sits."], "what a client quotes is not said again"
        prompt = "".join(segment.text for segment in bot.engine.requests[-1].segments)
        assert [each in prompt for each in ("rings twice", "knocks", "sings", "smiles back")] == [True, False, False, True]


async def test_nobody_changes_the_post_of_another_but_a_moderator_may_take_it_away(homeserver: Synapse, tmp_path: Path) -> None:
    async with whole(homeserver, tmp_path, ["She nods.", "She smiles."]) as bot, people(homeserver, "ada") as (ada,):
        room = await bot.story()
        await bot.come(room, ada)
        first = await bot.post(room, "Tobias knocks.")
        second = await bot.post(room, "Ada comes in.", by=ada)
        await ada.edit(room, first, "Tobias falls asleep.")
        await bot.quiet(room)
        assert "Tobias knocks." in await bot.told_in(room)
        await bot.player.redact(room, second)
        await bot.quiet(room)
        assert await bot.told_in(room) == [GREETING, "Tobias knocks.", "She nods.", "She smiles."]


@pytest.mark.usefixtures("short_posts")
async def test_a_reply_that_a_change_of_its_post_overtakes_is_taken_back(homeserver: Synapse, tmp_path: Path) -> None:
    first, second = (Pause(before=len(pieces(LONG)) - 20) for _ in range(2))
    replies = [ScriptedReply(pieces(LONG), pause=first), ScriptedReply(pieces(LONG), pause=second)]
    async with whole(homeserver, tmp_path, replies) as bot:
        room = await bot.story()
        post = await bot.player.say(room, "Tobias knocks.")
        await first.reached.wait()
        [_, stale] = await bot.player.until(lambda: _two_posts(bot, room), bot.patience)
        await bot.player.edit(room, post, "Tobias breaks the door.")
        await second.reached.wait()
        assert await bot.told_in(room) == [GREETING, "Tobias breaks the door.", (await bot.turns(room))[-1].text]
        await bot.player.until(lambda: _two_posts(bot, room), bot.patience)
        assert stale.event_id not in [each.event_id for each in await bot.posts(room)], "it is written anew"
        await bot.player.redact(room, post)
        await bot.quiet(room)
        assert await bot.told_in(room) == [GREETING]
        assert [each.text for each in await bot.posts(room)] == [GREETING]
        await bot.check(room)


async def _two_posts(bot: Whole, room: str) -> list[Shown]:
    posts = await bot.posts(room)
    return posts if len(posts) == 2 else []
