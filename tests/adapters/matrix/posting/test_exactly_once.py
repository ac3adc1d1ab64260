"""Every post stands once and in order, whatever breaks: lost answers, limits, restarts, other devices, days between."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.matrix.posting.courier import MatrixCourier
from bot.errors import CourierError, OutcomeUnknown, TryLater
from bot.ids import MessageId, PostKey
from bot.posts import OutboundPost
from tests.adapters.matrix.posting.scene import MACHINERY, MIRA, SEND, Scene, post_in, scene_on, sealed_person
from tests.homeserver.between import Between
from tests.homeserver.faults import Cut, Fault, refusal, too_many
from tests.homeserver.people import Person
from tests.homeserver.server import running

LOST: tuple[Fault, ...] = (refusal(502, "M_UNKNOWN", "Bad gateway"), Cut.BEFORE, Cut.AFTER, Cut.MIDWAY)
STORM: tuple[Fault, ...] = (*LOST, too_many(700))
TOOK_EFFECT = (Cut.AFTER, Cut.MIDWAY)


@asynccontextmanager
async def room_of(scene: Scene, *, is_encrypted: bool) -> AsyncGenerator[tuple[Person, str, str], None]:
    """Somebody who can read along in a room with the bot, the room, and the root of a thread in it."""
    if not is_encrypted:
        room = await scene.room()
        yield scene.tobias, room, await scene.tobias.say(room, "Once upon a time")
        return
    async with sealed_person(scene) as aled:
        room = await scene.room(aled, encrypted=True)
        root = await aled.say(room, "Once upon a time")
        await scene.sync()
        yield aled, room, root


@pytest.mark.parametrize("is_encrypted", [False, True])
@pytest.mark.parametrize("fault", LOST)
async def test_a_post_whose_answer_is_lost_stands_once(scene: Scene, fault: Fault, *, is_encrypted: bool) -> None:
    courier = scene.new_courier()
    async with room_of(scene, is_encrypted=is_encrypted) as (reader, room, root):
        before = await courier.send(post_in(room, "Before.", root=root))
        post = post_in(room, "Once.", "key-2", root=root, position=1)
        apply(scene.between, fault)
        with pytest.raises(OutcomeUnknown):
            await courier.send(post)
        found = await scene.new_courier().read_back(post, before.message)
        assert (found is not None) == (fault in TOOK_EFFECT)
        receipt = found or await courier.send(post)
        assert await courier.send(post) == receipt
        shown = (await reader.shown(room, root))[1:]
        assert [(each.event_id, each.body) for each in shown][1:] == [(receipt.message, "Mira: Once.")]


@pytest.mark.parametrize("is_encrypted", [False, True])
async def test_a_post_that_is_sent_again_at_once_is_the_same_also_after_a_restart(scene: Scene, *, is_encrypted: bool) -> None:
    async with room_of(scene, is_encrypted=is_encrypted) as (reader, room, _):
        first = await scene.new_courier().send(post_in(room, "Once."))
        again = await (await scene.restart()).send(post_in(room, "Once."))
        assert first == again
        assert [each.body for each in await reader.shown(room)][1:] == ["Mira: Once."]


@pytest.mark.parametrize("is_encrypted", [False, True])
async def test_another_device_finds_what_the_one_before_it_sent(scene: Scene, *, is_encrypted: bool) -> None:
    async with room_of(scene, is_encrypted=is_encrypted) as (reader, room, root):
        courier = scene.new_courier()
        before = await courier.send(post_in(room, "Before.", root=root))
        post = post_in(room, "Once.", "key-2", root=root, position=1)
        sent = await courier.send(post)
        courier = await scene.restart(scene.homeserver.log_in(scene.login))
        assert await courier.read_back(post, before.message) == sent
        assert await courier.read_back(post_in(room, "Once.", "key-2"), None) is None, "not in the room itself"
        after = await courier.send(post_in(room, "After.", "key-3", root=root, position=2))
        assert await courier.send(post) == sent
        shown = (await reader.shown(room, root))[1:]
        assert [each.body for each in shown] == ["Mira: Before.", "Mira: Once.", "Mira: After."]
        assert shown[-1].event_id == after.message


async def test_a_post_that_was_taken_away_is_not_found(scene: Scene, courier: MatrixCourier, room: str) -> None:
    post = post_in(room, "Once.")
    sent = await courier.send(post)
    assert await scene.new_courier().read_back(post, None) == sent
    await scene.tobias.redact(room, sent.message)
    assert await scene.new_courier().read_back(post, None) is None


async def test_nobody_elses_event_is_taken_for_a_post(scene: Scene, courier: MatrixCourier, room: str) -> None:
    sent = await courier.send(post_in(room, "Once."))
    [content] = [event["content"] for event in await scene.sent(room)]
    await scene.tobias.redact(room, sent.message)
    await scene.tobias.send(room, "m.room.message", {**content, "msgtype": "m.text"})
    for strange in ("text", ["x"], {"rel_type": 7}):
        await scene.tobias.send(room, "m.room.message", {**content, "m.relates_to": strange})
    assert await scene.new_courier().read_back(post_in(room, "Once."), None) is None


async def test_reading_back_costs_one_request_however_much_others_say(scene: Scene, courier: MatrixCourier, room: str) -> None:
    before = await courier.send(post_in(room, "Before."))
    post = post_in(room, "Once.", "key-2")
    sent = await courier.send(post)
    await asyncio.gather(*(scene.tobias.say(room, f"{at}") for at in range(120)))
    asked = len(scene.between.asked)
    assert await scene.new_courier().read_back(post, before.message) == sent
    assert len(scene.between.asked) == asked + 1


async def test_a_homeserver_that_asks_for_patience_is_left_alone_for_so_long(
    scene: Scene, courier: MatrixCourier, room: str
) -> None:
    scene.between.limit(SEND, 4562, times=1)
    with pytest.raises(TryLater) as patience:
        await courier.send(post_in(room, "Rain."))
    assert patience.value.seconds == 4.562
    scene.frozen.move(4)
    with pytest.raises(TryLater) as patience:
        await courier.send(post_in(room, "Rain."))
    assert patience.value.seconds == pytest.approx(0.562)
    assert scene.between.count(SEND) == 1
    scene.frozen.move(0.562)
    await courier.send(post_in(room, "Rain."))
    assert await scene.bodies(room) == ["Mira: Rain."]


async def test_a_homeserver_that_is_away_is_tried_later(scene: Scene, courier: MatrixCourier, room: str) -> None:
    address = scene.client.homeserver
    scene.client.homeserver = "http://127.0.0.1:9"
    with pytest.raises(TryLater) as patience:
        await courier.send(post_in(room, "Rain."))
    assert patience.value.seconds == 5
    scene.client.homeserver = address
    await courier.send(post_in(room, "Rain."))


async def test_a_lost_login_loses_no_post(scene: Scene, courier: MatrixCourier, room: str) -> None:
    scene.between.forget_token()
    for act in (courier.send(post_in(room, "Rain.")), courier.read_back(post_in(room, "Rain."), None)):
        with pytest.raises(TryLater) as patience:
            await act
        assert patience.value.seconds == 60
    scene.between.know_token()
    await courier.send(post_in(room, "Rain."))


async def test_a_connection_that_is_closed_under_a_post_raises_what_couriers_raise(
    scene: Scene, courier: MatrixCourier, room: str
) -> None:
    assert room
    async with sealed_person(scene) as aled:
        sealed = await scene.room(aled, encrypted=True)
        held = scene.between.hold("/keys/query")
        sending = asyncio.create_task(courier.send(post_in(sealed, "Rain.")))
        await scene.between.until_asked("/keys/query")
        await scene.close()
        held.end()
        scene.between.release()
        with pytest.raises(TryLater):
            await sending
        assert scene.between.count(SEND) == 0
        await (await scene.restart()).send(post_in(sealed, "Rain."))
        assert [each.body for each in await aled.shown(sealed)] == ["Mira: Rain."]


async def tried(
    scene: Scene, courier: MatrixCourier, post: OutboundPost, last: MessageId | None, uncertain: set[PostKey]
) -> MessageId | None:
    """As the deliverer brings a post: what is uncertain is read back before it is sent. None: it is to be tried again."""
    try:
        found = await courier.read_back(post, last) if post.key in uncertain else None
        receipt = found or await courier.send(post)
    except TryLater as patience:
        scene.frozen.move(patience.seconds)
        return None
    except OutcomeUnknown:
        uncertain.add(post.key)
        return None
    return receipt.message


def maybe_killed(scene: Scene, courier: MatrixCourier) -> MatrixCourier:
    """Now and then it is killed, and started again: all that it remembered is lost."""
    return scene.new_courier() if len(scene.between.asked) % 4 == 0 else courier


@pytest.mark.parametrize(("seed", "is_encrypted"), [(1, False), (2, True), (3, True)])
async def test_whatever_breaks_every_post_stands_once_and_in_order(scene: Scene, seed: int, *, is_encrypted: bool) -> None:
    uncertain: set[PostKey] = set()
    async with room_of(scene, is_encrypted=is_encrypted) as (reader, room, root):
        courier, last = scene.new_courier(), None
        posts = [
            post_in(room, f"Post {at}.", f"key-{at}", root=root, position=at, speaker=MACHINERY if at % 5 == 4 else MIRA)
            for at in range(16)
        ]
        scene.between.storm(seed, 0.3, ("/send/", "/messages", "/keys/", "/sendToDevice/", "/joined_members"), STORM)
        for post in posts:
            while (message := await tried(scene, courier, post, last, uncertain)) is None:
                courier = maybe_killed(scene, courier)
            last = message
        scene.between.calm()
        shown = [each.body.removeprefix("Mira: ") for each in (await reader.shown(room, root))[1:]]
        assert shown == [post.text for post in posts], f"seed {seed}"
        assert len(await scene.sent(room, reader)) == 16


@pytest.mark.parametrize("is_encrypted", [False, True])
async def test_whatever_breaks_a_whole_set_is_replaced_in_place(scene: Scene, *, is_encrypted: bool) -> None:
    async with room_of(scene, is_encrypted=is_encrypted) as (reader, room, root):
        courier = scene.new_courier()
        sent = [
            (await courier.send(post_in(room, f"Old {at}.", f"old-{at}", root=root, position=at))).message for at in range(6)
        ]
        scene.between.storm(5, 0.4, ("/send/", "/event/"), STORM)
        for at, message in enumerate(sent):
            while not await changed(scene, courier, message, post_in(room, f"New {at}.", f"new-{at}", root=root, position=at)):
                courier = scene.new_courier()
        scene.between.calm()
        shown = (await reader.shown(room, root))[1:]
        assert [(each.event_id, each.body) for each in shown] == [(sent[at], f"Mira: New {at}.") for at in range(6)]


async def changed(scene: Scene, courier: MatrixCourier, message: MessageId, post: OutboundPost) -> bool:
    try:
        await courier.edit(message, post)
    except TryLater as patience:
        scene.frozen.move(patience.seconds)
        return False
    except CourierError:
        return False
    return True


@pytest.mark.slow
async def test_a_post_is_found_more_than_a_day_after_it_was_sent(tmp_path: Path) -> None:
    with running() as homeserver:
        async with scene_on(homeserver, tmp_path) as scene:
            courier, room = scene.new_courier(), await scene.room()
            post = post_in(room, "Once.")
            scene.between.cut(SEND, Cut.AFTER, times=1)
            with pytest.raises(OutcomeUnknown):
                await courier.send(post)
            await asyncio.to_thread(a_day_passes, homeserver.folder / "homeserver.db", homeserver.stop, homeserver.start)
            assert await courier.read_back(post, None) is not None
            assert (await courier.send(post)).message == (await scene.tobias.shown(room))[0].event_id
            assert await scene.bodies(room) == ["Mira: Once."]
            again = await scene.new_courier().send(post)
            assert again.message != (await scene.tobias.shown(room))[0].event_id, "the homeserver has forgotten the id"


def a_day_passes(database: Path, stop: object, start: object) -> None:
    """What Synapse forgets of transactions after 24 hours."""
    stop()  # type: ignore[operator]  # a method of the homeserver
    with sqlite3.connect(database) as connection:
        connection.execute("delete from event_txn_id_device_id")
    connection.close()
    start()  # type: ignore[operator]  # likewise


def apply(between: Between, fault: Fault) -> None:
    if isinstance(fault, Cut):
        between.cut(SEND, fault, times=1)
    else:
        between.answer(SEND, fault, times=1)  # type: ignore[arg-type]  # an answer
