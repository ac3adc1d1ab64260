"""New places: forum posts and threads, each key one place whatever happens on the way."""

import pytest

from adapters.discord.posting.courier import DiscordCourier
from adapters.discord.posting.opening import mark_of, text_of, title_of
from adapters.discord.words import channel_of, place_of
from bot.errors import ChannelGone, OutcomeUnknown, PostRefused
from tests.adapters.discord.posting.courier_scene import CourierScene, courier_scene, post_in

TITLE = "What Mira did"


async def test_a_forum_gets_a_post_and_its_threads_another_one(scene: CourierScene, courier: DiscordCourier) -> None:
    post = await courier.open_with(place_of(scene.forum.id), TITLE, "key", "**Mira** keeps the light.")
    beside = await courier.open(post, "Another way", "key-2")
    threads = scene.loopback.threads(scene.forum)
    assert [place_of(thread.id) for thread in threads] == [post, beside]
    assert [thread.name for thread in threads] == [TITLE, "Another way"]
    assert scene.texts(threads[0]) == [f"**Mira** keeps the light.\n{mark_of('key')}"]
    assert threads[0].archive_minutes == 10080
    asked = scene.loopback.asked("POST", f"/channels/{scene.forum.id}/threads")
    assert all(each.headers["User-Agent"].startswith("DiscordBot (") for each in asked), "Discord asks it of every bot"
    await courier.send(post_in(threads[0], "Rain."))
    assert scene.texts(threads[0])[1:] == ["Rain."]


async def test_a_text_channel_gets_a_thread_on_a_message_of_the_bot(scene: CourierScene, courier: DiscordCourier) -> None:
    place = await courier.open_with(place_of(scene.text.id), TITLE, "key", "**Mira** keeps the light.")
    beside = await courier.open(place, "Another way", "key-2")
    assert [place_of(thread.id) for thread in scene.loopback.threads(scene.text)] == [place, beside]
    starter = scene.loopback.messages(scene.text)[0]
    assert (starter.id, starter.author.id) == (channel_of(place), scene.loopback.bot_id)
    assert starter.content.startswith("**Mira** keeps the light.\n-# story ")


@pytest.mark.parametrize("where", ["forum", "text"])
async def test_the_same_key_is_the_same_place_also_after_a_restart(scene: CourierScene, where: str) -> None:
    parent = scene.forum if where == "forum" else scene.text
    courier, near = scene.new_courier(), place_of(parent.id)
    other = await courier.open(near, TITLE, "another key")
    first = await courier.open(near, TITLE, "key")
    scene.loopback.clock.move(3600)  # the nonce of the first message is forgotten by then
    assert await courier.open(near, TITLE, "key") == first
    assert await scene.new_courier().open(near, TITLE, "key") == first != other
    assert len(scene.loopback.threads(parent)) == 2


@pytest.mark.parametrize("kind", ["500 after", "cut after"])
async def test_a_forum_post_whose_answer_was_lost_is_found(scene: CourierScene, courier: DiscordCourier, kind: str) -> None:
    scene.loopback.faults.add(f"POST /channels/{scene.forum.id}/threads", kind)
    place = await courier.open(place_of(scene.forum.id), TITLE, "key")
    assert [place_of(thread.id) for thread in scene.loopback.threads(scene.forum)] == [place]


async def test_a_forum_post_that_did_not_arrive_is_made_at_the_next_try(scene: CourierScene, courier: DiscordCourier) -> None:
    scene.loopback.faults.add(f"POST /channels/{scene.forum.id}/threads", "500 before")
    with pytest.raises(OutcomeUnknown):
        await courier.open(place_of(scene.forum.id), TITLE, "key")
    await courier.open(place_of(scene.forum.id), TITLE, "key")
    assert len(scene.loopback.threads(scene.forum)) == 1


@pytest.mark.parametrize("route", ["POST /channels/*/threads", "POST /channels/*/messages"])
@pytest.mark.parametrize("kind", ["500 after", "cut after"])
async def test_a_thread_whose_answer_was_lost_is_opened_once(
    scene: CourierScene, courier: DiscordCourier, route: str, kind: str
) -> None:
    scene.loopback.faults.add(route, kind)
    try:
        place = await courier.open(place_of(scene.text.id), TITLE, "key")
    except OutcomeUnknown:
        place = await courier.open(place_of(scene.text.id), TITLE, "key")
    assert [place_of(thread.id) for thread in scene.loopback.threads(scene.text)] == [place]
    assert len(scene.texts(scene.text)) == 1


async def test_another_ones_thread_with_the_same_title_is_not_ours(scene: CourierScene, courier: DiscordCourier) -> None:
    theirs = await scene.loopback.open_post(scene.player, scene.forum, TITLE, f"Mine.\n{mark_of('key')}")
    assert await courier.open(place_of(scene.forum.id), TITLE, "key") != place_of(theirs.id)


async def test_a_forum_that_asks_for_a_tag_gets_one() -> None:
    async with courier_scene(requires_tag=True) as scene:
        await scene.new_courier().open(place_of(scene.forum.id), TITLE, "key")
        assert scene.loopback.threads(scene.forum)[0].applied_tags == (scene.forum.tags["open"],)


async def test_where_no_place_can_be_opened_a_sentence_says_why(scene: CourierScene, courier: DiscordCourier) -> None:
    with pytest.raises(PostRefused, match="direct message holds one story only"):
        await courier.open(place_of(scene.dm.id), TITLE, "key")
    scene.loopback.forbid(scene.text, "create_public_threads")
    with pytest.raises(PostRefused, match="Create Public Threads"):
        await courier.open(place_of(scene.text.id), TITLE, "key")
    scene.loopback.forbid(scene.forum, "send_messages")
    with pytest.raises(PostRefused, match="I cannot open a post here: I lack the permission Send Messages"):
        await courier.open(place_of(scene.forum.id), TITLE, "key")
    await scene.loopback.delete_channel(scene.forum)
    with pytest.raises(ChannelGone):
        await scene.new_courier().open(place_of(scene.forum.id), TITLE, "key")


def test_titles_and_texts_fit() -> None:
    assert title_of("") == title_of(" \n ") == "A story"
    assert title_of("two\nlines  and more") == "two lines and more"
    assert len(title_of("x" * 300)) == 100
    mark = mark_of("key")
    assert len(text_of("x" * 3000, mark)) == 2000
    assert text_of("x" * 3000, mark).endswith(f"x…\n{mark}")
    assert text_of("  ", mark) == mark
