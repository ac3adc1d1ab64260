"""What holds when the bot loses its homeserver, or its room, and finds it again: nothing is missed, and nothing said twice."""

import asyncio
import logging
import re
from pathlib import Path

import pytest

from adapters.matrix.keeping import Folder
from adapters.matrix.running import LOST
from adapters.matrix.words import place_of
from tests.fakes.engine import Pause, ScriptedReply
from tests.homeserver.server import Synapse, running
from tests.walks.matrix.whole import GREETING, Whole, whole

LONG = " ".join(f"Sentence {number} of a very long tale." for number in range(220))
PIECES = tuple(re.findall(r"\s*\S+", LONG))
ONE_IN = 2.0
"""Seconds for each of which the bot may make one request while the homeserver is away, after the first few."""
FIRST = 8
AWAY = 60.0
"""Seconds for which the homeserver is away, by the bot's clock."""


async def _begun(bot: Whole) -> str:
    room = await bot.room()
    await bot.player.say(room, "!rp start Mira")
    await bot.shows(room, GREETING)
    await bot.quiet(room)
    return room


async def _written_while_away(bot: Whole, room: str, pause: Pause) -> None:
    """The homeserver is away: the reply is written to its end, and some time passes, in which the bot asks seldom."""
    bot.clock.run_at(60.0)
    before, began = len(bot.between.asked), bot.clock.ticks()
    pause.go.set()
    await bot.until(lambda: not bot.service.receiver.is_writing(place_of(room)))
    await bot.clock.sleep(AWAY)
    asked = [each.line for each in bot.between.asked[before:]]
    assert len(asked) <= FIRST + (bot.clock.ticks() - began) / ONE_IN, asked
    assert bot.face.supervisor.state.trouble


async def _came_right(bot: Whole, room: str) -> None:
    """The reply stands, each post of it once, and what was posted after it is answered."""
    await bot.sends()
    await bot.shows(room, "She smiles.")
    await bot.quiet(room)
    assert await bot.told_in(room) == [GREETING, "Tobias asks for a tale.", LONG, "Tobias waits.", "She smiles."]
    assert not bot.face.supervisor.state.trouble
    posts = [each.text for each in await bot.player.shown(room) if each.sender == bot.login.user_id]
    assert (posts[0], " ".join(posts[1:-1]), posts[-1]) == (GREETING, LONG, "She smiles.")


def _complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_reply_that_a_bad_gateway_stood_before_is_shown_once_when_it_is_gone(
    homeserver: Synapse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pause = Pause(before=len(PIECES) - 20)
    async with whole(homeserver, tmp_path, [ScriptedReply(PIECES, pause=pause), "She smiles."]) as bot:
        room = await _begun(bot)
        await bot.player.say(room, "Tobias asks for a tale.")
        await pause.reached.wait()
        bot.between.fail("/", 502)
        await bot.player.say(room, "Tobias waits.")  # the request that waits for news is still answered; the next one is not
        await _written_while_away(bot, room, pause)
        assert _complaints(caplog) == ["The homeserver cannot be used: it answered 502."]
        bot.between.calm()
        await _came_right(bot, room)


async def test_a_reply_in_which_the_login_was_revoked_is_shown_once_after_another_login(
    homeserver: Synapse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pause = Pause(before=len(PIECES) - 20)
    async with whole(homeserver, tmp_path, [ScriptedReply(PIECES, pause=pause), "She smiles."]) as bot:
        room, folder = await _begun(bot), Folder(bot.settings.folder)
        await bot.player.say(room, "Tobias asks for a tale.")
        await pause.reached.wait()
        bot.between.forget_token()
        await bot.player.say(room, "Tobias waits.")
        await _written_while_away(bot, room, pause)
        assert _complaints(caplog) == [LOST]
        bot.between.know_token()
        account = folder.account()
        assert account is not None
        folder.keep(account)
        await _came_right(bot, room)


@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_a_reply_that_the_homeserver_was_away_for_is_shown_once_when_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pause = Pause(before=len(PIECES) - 20)
    with running() as homeserver:  # its own, as it is stopped
        async with whole(homeserver, tmp_path, [ScriptedReply(PIECES, pause=pause), "She smiles."]) as bot:
            room = await _begun(bot)
            await bot.player.say(room, "Tobias asks for a tale.")
            await pause.reached.wait()
            await asyncio.to_thread(homeserver.stop)
            await _written_while_away(bot, room, pause)
            assert _complaints(caplog) == ["The homeserver cannot be used: it answered 502."]
            await asyncio.to_thread(homeserver.start)
            await bot.player.say(room, "Tobias waits.")
            await _came_right(bot, room)


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
