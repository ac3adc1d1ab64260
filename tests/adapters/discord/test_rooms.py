"""What a channel is: the age gate above all, which is closed wherever Discord does not say that it is open."""

import asyncio
from typing import Any

import pytest

from adapters.discord.posting.courier import DiscordCourier
from adapters.discord.rooms import KEPT, THREAD_KEPT, Kind, adults_only, room_of
from adapters.discord.words import place_of
from bot.errors import ChannelGone, PostRefused, TryLater
from tests.adapters.discord.posting.courier_scene import CourierScene

TEXT, DIRECT, VOICE, GROUP, ANNOUNCEMENT, PUBLIC, PRIVATE, FORUM, MEDIA = 0, 1, 2, 3, 5, 11, 12, 15, 16
NEWS_THREAD, STAGE, UNHEARD_OF = 10, 13, 99
RESTRICTED, ORDINARY = {"nsfw": True, "type": TEXT, "id": "1"}, {"nsfw": False, "type": TEXT, "id": "1"}


@pytest.mark.parametrize(
    ("kind", "own", "parent", "level", "expected"),
    [
        (TEXT, True, None, 0, True),
        (TEXT, False, None, 0, False),
        (TEXT, None, None, 0, False),
        (VOICE, True, None, 0, True),
        (STAGE, True, None, 0, True),
        (ANNOUNCEMENT, True, None, 0, True),
        (FORUM, True, None, 0, True),
        (MEDIA, False, None, 0, False),
        # A thread is what its parent is, whatever it says itself.
        (PUBLIC, None, RESTRICTED, 0, True),
        (PRIVATE, None, RESTRICTED, 0, True),
        (NEWS_THREAD, None, RESTRICTED, 0, True),
        (PUBLIC, True, ORDINARY, 0, False),
        (PUBLIC, None, {"type": FORUM, "id": "1"}, 0, False),
        # A parent that nobody could look at, and a guild that nobody knows.
        (PUBLIC, True, None, 0, False),
        (PUBLIC, None, None, None, False),
        (TEXT, True, None, None, True),
        # A guild for adults opens all of its channels; explicit content alone does not.
        (TEXT, False, None, 3, True),
        (PUBLIC, None, None, 3, True),
        (TEXT, False, None, 1, False),
        (TEXT, False, None, 2, False),
        # Nobody checks ages in direct messages, whatever a flag says.
        (DIRECT, True, None, None, False),
        (GROUP, True, None, 3, False),
        (UNHEARD_OF, None, None, 0, False),
        (TEXT, "yes", None, 0, False),
    ],
)
def test_the_age_gate(kind: int, own: object, parent: dict[str, Any] | None, level: int | None, *, expected: bool) -> None:
    channel = {"id": "7", "type": kind} | ({} if own is None else {"nsfw": own})
    guild = None if level is None else {"id": "9", "nsfw_level": level}
    assert adults_only(channel, parent, guild, adult_direct=False) is expected


def test_direct_messages_are_for_adults_only_where_the_operator_says_so() -> None:
    assert room_of({"id": "7", "type": DIRECT}, None, None, adult_direct=True).adults_only
    assert not room_of({"id": "7", "type": TEXT}, None, None, adult_direct=True).adults_only
    assert not room_of({"id": "7", "type": PUBLIC}, None, None, adult_direct=True).adults_only


def test_only_tags_that_anybody_may_give_are_tags() -> None:
    tags = [{"id": "1", "name": "staff", "moderated": True}, {"id": "2", "name": "open", "moderated": False}]
    room = room_of({"id": "7", "type": FORUM, "flags": 1 << 4, "available_tags": tags}, None, None)
    assert (room.kind, room.needs_tag, room.tags, room.webhooks_in) == (Kind.FORUM, True, (2,), None)


async def test_threads_and_posts_follow_their_parent_in_the_minute_and_at_once_when_told(
    scene: CourierScene, courier: DiscordCourier
) -> None:
    for parent, thread in ((scene.text, await scene.thread()), (scene.forum, await scene.forum_post())):
        place = place_of(thread.id)
        assert not (await courier.limits(place)).adults_only
        await scene.loopback.restrict_age(parent)
        scene.clock.move(KEPT)
        assert (await courier.limits(place)).adults_only
        await scene.loopback.restrict_age(parent, nsfw=False)
        courier.rooms.forget(parent.id)
        assert not (await courier.limits(place)).adults_only


async def test_a_guild_for_adults_is_found_out_too(scene: CourierScene, courier: DiscordCourier) -> None:
    place = place_of((await scene.thread()).id)
    assert not (await courier.limits(place)).adults_only
    await scene.loopback.set_nsfw_level(scene.guild, 3)
    courier.rooms.forget(scene.guild.id)
    assert (await courier.limits(place)).adults_only


async def test_a_parent_that_cannot_be_looked_at_now_is_waited_for(scene: CourierScene, courier: DiscordCourier) -> None:
    await scene.loopback.restrict_age(scene.text)
    thread = await scene.thread()
    await courier.rooms.about(thread.id)
    scene.clock.move(KEPT)
    # More than once: the HTTP client itself asks again for what only reads.
    scene.loopback.faults.add(f"GET /channels/{scene.text.id}", "cut before", times=5)
    with pytest.raises(TryLater):
        await courier.limits(place_of(thread.id))
    scene.loopback.faults.clear()
    assert (await courier.limits(place_of(thread.id))).adults_only


async def test_who_may_come_in_is_asked_every_minute_and_a_threads_parent_seldom(
    scene: CourierScene, courier: DiscordCourier
) -> None:
    thread = await scene.thread()
    asked = [f"/channels/{thread.id}", f"/channels/{scene.text.id}", f"/guilds/{scene.guild.id}"]

    async def counts(after: float) -> list[int]:
        scene.clock.move(after)
        await courier.rooms.about(thread.id)
        return [len(scene.loopback.asked("GET", path)) for path in asked]

    assert await counts(0) == [1, 1, 1]
    assert await counts(KEPT - 0.1) == [1, 1, 1]
    assert await counts(0.1) == [1, 2, 2]
    assert await counts(THREAD_KEPT - KEPT - 0.1) == [1, 3, 3]
    assert await counts(0.1) == [2, 3, 3]


async def test_many_who_ask_at_once_ask_discord_once(scene: CourierScene, courier: DiscordCourier) -> None:
    threads = [await scene.thread(f"Story {at}") for at in range(5)]
    rooms = await asyncio.gather(*(courier.rooms.about(thread.id) for thread in threads * 4))
    assert {room.parent for room in rooms} == {scene.text.id}
    assert len(scene.loopback.asked("GET", f"/channels/{scene.text.id}")) == 1
    assert len(scene.loopback.asked("GET", f"/guilds/{scene.guild.id}")) == 1
    assert all(len(scene.loopback.asked("GET", f"/channels/{thread.id}")) == 1 for thread in threads)


async def test_an_answer_that_grew_old_on_its_way_is_not_kept(scene: CourierScene, courier: DiscordCourier) -> None:
    late = scene.loopback.faults.add(f"GET /channels/{scene.text.id}", "delay after")
    asking = asyncio.create_task(courier.rooms.about(scene.text.id))
    await asyncio.wait_for(late.reached.wait(), 5)
    await scene.loopback.restrict_age(scene.text)
    courier.rooms.forget(scene.text.id)
    late.release()
    assert (await asking).adults_only


async def test_whoever_gives_up_waiting_does_not_end_the_others_question(scene: CourierScene, courier: DiscordCourier) -> None:
    late = scene.loopback.faults.add(f"GET /channels/{scene.text.id}", "delay")
    first, second = (asyncio.create_task(courier.rooms.about(scene.text.id)) for _ in range(2))
    await asyncio.wait_for(late.reached.wait(), 5)
    first.cancel()
    late.release()
    assert (await second).kind is Kind.TEXT


async def test_what_is_not_there_is_gone_and_what_may_not_be_seen_names_the_permission(
    scene: CourierScene, courier: DiscordCourier
) -> None:
    with pytest.raises(ChannelGone):
        await courier.rooms.about(12345678901234567)
    scene.loopback.forbid(scene.text, "view_channel")
    with pytest.raises(PostRefused, match="View Channel"):
        await courier.rooms.about(scene.text.id)


async def test_lacking_permissions_are_named_by_what_the_gateway_told(scene: CourierScene, courier: DiscordCourier) -> None:
    needs = ("view_channel", "send_messages", "manage_webhooks")
    assert courier.rooms.lacking(scene.text.id, needs) == ()
    scene.loopback.forbid(scene.text, "manage_webhooks", "send_messages")
    async with asyncio.timeout(5):
        while not courier.rooms.lacking(scene.text.id, needs):
            await asyncio.sleep(0.005)
    assert courier.rooms.lacking(scene.text.id, needs) == ("send_messages", "manage_webhooks")
    assert courier.rooms.lacking(scene.dm.id, needs) == ()
    assert courier.rooms.lacking(1, needs) == ()
