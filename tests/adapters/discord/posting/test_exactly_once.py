"""Every post stands once and in order: read back where an answer was lost, paced, and patient when Discord asks for it."""

import pytest

from adapters.discord.posting.courier import DiscordCourier
from adapters.discord.posting.own_posts import OwnPosts, Payload
from adapters.discord.rooms import Room
from bot.errors import OutcomeUnknown, TryLater
from bot.ids import MessageId
from bot.posts import OutboundPost
from tests.adapters.discord.posting.courier_scene import MACHINERY, MIRA, CourierScene, courier_scene, post_in

WEBHOOK_POST = "POST /webhooks/*"
EVERY_KIND = ("500 before", "502 after", "cut before", "cut after", "429", "429 without via")
CHANNEL_POST = "POST /channels/*/messages"


@pytest.mark.parametrize("kind", ["500 before", "500 after", "502 after", "cut after", "cut before"])
async def test_trouble_after_which_nobody_knows_leaves_exactly_one_webhook_post(
    scene: CourierScene, courier: DiscordCourier, kind: str
) -> None:
    thread = await scene.thread()
    before = await courier.send(post_in(thread, "Before."))
    post = post_in(thread, "Once.", "key-2", position=1)
    scene.loopback.faults.add(WEBHOOK_POST, kind)
    with pytest.raises(OutcomeUnknown):
        await courier.send(post)
    found = await courier.read_back(post, before.message)
    assert (found is not None) == kind.endswith("after")
    receipt = found or await courier.send(post)
    assert scene.creates(thread) == ["Before.", "Once."]
    assert await courier.send(post) == receipt, "a receipt that was read back is known"


@pytest.mark.parametrize("kind", ["500 before", "500 after"])
async def test_the_bots_own_posts_bear_a_nonce_so_the_library_may_repeat_them(
    scene: CourierScene, courier: DiscordCourier, kind: str
) -> None:
    scene.loopback.faults.add(CHANNEL_POST, kind)
    receipt = await courier.send(post_in(scene.text, "A notice.", speaker=MACHINERY))
    assert scene.creates(scene.text) == ["A notice."]
    assert receipt.message == str(scene.loopback.messages(scene.text)[0].id)


async def test_a_cut_connection_leaves_one_post_of_the_bot_also_when_it_is_sent_again_at_once(
    scene: CourierScene, courier: DiscordCourier
) -> None:
    post = post_in(scene.text, "A notice.", speaker=MACHINERY)
    scene.loopback.faults.add(CHANNEL_POST, "cut after")
    with pytest.raises(OutcomeUnknown):
        await courier.send(post)
    await scene.new_courier().send(post)
    assert scene.creates(scene.text) == ["A notice."]


@pytest.mark.parametrize(("kind", "asked", "seconds"), [("429", 7.5, 7.5), ("429 without via", 0.05, 60.0)])
async def test_a_webhook_that_asks_for_patience_gets_it_from_all_threads_of_its_channel(
    scene: CourierScene, courier: DiscordCourier, kind: str, asked: float, seconds: float
) -> None:
    thread = await scene.thread()
    scene.loopback.faults.add(WEBHOOK_POST, kind, retry_after=asked)
    with pytest.raises(TryLater) as patience:
        await courier.send(post_in(scene.text, "Rain."))
    assert patience.value.seconds == seconds
    scene.clock.move(seconds - 1)
    with pytest.raises(TryLater) as patience:
        await courier.send(post_in(thread, "Fog."))
    assert patience.value.seconds == 1
    assert len(scene.loopback.asked("POST", "/webhooks/")) == 1
    scene.clock.move(1)
    await courier.send(post_in(scene.text, "Rain."))
    await courier.send(post_in(thread, "Fog."))
    assert scene.texts(scene.text) == ["Rain."]


async def test_a_ban_of_the_bots_own_posts_is_waited_for(scene: CourierScene, courier: DiscordCourier) -> None:
    scene.loopback.faults.add(CHANNEL_POST, "429 without via")
    with pytest.raises(TryLater) as patience:
        await courier.send(post_in(scene.text, "A notice.", speaker=MACHINERY))
    assert patience.value.seconds >= 60


async def test_the_hidden_budget_is_kept_without_asking_discord(scene: CourierScene, courier: DiscordCourier) -> None:
    threads = [await scene.thread(f"Story {at}") for at in range(2)]
    for at in range(28):
        await courier.send(post_in(threads[at % 2], f"Post {at}.", f"key-{at}"))
        scene.clock.move(1)
    asked = len(scene.loopback.requests)
    with pytest.raises(TryLater) as patience:
        await courier.send(post_in(threads[0], "One too many.", "late"))
    assert patience.value.seconds == 32
    assert len(scene.loopback.requests) == asked
    scene.clock.move(32)
    await courier.send(post_in(threads[0], "One too many.", "late"))
    assert scene.texts(threads[0])[-1] == "One too many."


async def test_a_hundred_posts_in_haste_never_meet_discords_hidden_budget(scene: CourierScene, courier: DiscordCourier) -> None:
    limits = scene.loopback.limits
    limits.use_known()
    limits.limits = {}  # what is told in headers is the library's to keep; what is not is ours
    for at in range(100):
        post = post_in(scene.text, f"Post {at}.", f"key-{at}")
        try:
            await courier.send(post)
        except TryLater as patience:
            for clock in (scene.clock, scene.loopback.clock):
                clock.move(patience.seconds)
            await courier.send(post)
        scene.loopback.clock.move(0.03)
        scene.clock.move(0.03)
    assert scene.creates(scene.text) == [f"Post {at}." for at in range(100)]
    assert 429 not in {each.status for each in scene.loopback.requests}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("route", "kinds"), [("POST /webhooks/*", EVERY_KIND), ("*", ("cut before", "cut after", "429"))])
async def test_whatever_goes_wrong_every_post_stands_once_and_in_order(
    scene: CourierScene, seed: int, route: str, kinds: tuple[str, ...]
) -> None:
    thread, courier, last = await scene.thread(), scene.new_courier(), None
    scene.loopback.faults.random(seed, 0.3, kinds, route)
    posts = [
        post_in(thread, f"Post {at}.", f"key-{at}", position=at, speaker=MACHINERY if at % 5 == 4 else MIRA) for at in range(30)
    ]
    for post in posts:
        while (receipt := await tried(scene, courier, post, last)) is None:
            if len(scene.loopback.requests) % 3 == 0:
                courier = scene.new_courier()  # killed, and started again: all that it remembered is lost
        scene.stands(post, receipt)
        last = receipt
    assert scene.loopback.faults.dealt
    assert scene.creates(thread) == [post.text for post in posts], f"seed {seed}"


async def tried(scene: CourierScene, courier: DiscordCourier, post: OutboundPost, last: MessageId | None) -> MessageId | None:
    """As the deliverer brings a post: what is uncertain is read back before it is sent. None: it is to be tried again."""
    try:
        found = await courier.read_back(post, last) if post.key in scene.uncertain else None
        receipt = found or await courier.send(post)
    except TryLater as patience:
        scene.clock.move(patience.seconds)
        return None
    except OutcomeUnknown:
        scene.uncertain.add(post.key)
        return None
    return receipt.message


async def test_read_back_finds_the_post_only_after_the_last_receipt(scene: CourierScene, courier: DiscordCourier) -> None:
    thread = await scene.thread()
    old = await courier.send(post_in(thread, "The same words."))
    post = post_in(thread, "  The same words.\n", "key-2", position=1)
    fresh = scene.new_courier()
    assert await fresh.read_back(post, old.message) is None
    await scene.loopback.post(scene.player, thread, "The same words.")
    await scene.loopback.proxy_post(thread, "Mira", "The same words.")
    assert await fresh.read_back(post, old.message) is None, "a player and another application wrote the same"
    receipt = await courier.send(post)
    assert await fresh.read_back(post, old.message) == receipt


async def test_read_back_looks_through_more_than_a_hundred_messages(scene: CourierScene, courier: DiscordCourier) -> None:
    thread = await scene.thread()
    old = await courier.send(post_in(thread, "Before."))
    for at in range(130):
        await scene.loopback.post(scene.player, thread, f"Word {at}")
    sought = await courier.send(post_in(thread, "Sought.", "key-2"))
    for at in range(30):
        await scene.loopback.post(scene.player, thread, f"Word {at}")
    assert await scene.new_courier().read_back(post_in(thread, "Sought.", "key-2"), old.message) == sought


async def test_a_post_of_another_key_is_not_taken_for_this_one(scene: CourierScene, courier: DiscordCourier) -> None:
    await courier.send(post_in(scene.text, "Rain."))
    assert await courier.read_back(post_in(scene.text, "Rain.", "key-2"), None) is None


async def test_a_webhooks_post_is_read_back_also_where_discord_blanks_its_text() -> None:
    async with courier_scene(reads_content=False) as scene:
        receipt = await scene.new_courier().send(post_in(scene.text, "Rain."))
        for text, expected in (("Rain.", receipt), ("Sun.", None)):
            courier = scene.new_courier()
            courier._own = Blanked(courier._own.line, courier._own.rooms)
            assert await courier.read_back(post_in(scene.text, text), None) == expected


class Blanked(OwnPosts):
    """A history as whoever may not read along sees it, webhooks of their own included."""

    async def after(self, room: Room, message: int | None, limit: int = 100) -> list[Payload]:
        return [{**each, "content": ""} for each in await super().after(room, message, limit)]
