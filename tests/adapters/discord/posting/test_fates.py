"""Reactions on the players' messages: one sign at a time, in order, and never in anybody's way."""

import asyncio

from adapters.discord.posting.courier import DiscordCourier
from adapters.discord.words import event_of, place_of
from bot.ids import EventId
from bot.posts import Fate
from tests.adapters.discord.posting.courier_scene import CourierScene


async def test_the_last_fate_is_the_one_that_shows(scene: CourierScene, courier: DiscordCourier) -> None:
    message = await scene.loopback.post(scene.player, scene.text, "Hello")
    place, bot = place_of(scene.text.id), scene.loopback.bot_id
    for fate, shown in ((Fate.QUEUED, "⏳"), (Fate.IGNORED, "🙈"), (Fate.BROKEN, "⚠️"), (Fate.BROKEN, "⚠️")):
        await courier.tell_fate(place, event_of(message.id), fate)
        await asyncio.wait_for(courier.fates.settled(scene.text.id), 5)
        assert {emoji: users for emoji, users in message.reactions.items() if users} == {shown: [bot]}
    await courier.tell_fate(place, event_of(message.id), None)
    await asyncio.wait_for(courier.fates.settled(scene.text.id), 5)
    assert not any(message.reactions.values())


async def test_fates_told_in_haste_are_shown_in_their_order(scene: CourierScene, courier: DiscordCourier) -> None:
    message = await scene.loopback.post(scene.player, scene.text, "Hello")
    slow = scene.loopback.faults.add("PUT */reactions/*", "delay")
    for fate in (Fate.QUEUED, Fate.IGNORED, None):
        await courier.tell_fate(place_of(scene.text.id), event_of(message.id), fate)
    await asyncio.wait_for(slow.reached.wait(), 5)
    await courier.limits(place_of(scene.dm.id))  # time enough for whatever would overtake
    assert len(scene.loopback.asked("DELETE", "/reactions/")) == 0
    slow.release()
    await asyncio.wait_for(courier.fates.settled(scene.text.id), 5)
    assert not any(message.reactions.values())
    assert [each.method for each in scene.loopback.requests if "/reactions/" in each.path] == ["PUT", "DELETE", "PUT", "DELETE"]


async def test_after_a_restart_only_the_bots_own_signs_are_taken_away(scene: CourierScene) -> None:
    message = await scene.loopback.post(scene.player, scene.text, "Hello")
    before = scene.new_courier()
    await before.tell_fate(place_of(scene.text.id), event_of(message.id), Fate.BROKEN)
    await asyncio.wait_for(before.fates.settled(scene.text.id), 5)
    await scene.loopback.react(scene.player, message, "⏳")
    after = scene.new_courier()
    await after.tell_fate(place_of(scene.text.id), event_of(message.id), None)
    await asyncio.wait_for(after.fates.settled(scene.text.id), 5)
    assert {emoji: users for emoji, users in message.reactions.items() if users} == {"⏳": [scene.player.id]}
    assert len(scene.loopback.asked("DELETE", "/reactions/")) == 1


async def test_what_is_no_message_or_gone_bears_no_sign(scene: CourierScene, courier: DiscordCourier) -> None:
    place = place_of(scene.text.id)
    for event in ("123/edited/4", "123/deleted", "99999999999999999"):
        for fate in (Fate.QUEUED, None):
            await courier.tell_fate(place, EventId(event), fate)
    scene.line.close()
    await courier.tell_fate(place, EventId("99999999999999998"), Fate.QUEUED)
    await asyncio.wait_for(courier.fates.settled(scene.text.id), 5)
    assert all("edited" not in each.path for each in scene.loopback.requests)
