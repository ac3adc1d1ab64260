"""The program on Matrix, asked to end as services are, while a reply of several posts is written and brought."""

from pathlib import Path

import pytest

from adapters.matrix.keeping import Folder
from adapters.matrix.trust import Wish, log_in
from adapters.matrix.words import place_of
from tests.adapters.matrix.trust.asker import ScriptedAsker
from tests.homeserver.people import Person
from tests.homeserver.server import Synapse
from tests.homeserver.shown import Shown
from tests.walks.program import CHARACTER, POSTS, Program, assert_left, assert_whole_story, ends_with, halting, running

PATIENCE = 40.0
SOON = 5.0
"""Seconds within which a sign of typing is seen to be taken away that would show for longer by itself."""


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize("is_in_time", [True, False], ids=["it comes to its end", "it is handed back"])
async def test_a_reply_under_way_when_the_program_ends_is_whole_and_no_post_is_lost(
    homeserver: Synapse, tmp_path: Path, *, is_in_time: bool
) -> None:
    bot = homeserver.register(homeserver.fresh_name("bot"))
    wish = Wish(homeserver=bot.homeserver, user=bot.user_id, password=bot.password)
    await log_in(wish, Folder(tmp_path / "matrix"), ScriptedAsker())

    def told(shown: list[Shown]) -> list[str]:
        return [each.text for each in shown if each.sender == bot.user_id and each.name is not None]

    async with Person(homeserver.register(homeserver.fresh_name("tobias"))) as player, halting() as (engine, address):
        program = Program(tmp_path, address, "On Matrix as")
        async with running(program):
            room = await player.create_room(invite=[bot.user_id])
            await player.until(lambda: _is_in(player, room, bot.user_id), PATIENCE)
            await player.say(room, f"!rp start {CHARACTER} where:room")
            greeting = len(told(await player.until_shown(room, told, patience=PATIENCE)))
            await player.say(room, POSTS[0])
            await player.until_shown(room, lambda shown: len(told(shown)) > greeting, patience=PATIENCE)
            assert await player.typing(room) == [bot.user_id]

            await program.ask_to_end()
            await player.say(room, POSTS[1])
            if is_in_time:
                engine.may_go_on.set()
            await program.ended()
            await player.until(lambda: _nobody_types(player, room), SOON)
            await assert_left(tmp_path, place_of(room), is_whole=is_in_time)
            assert ends_with(1, told(await player.shown(room))) is is_in_time

            engine.may_go_on.set()
            await program.start()
            await player.until_shown(room, lambda shown: ends_with(2, told(shown)), patience=PATIENCE)
            await program.ask_to_end()
            await program.ended()
            await assert_whole_story(tmp_path, place_of(room), told(await player.shown(room)))


async def _is_in(player: Person, room: str, user: str) -> bool:
    return await player.membership(room, user) == "join"


async def _nobody_types(player: Person, room: str) -> bool:
    return not await player.typing(room)
