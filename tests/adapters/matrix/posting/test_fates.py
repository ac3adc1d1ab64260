"""Reactions on the players' messages: one sign at a time, only with room to spare, and none left over."""

import asyncio

import pytest
import pytest_asyncio

from adapters.matrix.posting.courier import MatrixCourier
from adapters.matrix.words import event_of, place_of
from bot.ids import EventId
from bot.posts import Fate
from tests.adapters.matrix.posting.scene import SEND, Scene, post_in, until_it_rests
from tests.homeserver.faults import Cut, Fault, Rule, refusal

SIGN = "/send/m.reaction"
ALL = ((Fate.QUEUED, "⏳"), (Fate.IGNORED, "🙈"), (Fate.BROKEN, "⚠️"), (Fate.BROKEN, "⚠️"))


@pytest_asyncio.fixture(loop_scope="module")
async def post(scene: Scene, room: str) -> str:
    """A player's post."""
    return await scene.tobias.say(room, "Hello?")


async def test_the_last_fate_is_the_one_that_shows(scene: Scene, courier: MatrixCourier, room: str, post: str) -> None:
    for fate, sign in ALL:
        await courier.tell_fate(place_of(room), event_of(post), fate)
        await courier.fates.settled()
        assert await scene.tobias.reactions(room, post) == {sign: [scene.login.user_id]}
        scene.frozen.move(60)
    await courier.tell_fate(place_of(room), event_of(post), None)
    await courier.fates.settled()
    assert await scene.tobias.reactions(room, post) == {}


async def test_what_is_over_before_there_is_room_for_it_is_never_shown(
    scene: Scene, courier: MatrixCourier, room: str, post: str
) -> None:
    for at in range(8):
        await courier.send(post_in(room, f"{at}", f"key-{at}"))
    await courier.tell_fate(place_of(room), event_of(post), Fate.QUEUED)
    await until_it_rests(scene.frozen)
    assert scene.between.count(SIGN) == 0
    await courier.tell_fate(place_of(room), event_of(post), None)
    scene.frozen.move(60)
    await courier.fates.settled()
    assert scene.between.count(SIGN) == scene.between.count("/redact/") == 0


async def test_a_sign_that_shows_is_taken_away_as_soon_as_there_is_room(
    scene: Scene, courier: MatrixCourier, room: str, post: str
) -> None:
    await courier.tell_fate(place_of(room), event_of(post), Fate.QUEUED)
    await courier.fates.settled()
    for at in range(8):
        await courier.send(post_in(room, f"{at}", f"key-{at}"))
    await courier.tell_fate(place_of(room), event_of(post), None)
    await until_it_rests(scene.frozen)
    assert await scene.tobias.reactions(room, post) == {"⏳": [scene.login.user_id]}
    scene.frozen.move(60)
    await courier.fates.settled()
    assert await scene.tobias.reactions(room, post) == {}


async def test_a_sign_that_is_over_while_it_is_on_its_way_is_taken_away(
    scene: Scene, courier: MatrixCourier, room: str, post: str
) -> None:
    held = scene.between.hold(SIGN, times=1)
    await courier.tell_fate(place_of(room), event_of(post), Fate.QUEUED)
    await scene.between.until_asked(SIGN)
    await courier.tell_fate(place_of(room), event_of(post), None)
    held.end()
    scene.between.release()
    await courier.fates.settled()
    assert await scene.tobias.reactions(room, post) == {}


async def test_after_a_restart_the_bots_own_signs_are_found_and_nobody_elses(
    scene: Scene, courier: MatrixCourier, room: str, post: str
) -> None:
    await courier.tell_fate(place_of(room), event_of(post), Fate.BROKEN)
    await courier.fates.settled()
    await scene.tobias.react(room, post, "⚠️")
    after = scene.new_courier()
    await after.tell_fate(place_of(room), event_of(post), Fate.BROKEN)
    await after.fates.settled()
    assert len((await scene.tobias.reactions(room, post))["⚠️"]) == 2
    await after.tell_fate(place_of(room), event_of(post), None)
    await after.fates.settled()
    assert await scene.tobias.reactions(room, post) == {"⚠️": [scene.tobias.user_id]}


@pytest.mark.parametrize("fault", [Cut.AFTER, Cut.BEFORE, refusal(502, "", "")])
async def test_a_sign_whose_answer_is_lost_is_neither_lost_nor_left_over(
    scene: Scene, courier: MatrixCourier, room: str, post: str, fault: Fault
) -> None:
    scene.between.rule(Rule(SIGN, fault, 1))
    await courier.tell_fate(place_of(room), event_of(post), Fate.BROKEN)
    await until_it_rests(scene.frozen)
    scene.frozen.move(2)
    await courier.fates.settled()
    assert await scene.tobias.reactions(room, post) == {"⚠️": [scene.login.user_id]}
    assert courier.fates._tries == {}, "what shows needs no more tries"
    await courier.tell_fate(place_of(room), event_of(post), None)
    await courier.fates.settled()
    assert await scene.tobias.reactions(room, post) == {}


async def test_a_sign_that_is_given_up_leaves_nothing(scene: Scene, courier: MatrixCourier, room: str, post: str) -> None:
    scene.between.rule(Rule(SIGN, Cut.BEFORE, 100))
    await courier.tell_fate(place_of(room), event_of(post), Fate.BROKEN)
    settled = asyncio.create_task(courier.fates.settled())
    while not settled.done():
        scene.frozen.move(60)
        await asyncio.wait([settled], timeout=0.01)
    assert courier.fates._tries == {}


async def test_what_is_no_message_or_gone_or_nowhere_bears_no_sign(
    scene: Scene, courier: MatrixCourier, room: str, post: str
) -> None:
    for place, event in (
        (place_of(room), "web:12"),
        (place_of(room), "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        (place_of("!nothing:matrix.test"), post),
    ):
        for fate in (Fate.QUEUED, None):
            await courier.tell_fate(place, EventId(event), fate)
            await courier.fates.settled()
    assert await scene.tobias.reactions(room, post) == {}


async def test_telling_waits_for_nothing(scene: Scene, courier: MatrixCourier, room: str, post: str) -> None:
    held = scene.between.hold(SEND, times=1)
    sending = asyncio.create_task(courier.send(post_in(room, "Slow.")))
    await scene.between.until_asked(SEND)
    await asyncio.wait_for(courier.tell_fate(place_of(room), event_of(post), Fate.QUEUED), 0.5)
    held.end()
    scene.between.release()
    await sending
    await courier.fates.settled()
