"""What holds on Matrix when the bot was away, not yet there, put out of a room, or logged out: nothing is lost or doubled."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.matrix.keeping import Folder
from adapters.matrix.trust import Wish, log_in
from adapters.matrix.words import place_of
from tests.adapters.matrix.trust.asker import ScriptedAsker
from tests.fakes.engine import Pause, ScriptedReply
from tests.homeserver.server import Synapse
from tests.walks.matrix.whole import GREETING, Whole, whole

FEW, MANY = 4, 12
"""Events of a room that a sync may bring, and posts that are written meanwhile."""


async def _put_out(bot: Whole, room: str) -> None:
    await bot.player.kick(room, bot.login.user_id)
    await bot.until(lambda: room not in bot.courier.rooms.joined and bot.face.supervisor.is_idle)


async def _let_in(bot: Whole, room: str) -> None:
    await bot.player.invite(room, bot.login.user_id)
    await bot.until(lambda: room in bot.courier.rooms.joined)


async def test_more_posts_than_a_sync_brings_are_all_in_the_story_once_in_order(homeserver: Synapse, tmp_path: Path) -> None:
    async with whole(homeserver, tmp_path, ["She nods."], is_sealed=True) as bot:
        room = await bot.story(encrypted=True)
        await bot.post(room, "!rp settings turns:on_continue")
        await bot.close()
        bot.timeline = FEW
        posts = [f"Tobias knocks for the {number}th time." for number in range(MANY)]
        events = [await bot.player.say(room, each) for each in posts]
        await bot.player.edit(room, events[3], "Tobias rings.")
        await bot.player.redact(room, events[5])
        await bot.player.say(room, "!rp continue")
        await bot.start()
        await bot.quiet(room)
        posts[3] = "Tobias rings."
        del posts[5]
        assert await bot.told_in(room) == [GREETING, *posts, "She nods."]
        assert [each.text for each in await bot.posts(room)] == [GREETING, "She nods."]
        assert len(bot.engine.requests) == 1
        await bot.check(room)


async def test_what_was_written_before_the_bot_came_is_none_of_its_concern(homeserver: Synapse, tmp_path: Path) -> None:
    async with whole(homeserver, tmp_path, ["She nods."]) as bot:
        room = await bot.player.create_room()
        await bot.player.say(room, "!rp start Mira where:room")
        await bot.player.say(room, "Tobias knocks.")
        await _let_in(bot, room)
        await bot.quiet(room)
        assert await bot.store.places() == ()
        await bot.post(room, "!rp start Mira where:room")
        assert await bot.told_in(room) == [GREETING]


async def test_a_bot_that_is_put_out_while_it_writes_is_silent_and_takes_the_story_up_when_it_is_asked_back(
    homeserver: Synapse, tmp_path: Path
) -> None:
    pause = Pause(before=1)
    async with whole(homeserver, tmp_path, ["She nods.", ScriptedReply(("She", " smiles."), pause=pause), "She sits."]) as bot:
        room = await bot.story()
        await bot.post(room, "Tobias knocks.")
        await bot.player.say(room, "Tobias comes in.")
        await pause.reached.wait()
        await _put_out(bot, room)
        sent = bot.between.count("PUT /rooms/{}/send/")
        pause.go.set()
        await bot.until(lambda: not bot.service.receiver.is_writing(place_of(room)))
        await bot.service.receiver.settled(place_of(room))
        assert bot.between.count("PUT /rooms/{}/send/") == sent, "nothing is sent into a room that it was put out of"
        assert await bot.store.session_at(place_of(room)) is None
        await bot.player.say(room, "Tobias is alone.")

        await _let_in(bot, room)
        assert await bot.store.session_at(place_of(room)) is None, "the story has ended, and rests"
        await bot.post(room, "!rp resume")
        await bot.post(room, "Tobias waits.")
        told = await bot.told_in(room)
        assert told[:4] == [GREETING, "Tobias knocks.", "She nods.", "Tobias comes in."]
        assert told[-2:] == ["Tobias waits.", "She sits."]
        assert "Tobias is alone." not in told
        await bot.check(room)


async def test_a_story_goes_on_in_the_room_that_replaces_its_own(homeserver: Synapse, tmp_path: Path) -> None:
    async with whole(homeserver, tmp_path, ["She nods.", "She smiles."]) as bot:
        room = await bot.story(version="10")
        await bot.post(room, "Tobias knocks.")
        successor = await bot.player.upgrade(room, "12")
        await bot.player.invite(successor, bot.login.user_id)
        await bot.until(lambda: successor in bot.courier.rooms.joined)
        await bot.quiet(successor)
        await bot.post(successor, "!rp resume Mira where:room")
        await bot.post(successor, "Tobias comes in.")
        assert await bot.told_in(successor) == [GREETING, "Tobias knocks.", "She nods.", "Tobias comes in.", "She smiles."]


async def test_a_lost_login_is_told_of_once_and_with_a_new_one_the_reply_that_was_kept_back_comes(
    homeserver: Synapse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pause = Pause(before=1)
    replies = (ScriptedReply(("She", " nods."), pause=pause), "She smiles.")
    async with whole(homeserver, tmp_path, replies, is_sealed=True, speed=100) as bot:
        room = await bot.story(encrypted=True)
        await bot.player.say(room, "Tobias knocks.")
        await pause.reached.wait()
        caplog.clear()
        account = Folder(bot.settings.folder).account()
        assert account is not None
        await asyncio.to_thread(homeserver.log_out, replace(bot.login, device_id=account.device_id))
        # A request for news that is under way ends as usual: only the next one is refused.
        await bot.player.set_state(room, "m.room.topic", {"topic": "Night"})
        await bot.until(lambda: bot.face.supervisor.state.trouble)
        assert "understudy matrix login" in bot.face.supervisor.state.trouble
        assert not bot.face.supervisor.state.is_connected
        asked = bot.between.count()
        pause.go.set()
        await bot.clock.sleep(120)
        assert bot.between.count() <= asked + 2, "it asks no more"
        lost = [each for each in caplog.records if each.levelno >= logging.ERROR and "matrix login" in each.getMessage()]
        assert len(lost) == 1, "the operator is told once"

        wish = Wish(homeserver=bot.login.homeserver, user=bot.login.user_id, password=bot.login.password)
        await log_in(wish, Folder(bot.settings.folder), ScriptedAsker())
        await bot.until(lambda: bot.face.supervisor.state.is_connected)
        assert bot.face.supervisor.state.trouble == ""
        await bot.player.say(room, "Tobias waits.")
        await bot.shows(room, "She smiles.")
        await bot.quiet(room)
        assert await bot.told_in(room) == [GREETING, "Tobias knocks.", "She nods.", "Tobias waits.", "She smiles."]
        assert [each.text for each in await bot.posts(room)] == [GREETING, "She nods.", "She smiles."]
        assert [each for each in await bot.player.shown(room) if not each.is_readable] == []
        await bot.check(room)
