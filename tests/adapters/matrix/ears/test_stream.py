"""The ears before a real Synapse: what is written is heard, in order, once."""

from pathlib import Path

from tests.adapters.matrix.ears.ears import listening
from tests.homeserver.people import people
from tests.homeserver.server import Synapse


async def test_what_is_written_is_heard_in_order(homeserver: Synapse, tmp_path: Path) -> None:
    login = homeserver.register(homeserver.fresh_name("bot"))
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path) as bot:
        room = await mira.create_room("Tavern", invite=[bot.user_id])
        await bot.until_in(room)
        for number in range(5):
            await mira.say(room, f"{number}")
        await bot.until_heard(room, ["0", "1", "2", "3", "4"])
