"""Discord's courier before the loopback Discord: posts, edits, removals, and what Discord answers in bad hours."""

import asyncio
from collections.abc import Callable
from unittest.mock import AsyncMock, Mock

import discord
import pytest

from adapters.discord.posting.courier import DiscordCourier
from adapters.discord.words import place_of
from bot.errors import ChannelGone, OutcomeUnknown, PostRefused, TryLater
from bot.ids import CommunityId, MessageId
from bot.posts import ChannelLimits, Speaker, Voice
from tests.adapters.discord.posting.courier_scene import MACHINERY, CourierScene, post_in


async def test_a_character_speaks_through_one_webhook_and_the_program_as_the_bot(
    scene: CourierScene, courier: DiscordCourier
) -> None:
    thread, forum_post = await scene.thread(), await scene.forum_post()
    for at, place in enumerate((thread, scene.text, thread)):
        await courier.send(post_in(place, f"Rain {at}.", f"rain-{at}"))
    await courier.send(post_in(thread, "A notice.", "notice", speaker=MACHINERY, position=None))
    await courier.send(post_in(forum_post, "Fog.", "fog"))

    shown = scene.loopback.messages(thread)
    assert [(each.author_name, each.content) for each in shown] == [
        ("Mira", "Rain 0."),
        ("Mira", "Rain 2."),
        ("Understudy", "A notice."),
    ]
    assert [each.webhook_id is None for each in shown] == [False, False, True]
    webhooks = list(scene.loopback.world.webhooks.values())
    assert [(each.channel, each.name) for each in webhooks] == [(scene.text, "Understudy"), (scene.forum, "Understudy")]


async def test_no_text_of_ours_calls_anybody(scene: CourierScene, courier: DiscordCourier) -> None:
    text = f"@everyone <@{scene.player.id}> hear me"
    receipt = await courier.send(post_in(scene.text, text))
    notice = await courier.send(post_in(scene.text, text, "key-2", speaker=MACHINERY))
    await courier.edit(receipt.message, post_in(scene.text, f"{text}!", "key-3"))
    await courier.edit(notice.message, post_in(scene.text, f"{text}!", "key-4", speaker=MACHINERY))
    bodies = [each.body for each in scene.loopback.requests if isinstance(each.body, dict) and "content" in each.body]
    assert len(bodies) == 4
    assert all(each["allowed_mentions"]["parse"] == [] for each in bodies)


async def test_after_a_restart_the_webhook_is_found_again_and_none_is_made(scene: CourierScene) -> None:
    thread = await scene.thread()
    first = await scene.new_courier().send(post_in(thread, "One."))
    restarted = scene.new_courier()
    await restarted.send(post_in(thread, "Two.", "key-2"))
    await restarted.edit(first.message, post_in(thread, "One, changed.", "key-3"))
    assert scene.texts(thread) == ["One, changed.", "Two."]
    assert len(scene.loopback.world.webhooks) == 1


async def test_a_post_that_was_expected_waits_for_no_question(scene: CourierScene, courier: DiscordCourier) -> None:
    thread = await scene.thread()
    courier.expect(place_of(thread.id))
    await scene.loopback.wait_until(lambda: scene.loopback.asked("POST", "/webhooks"))
    async with asyncio.timeout(5):
        while courier._looking:
            await asyncio.sleep(0)
    before = len(scene.loopback.requests)
    await courier.limits(place_of(thread.id))
    await courier.send(post_in(thread, "At once."))
    assert [each.route.split("/")[1] for each in scene.loopback.requests[before:]] == ["webhooks"]


async def test_looking_ahead_never_fails(scene: CourierScene, courier: DiscordCourier) -> None:
    thread = await scene.thread()
    scene.loopback.faults.add(route="GET /channels/*", nth=1, kind="cut before")
    courier.expect(place_of(thread.id))
    await scene.loopback.wait_until(lambda: scene.loopback.asked("GET", f"/channels/{thread.id}"))
    await courier.send(post_in(thread, "All the same."))
    assert scene.texts(thread) == ["All the same."]


async def test_without_the_permission_for_webhooks_the_name_stands_above_the_words(
    scene: CourierScene, courier: DiscordCourier
) -> None:
    scene.loopback.forbid(scene.text, "manage_webhooks")
    receipts = [await courier.send(post_in(scene.text, f"Rain {at}.", f"rain-{at}")) for at in range(3)]
    assert scene.texts(scene.text) == ["**Mira**\nRain 0.", "**Mira**\nRain 1.", "**Mira**\nRain 2."]
    assert len(scene.loopback.asked("GET", "/webhooks")) == 1, "refused once, it is not asked for with every post"

    await courier.edit(receipts[0].message, post_in(scene.text, "Sun.", "sun"))
    assert scene.texts(scene.text)[0] == "**Mira**\nSun."
    again = scene.new_courier()
    assert await again.read_back(post_in(scene.text, "Rain 2.", "rain-2"), receipts[1].message) == receipts[2]

    scene.loopback.allow(scene.text, "manage_webhooks")
    scene.clock.move(61)
    await courier.send(post_in(scene.text, "With a face.", "face"))
    assert scene.texts(scene.text)[-1] == "With a face."


async def test_a_channel_full_of_webhooks_is_posted_in_by_the_bot(scene: CourierScene, courier: DiscordCourier) -> None:
    for number in range(15):
        await scene.loopback.proxy_post(scene.text, "Other", "words", application_id=1000 + number)
    await courier.send(post_in(scene.text, "Rain."))
    assert scene.texts(scene.text)[-1] == "**Mira**\nRain."


async def test_direct_messages_have_no_webhooks(scene: CourierScene, courier: DiscordCourier) -> None:
    await courier.send(post_in(scene.dm, "Rain."))
    assert scene.texts(scene.dm) == ["**Mira**\nRain."]
    assert not scene.loopback.asked("GET", "/webhooks")


async def test_a_name_that_discord_refuses_is_made_acceptable(scene: CourierScene, courier: DiscordCourier) -> None:
    await courier.send(post_in(scene.text, "Chaos.", speaker=Speaker(Voice.CHARACTER, "Discordia of Clyde")))
    name = scene.loopback.messages(scene.text)[0].author_name
    assert name.replace("\u200a", "") == "Discordia of Clyde"


async def test_a_webhook_that_was_deleted_is_made_anew_and_the_post_stands_once(
    scene: CourierScene, courier: DiscordCourier
) -> None:
    first = await courier.send(post_in(scene.text, "One."))
    scene.loopback.world.webhooks.clear()
    second = await courier.send(post_in(scene.text, "Two.", "key-2"))
    assert scene.texts(scene.text) == ["One.", "Two."]
    assert first.message.split("/")[0] != second.message.split("/")[0]

    with pytest.raises(PostRefused, match="webhook that made this post is gone"):
        await courier.edit(first.message, post_in(scene.text, "Changed.", "key-3"))
    await courier.delete(place_of(scene.text.id), first.message)
    assert scene.texts(scene.text) == ["Two."], "a moderator's permission is enough to take it away"


async def test_deleting_what_a_lost_webhook_left_names_the_permission_that_it_takes(
    scene: CourierScene, courier: DiscordCourier
) -> None:
    first = await courier.send(post_in(scene.text, "One."))
    scene.loopback.world.webhooks.clear()
    scene.loopback.forbid(scene.text, "manage_messages")
    with pytest.raises(PostRefused, match="I lack the permission Manage Messages"):
        await courier.delete(place_of(scene.text.id), first.message)


async def test_what_may_not_be_done_is_refused_by_the_name_of_the_permission(
    scene: CourierScene, courier: DiscordCourier
) -> None:
    thread = await scene.thread()
    scene.loopback.forbid(scene.text, "send_messages_in_threads", "manage_webhooks")
    with pytest.raises(PostRefused) as refused:
        await courier.send(post_in(thread, "Rain."))
    assert str(refused.value) == "I cannot post here: I lack the permission Send Messages in Threads."

    scene.loopback.forbid(scene.text, "view_channel")
    courier.rooms.forget(thread.id)
    with pytest.raises(PostRefused, match="I lack the permission View Channel"):
        await courier.limits(place_of(thread.id))


async def test_a_post_wakes_an_archived_thread_and_so_does_an_edit_and_a_removal(
    scene: CourierScene, courier: DiscordCourier
) -> None:
    thread = await scene.thread()
    first = await courier.send(post_in(thread, "One."))
    notice = await courier.send(post_in(thread, "A notice.", "notice", speaker=MACHINERY))
    acts: list[Callable[[], object]] = [
        lambda: courier.send(post_in(thread, "Two.", "key-2")),
        lambda: courier.edit(first.message, post_in(thread, "One, changed.", "key-3")),
        lambda: courier.edit(notice.message, post_in(thread, "Changed.", "key-4", speaker=MACHINERY)),
        lambda: courier.delete(place_of(thread.id), first.message),
        lambda: courier.delete(place_of(thread.id), notice.message),
    ]
    for act in acts:
        await scene.loopback.archive(thread)
        await act()  # type: ignore[misc]  # every one of them is a coroutine
    assert scene.texts(thread) == ["Two."]


@pytest.mark.parametrize("archive", [True, False])
async def test_a_locked_thread_is_gone(scene: CourierScene, courier: DiscordCourier, *, archive: bool) -> None:
    thread = await scene.thread()
    receipt = await courier.send(post_in(thread, "One."))
    scene.loopback.forbid(scene.guild, "manage_threads")
    await scene.loopback.lock(thread, archive=archive)
    if archive:  # not told of it by the gateway, it is refused; told, it looks before it asks
        with pytest.raises(ChannelGone):
            await courier.send(post_in(thread, "Two.", "key-2"))
    courier.rooms.forget(thread.id)
    for act in (
        courier.send(post_in(thread, "Two.", "key-3")),
        courier.edit(receipt.message, post_in(thread, "Three.", "key-4")),
    ):
        with pytest.raises(ChannelGone):
            await act
    assert scene.texts(thread) == ["One."]


async def test_a_deleted_thread_is_gone(scene: CourierScene, courier: DiscordCourier) -> None:
    thread = await scene.thread()
    receipt = await courier.send(post_in(thread, "One."))
    await scene.loopback.delete_channel(thread)
    acts = (
        courier.send(post_in(thread, "Two.", "key-2")),
        courier.send(post_in(thread, "A notice.", "key-3", speaker=MACHINERY)),
        courier.edit(receipt.message, post_in(thread, "Two.", "key-4")),
        courier.delete(place_of(thread.id), receipt.message),
    )
    for act in acts:
        with pytest.raises(ChannelGone):
            await act
    courier.rooms.forget(thread.id)
    with pytest.raises(ChannelGone):
        await courier.limits(place_of(thread.id))


async def test_a_post_that_discord_cannot_hold_is_refused_and_a_long_one_is_not(
    scene: CourierScene, courier: DiscordCourier
) -> None:
    with pytest.raises(PostRefused, match="holds 2,000 characters; this one has 2,001"):
        await courier.send(post_in(scene.text, "x" * 2001))
    # Counted in code points: a face with its skin is two, whatever it is in bytes.
    await courier.send(post_in(scene.text, "👍🏽" * 950, "faces"))
    scene.loopback.forbid(scene.text, "manage_webhooks")
    longest = Speaker(Voice.CHARACTER, "é" * 120)
    await scene.new_courier().send(post_in(scene.text, "x" * 1900, "named", speaker=longest))
    assert [len(each) for each in scene.texts(scene.text)] == [1900, 1900 + 85]


async def test_a_forum_itself_takes_no_post(scene: CourierScene, courier: DiscordCourier) -> None:
    with pytest.raises(PostRefused, match="open a post of the forum"):
        await courier.send(post_in(scene.forum, "Rain."))


@pytest.mark.parametrize("code", [160005, 50013])
async def test_a_thread_that_was_locked_a_moment_ago_is_found_to_be_by_the_refusal(
    scene: CourierScene, courier: DiscordCourier, code: int
) -> None:
    thread = await scene.thread()
    await courier.send(post_in(thread, "One.", speaker=MACHINERY))
    scene.loopback.forbid(scene.guild, "manage_threads")
    await scene.loopback.lock(thread, archive=False)
    if code == 50013:
        refusal = discord.Forbidden(Mock(status=403, reason=""), {"code": code, "message": "Missing Permissions"})
        scene.client.http.send_message = AsyncMock(side_effect=refusal)  # type: ignore[method-assign]  # for one call
    with pytest.raises(ChannelGone):
        await courier.send(post_in(thread, "Two.", "key-2", speaker=MACHINERY))


async def test_limits_say_what_the_place_holds_and_whose_share_it_is(scene: CourierScene, courier: DiscordCourier) -> None:
    thread = await scene.thread()
    share = CommunityId(str(scene.guild.id))
    assert await courier.limits(place_of(thread.id)) == ChannelLimits(1900, streams=False, community=share)
    assert await courier.limits(place_of(scene.dm.id)) == ChannelLimits(1900, streams=False)


async def test_while_there_is_no_connection_everything_waits(scene: CourierScene, courier: DiscordCourier) -> None:
    receipt = await courier.send(post_in(scene.text, "Rain."))
    scene.line.close()
    for act in (
        courier.send(post_in(scene.text, "Two.", "key-2")),
        courier.edit(receipt.message, post_in(scene.text, "Two.", "key-3")),
        courier.delete(place_of(scene.text.id), receipt.message),
        courier.read_back(post_in(scene.text, "Two.", "key-2"), None),
        courier.open(place_of(scene.text.id), "A story", "key"),
        courier.limits(place_of(scene.forum.id)),
    ):
        with pytest.raises(TryLater):
            await act


async def test_an_unreachable_discord_is_waited_for(scene: CourierScene, courier: DiscordCourier) -> None:
    await courier.send(post_in(scene.text, "Rain."))
    await scene.loopback.stop()
    try:
        with pytest.raises((TryLater, OutcomeUnknown)):
            await courier.send(post_in(scene.text, "Two.", "key-2"))
        with pytest.raises(TryLater):
            await scene.new_courier().limits(place_of(scene.text.id))
    finally:
        await scene.loopback.start()


async def test_a_message_that_is_no_message_of_discord_is_refused(scene: CourierScene, courier: DiscordCourier) -> None:
    with pytest.raises(PostRefused):
        await courier.edit(MessageId("elsewhere"), post_in(scene.text, "Two."))
