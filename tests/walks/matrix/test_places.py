"""Whole walks in the places of Matrix: threads of rooms of many, restarts, servers that fail."""

from pathlib import Path

import pytest

from tests.homeserver.people import Person, people
from tests.homeserver.server import Synapse
from tests.walks.matrix.whole import GREETING, Whole, whole

LONG = " ".join(f"Sentence {number} of a very long tale." for number in range(220))


async def _begun(bot: Whole, **wishes: str) -> str:
    """A room with a story."""
    room = await bot.room(**wishes)
    await bot.player.say(room, "!rp start Mira")
    await bot.shows(room, GREETING)
    return room


async def _posts_of_mira(bot: Whole, room: str) -> list[str]:
    return [each.text for each in await bot.player.shown(room) if each.sender == bot.login.user_id and each.name == "Mira"]


async def test_a_story_in_a_room_of_many_is_played_in_a_thread_and_posts_outside_are_let_be(
    homeserver: Synapse, tmp_path: Path
) -> None:
    async with whole(homeserver, tmp_path, ["She nods."]) as bot, people(homeserver, "ada", "ben") as (ada, ben):
        room = await bot.room()
        others: tuple[Person, ...] = (ada, ben)
        for other in others:
            await bot.player.invite(room, other.login.user_id)
            await other.join(room)
        await bot.quiet(room)
        await bot.player.say(room, "!rp start Mira")

        async def greeted() -> list[str]:
            everything = await bot.player.shown_everywhere(room)
            return [each.root for each in everything if each.text == GREETING and each.root]

        [root] = await bot.player.until(greeted)
        await bot.player.say(room, "Who has the bread?")
        await bot.player.say(room, "Tobias knocks.", thread=root)
        await bot.shows(room, "Tobias knocks.", "She nods.", root=root)
        await bot.quiet(room)
        assert await bot.told_in(room, root) == [GREETING, "Tobias knocks.", "She nods."]
        assert await _posts_of_mira(bot, room) == []


async def test_what_is_posted_while_the_bot_is_away_is_answered_once(homeserver: Synapse, tmp_path: Path) -> None:
    async with whole(homeserver, tmp_path, ["She nods.", "She smiles."]) as bot:
        room = await _begun(bot)
        await bot.close()
        await bot.player.say(room, "Tobias knocks.")
        await bot.start()
        await bot.shows(room, "Tobias knocks.", "She nods.")
        await bot.quiet(room)
        assert await _posts_of_mira(bot, room) == [GREETING, "She nods."]


async def test_a_server_that_fails_three_times_gets_each_post_once(homeserver: Synapse, tmp_path: Path) -> None:
    async with whole(homeserver, tmp_path, [LONG]) as bot:
        room = await _begun(bot)
        await bot.quiet(room)
        rule = bot.between.fail("/send/", 502, times=3)
        await bot.player.say(room, "Tobias asks for a tale.")
        await bot.sends(times=4)

        async def told() -> bool:
            return " ".join((await _posts_of_mira(bot, room))[1:]) == LONG

        await bot.player.until(told, bot.patience)
        await bot.quiet(room)
        assert await told()
        assert rule.hits == 3


@pytest.mark.parametrize("is_sealed", [False, True])
async def test_what_stands_in_a_thread_is_adopted_as_it_reads_and_followed(
    homeserver: Synapse, tmp_path: Path, *, is_sealed: bool
) -> None:
    async with whole(homeserver, tmp_path, is_sealed=is_sealed) as bot:
        room = await bot.room(encrypted=is_sealed)
        root = await bot.player.say(room, "Tobias nocks.")
        await bot.player.edit(room, root, "Tobias knocks.")
        waits = await bot.player.say(room, "He waits.", thread=root)
        gone = await bot.player.say(room, "He leaves.", thread=root)
        await bot.player.redact(room, gone)
        await bot.player.say(room, "Beside it all.")
        await bot.player.say(room, "!rp adopt Mira", thread=root)
        await bot.quiet(room)
        assert await bot.told_in(room, root) == ["Tobias knocks.\n\nHe waits."]
        await bot.player.edit(room, waits, "He shivers.")
        await bot.shows(room, '"Come in," she said.', root=root)
        await bot.quiet(room)
        assert await bot.told_in(room, root) == ["Tobias knocks.\n\nHe shivers.", '"Come in," she said.']
        await bot.player.redact(room, root)
        await bot.quiet(room)
        assert await bot.told_in(room, root) == ["He shivers.", '"Come in," she said.']
