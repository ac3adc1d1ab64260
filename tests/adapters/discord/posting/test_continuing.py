"""A reply that others posted into says where it goes on, once; in a quiet thread nothing is said and nothing asked."""

import pytest

from adapters.discord.posting.courier import DiscordCourier
from adapters.discord.words import place_of
from bot.errors import OutcomeUnknown
from bot.posts import OutboundPost
from tests.adapters.discord.posting.courier_scene import CourierScene, post_in
from tests.fakes.discord import Channel

HISTORY = "/messages"


async def part(scene: CourierScene, courier: DiscordCourier, thread: Channel, position: int) -> OutboundPost:
    """One post of a reply, brought and kept."""
    post = post_in(thread, f"Part {position}.", f"key-{position}", position=position)
    scene.stands(post, (await courier.send(post)).message)
    return post


async def interrupt(scene: CourierScene, courier: DiscordCourier, thread: Channel) -> None:
    """A player's message that the gateway told of."""
    message = await scene.loopback.post(scene.player, thread, "Wait!")
    courier.saw_message(thread.id, message.id)


async def test_a_quiet_thread_is_neither_asked_nor_told(scene: CourierScene, courier: DiscordCourier) -> None:
    thread = await scene.thread()
    for position in range(3):
        await part(scene, courier, thread, position)
    assert scene.texts(thread) == ["Part 0.", "Part 1.", "Part 2."]
    assert not scene.loopback.asked("GET", HISTORY)


async def test_what_was_posted_in_between_is_bridged_by_one_line_with_a_link(
    scene: CourierScene, courier: DiscordCourier
) -> None:
    thread = await scene.thread()
    await part(scene, courier, thread, 0)
    first = scene.loopback.messages(thread)[0]
    await interrupt(scene, courier, thread)
    await part(scene, courier, thread, 1)
    await part(scene, courier, thread, 2)
    line = f"-# ↪ Mira goes on here (from https://discord.com/channels/{scene.guild.id}/{thread.id}/{first.id})"
    assert scene.texts(thread) == ["Part 0.", "Wait!", line, "Part 1.", "Part 2."]


async def test_a_first_post_and_a_notice_go_on_from_nowhere(scene: CourierScene, courier: DiscordCourier) -> None:
    thread = await scene.thread()
    await interrupt(scene, courier, thread)
    await part(scene, courier, thread, 0)
    await courier.send(post_in(thread, "A notice.", "notice", position=None))
    assert scene.texts(thread) == ["Wait!", "Part 0.", "A notice."]


async def test_what_was_taken_away_again_was_not_in_between(scene: CourierScene, courier: DiscordCourier) -> None:
    thread = await scene.thread()
    await part(scene, courier, thread, 0)
    message = await scene.loopback.post(scene.player, thread, "Oops")
    courier.saw_message(thread.id, message.id)
    await scene.loopback.delete(message)
    await part(scene, courier, thread, 1)
    assert scene.texts(thread) == ["Part 0.", "Part 1."]


async def test_the_line_is_said_once_also_when_its_post_must_be_tried_again(
    scene: CourierScene, courier: DiscordCourier
) -> None:
    thread = await scene.thread()
    await part(scene, courier, thread, 0)
    await interrupt(scene, courier, thread)
    scene.loopback.faults.add("POST /webhooks/*", "500 before")
    with pytest.raises(OutcomeUnknown):
        await part(scene, courier, thread, 1)
    again = scene.new_courier()  # after a restart the nonce still knows
    again.saw_message(thread.id, scene.loopback.messages(thread)[-1].id)
    await part(scene, again, thread, 1)
    assert [text[:10] for text in scene.texts(thread)] == ["Part 0.", "Wait!", "-# ↪ Mira ", "Part 1."]


async def test_the_line_goes_with_the_post_that_it_leads_to(scene: CourierScene, courier: DiscordCourier) -> None:
    thread = await scene.thread()
    await part(scene, courier, thread, 0)
    await interrupt(scene, courier, thread)
    await part(scene, courier, thread, 1)
    await courier.delete(place_of(thread.id), scene.standing[3][1].message)
    assert scene.texts(thread) == ["Part 0.", "Wait!"]
