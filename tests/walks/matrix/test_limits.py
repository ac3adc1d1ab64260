"""Long replies on a homeserver whose limits nobody changed: ten events at once, then one each five seconds."""

from pathlib import Path

import pytest

from tests.homeserver.server import Synapse
from tests.walks.matrix.whole import GREETING, whole

LIMITED = 429
STREET = "She counts {} lanterns along the wet and crooked street behind the old mill."


@pytest.mark.slow  # the waits are the homeserver's own
async def test_long_replies_in_two_rooms_stand_whole_and_in_order(strict_homeserver: Synapse, tmp_path: Path) -> None:
    reply = " ".join(STREET.format(number) for number in range(1, 101))
    async with whole(strict_homeserver, tmp_path, [reply] * 4, speed=1.0) as bot:
        bot.patience = 150.0
        rooms = [await bot.room(), await bot.room()]
        for room in rooms:
            await bot.player.say(room, "!rp start Mira")
            await bot.shows(room, GREETING)
        for post in ["Tobias waits.", "Tobias waits on."]:
            for room in rooms:
                await bot.player.say(room, post)
        for room in rooms:
            await bot.quiet(room)
            texts = [each.text for each in await bot.player.shown(room) if each.sender == bot.login.user_id]
            first, second = texts[1:4], texts[4:]
            assert len(second) == 3, "the limits were not met"
            assert [" ".join(each).split() for each in (first, second)] == [reply.split()] * 2
        # What the homeserver refuses is learnt from: it is not asked again and again.
        assert 0 < sum(each.status == LIMITED for each in bot.between.asked) <= 4
