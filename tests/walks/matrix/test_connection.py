"""What holds when the bot is put out of a room on Matrix and comes back."""

from pathlib import Path

from tests.homeserver.server import Synapse
from tests.walks.matrix.whole import GREETING, whole


async def test_a_bot_that_was_kicked_and_is_invited_again_plays_again(homeserver: Synapse, tmp_path: Path) -> None:
    async with whole(homeserver, tmp_path, ["She nods."]) as bot:
        room = await bot.room()
        await bot.player.say(room, "!rp start Mira")
        await bot.shows(room, GREETING)
        await bot.quiet(room)
        await bot.player.kick(room, bot.login.user_id)
        await bot.until(lambda: room not in bot.courier.rooms.joined)
        await bot.player.invite(room, bot.login.user_id)
        await bot.until(lambda: room in bot.courier.rooms.joined)
        again = await bot.player.say(room, "!rp start Mira")

        async def greeted() -> bool:
            seen = [(each.event_id, each.text) for each in await bot.player.shown(room)]
            after = seen[[event for event, _ in seen].index(again) :]
            return GREETING in [text for _, text in after]

        await bot.player.until(greeted, bot.patience)
