"""The whole bot and somebody at Element who excludes insecure devices: they read each other, without any shield."""

from pathlib import Path

import pytest

from tests.homeserver.element_sdk import AtElement, ElementSdk, Read
from tests.homeserver.server import Synapse
from tests.walks.matrix.whole import GREETING, Whole, whole

pytestmark = pytest.mark.timeout(400)


@pytest.mark.slow
async def test_an_evening_is_played_from_element_with_insecure_devices_excluded(
    element: ElementSdk, homeserver: Synapse, tmp_path: Path
) -> None:
    async with (
        whole(homeserver, tmp_path, ["She nods.", "She smiles.", "She waits."]) as bot,
        AtElement(element, bot.player.login, is_strict=True) as tobias,
    ):
        await tobias.set_up_recovery()
        room = await bot.room(encrypted=True)
        await tobias.say(room, "!rp start Mira")
        [greeting] = await from_bot(bot, room, 1)
        assert await tobias.read(room, greeting) == trusted(f"Mira: {GREETING}")
        await tobias.say(room, "Tobias knocks.")
        [_, reply] = await from_bot(bot, room, 2)
        assert await tobias.read(room, reply) == trusted("Mira: She nods.")
        await bot.player.react(room, reply, "🔄")
        [*_, edit] = await from_bot(bot, room, 3)
        assert await tobias.read(room, edit) == trusted("* Mira: She smiles.")
        assert await tobias.read(room, reply) == trusted("Mira: She smiles.")
        assert await bot.told_in(room) == [GREETING, "Tobias knocks.", "She smiles."]


def trusted(body: str) -> Read:
    """A message without any shield."""
    return Read(body, None, "NONE", None)


async def from_bot(bot: Whole, room: str, count: int) -> list[str]:
    """The bot's encrypted messages, once there are so many. Only Element's device can read them."""

    async def look() -> list[str]:
        events = [each for each in await bot.player.timeline(room) if each["type"] == "m.room.encrypted"]
        sent = [str(each["event_id"]) for each in events if each["sender"] == bot.login.user_id]
        return sent if len(sent) == count else []

    return list(await bot.player.until(look, bot.patience))
