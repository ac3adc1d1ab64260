"""Before a homeserver with the limits that Synapse has by itself: in order, in time, and hardly ever refused."""

import asyncio
from pathlib import Path

import pytest

from adapters.clock import SystemClock
from adapters.matrix.words import event_of, place_of
from bot.errors import TryLater
from bot.posts import Fate, OutboundPost
from tests.adapters.matrix.posting.scene import SEND, Scene, post_in, scene_on
from tests.homeserver.server import Synapse

POSTS = 18


async def brought(scene: Scene, posts: list[OutboundPost]) -> None:
    """One place's posts, one after another, as the deliverer brings them."""
    courier = scene.couriers[0]
    for post in posts:
        while True:
            try:
                await courier.send(post)
                break
            except TryLater as patience:
                await asyncio.sleep(patience.seconds)


@pytest.mark.slow
async def test_posts_of_two_rooms_arrive_in_order_at_the_pace_that_synapse_allows(
    strict_homeserver: Synapse, tmp_path: Path
) -> None:
    async with scene_on(strict_homeserver, tmp_path, SystemClock()) as scene:
        courier, rooms = scene.new_courier(), [await scene.room(), await scene.room()]
        asked = await scene.tobias.say(rooms[0], "Hello?")
        stories = [[post_in(room, f"{at}", f"key-{at}") for at in range(POSTS // 2)] for room in rooms]
        began = asyncio.get_running_loop().time()
        await courier.tell_fate(place_of(rooms[0]), event_of(asked), Fate.QUEUED)
        await asyncio.gather(*(brought(scene, posts) for posts in stories))
        spent = asyncio.get_running_loop().time() - began
        for room in rooms:
            assert [each for each in await scene.bodies(room) if each != "Hello?"] == [
                f"Mira: {at}" for at in range(POSTS // 2)
            ]
        refused = [each.status for each in scene.between.asked if SEND in each.line].count(429)
        print(f"\n{POSTS} posts in two rooms: {spent:.1f} s, {refused} refusals")  # noqa: T201  the figure is what this is for
        assert refused <= POSTS / 5
        # Joining the rooms used up two of the ten events that may come at once; the sign is a third.
        assert spent < (POSTS - 10 + 3 + refused + 1) * 5
