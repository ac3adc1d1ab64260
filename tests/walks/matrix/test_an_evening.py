"""An evening on Matrix, from the first command to the last post, on a real homeserver: in clear rooms and in encrypted ones."""

from pathlib import Path

import pytest

from tests.homeserver.server import Synapse
from tests.walks.matrix.whole import GREETING, whole


@pytest.mark.parametrize("is_sealed", [False, True])
async def test_a_story_is_begun_played_and_changed_in_a_room(homeserver: Synapse, tmp_path: Path, *, is_sealed: bool) -> None:
    replies = ["She nods.", "She smiles.", "She waits.", "She laughs."]
    async with whole(homeserver, tmp_path, replies, is_sealed=is_sealed) as bot:
        room = await bot.room(encrypted=is_sealed)
        await bot.player.say(room, "!rp start Mira")
        greeting = next(each for each in await bot.shows(room, GREETING) if each.text == GREETING)
        assert (greeting.name, greeting.msgtype) == ("Mira", "m.text")
        post = await bot.player.say(room, "Tobias knocks.")
        reply = (await bot.shows(room, "Tobias knocks.", "She nods."))[-1]
        await bot.player.react(room, reply.event_id, "🔄")
        await bot.shows(room, "Tobias knocks.", "She smiles.")
        await bot.player.react(room, reply.event_id, "⬅️")
        await bot.shows(room, "Tobias knocks.", "She nods.")
        await bot.player.say(room, "Tobias comes in.")
        await bot.shows(room, "She nods.", "Tobias comes in.", "She waits.")
        await bot.player.edit(room, post, "Tobias rings.")
        await bot.quiet(room)
        assert await bot.told_in(room) == [GREETING, "Tobias rings.", "She nods.", "Tobias comes in.", "She waits."]
