"""One ordered way out: order, turns, signs, stuck calls, and what a refusal means for the room."""

import asyncio

import pytest

from adapters.matrix.line import Line
from adapters.matrix.posting.content import message
from adapters.matrix.posting.courier import MatrixCourier
from adapters.matrix.posting.sending import MESSAGE, transaction_of
from adapters.matrix.rooms import Rooms
from adapters.matrix.words import place_of
from bot.errors import ChannelGone, PostRefused, TryLater
from bot.ids import MessageId
from tests.adapters.matrix.posting.scene import MACHINERY, SEND, Scene, post_in
from tests.fakes.store import MemoryStore


async def test_what_is_asked_for_at_once_goes_out_in_the_order_of_asking(
    scene: Scene, courier: MatrixCourier, room: str
) -> None:
    other = await scene.room()
    scene.between.slow(SEND, 0.05, times=2)
    posts = [post_in((room, other)[at % 2], f"{at}", f"key-{at}") for at in range(8)]
    await asyncio.gather(*(courier.send(post) for post in posts))
    asked = [each for each in scene.between.asked if SEND in each.line]
    assert len(asked) == 8
    assert [each.status for each in asked] == [200] * 8
    assert await scene.bodies(room) == [f"Mira: {at}" for at in range(0, 8, 2)]
    assert await scene.bodies(other) == [f"Mira: {at}" for at in range(1, 8, 2)]


async def test_one_post_that_is_asked_for_twice_at_once_is_sent_once(scene: Scene, courier: MatrixCourier, room: str) -> None:
    first, second = await asyncio.gather(*(courier.send(post_in(room, "Once.")) for _ in range(2)))
    assert first == second
    assert scene.between.count(SEND) == 1


async def test_a_sent_post_is_not_asked_for_again_even_while_nothing_may_be_sent(
    scene: Scene, courier: MatrixCourier, room: str
) -> None:
    receipt = await courier.send(post_in(room, "Once."))
    scene.between.limit(SEND, 9000)
    with pytest.raises(TryLater):
        await courier.send(post_in(room, "Twice.", "key-2"))
    assert await courier.send(post_in(room, "Once.")) == receipt


async def test_places_that_wait_take_turns(scene: Scene, courier: MatrixCourier, room: str) -> None:
    other = await scene.room()
    scene.between.limit(SEND, 4000, times=1)
    waits = []
    for where, text in ((room, "One."), (other, "Two."), (room, "One.")):
        with pytest.raises(TryLater) as patience:
            await courier.send(post_in(where, text, text))
        waits.append(patience.value.seconds)
    assert waits == pytest.approx([4, 8, 4])
    scene.frozen.move(4)
    await courier.send(post_in(room, "One.", "One."))
    with pytest.raises(TryLater) as patience:
        await courier.send(post_in(room, "Three.", "Three."))
    assert patience.value.seconds == pytest.approx(8), "the other room waits longer"
    scene.frozen.move(4)
    await courier.send(post_in(other, "Two.", "Two."))
    assert scene.between.count(SEND) == 3


async def test_a_place_that_never_comes_back_holds_up_the_others_for_a_moment_only(
    scene: Scene, courier: MatrixCourier, room: str
) -> None:
    other = await scene.room()
    scene.between.limit(SEND, 4000, times=1)
    with pytest.raises(TryLater):
        await courier.send(post_in(room, "One."))
    scene.frozen.move(8)
    await courier.send(post_in(other, "Two."))


async def test_a_sign_goes_out_only_with_room_to_spare(scene: Scene, courier: MatrixCourier, room: str) -> None:
    place = place_of(room)
    for at in range(7):
        await courier.send(post_in(room, f"{at}", f"key-{at}"))
    with pytest.raises(TryLater) as patience:
        await courier.sending.send(place, MESSAGE, message("sign"), "sign", is_sign=True)
    assert patience.value.seconds == courier.sending.seconds_to_spare() > 0
    await courier.send(post_in(room, "7", "key-7"))
    scene.frozen.move(20)
    await courier.sending.send(place, MESSAGE, message("sign"), "sign", is_sign=True)
    assert (await scene.bodies(room))[-1] == "sign"


async def test_a_stuck_call_ends_and_the_next_one_goes_on(
    scene: Scene, courier: MatrixCourier, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.matrix.errors.PATIENCE", 0.2)
    held = scene.between.hold(SEND, times=1)
    stuck, following = (asyncio.create_task(courier.send(post_in(room, text, text))) for text in ("Stuck.", "Next."))
    with pytest.raises(Exception, match="did not answer"):
        await stuck
    await following
    held.end()
    assert await scene.bodies(room) == ["Mira: Next."]


async def test_a_bot_that_was_kicked_is_told_that_the_place_is_gone(scene: Scene, courier: MatrixCourier, room: str) -> None:
    message_id = (await courier.send(post_in(room, "Before."))).message
    await scene.tobias.kick(room, scene.login.user_id)
    for act in (
        courier.send(post_in(room, "After.", "key-2")),
        courier.delete(place_of(room), message_id),
        courier.open(place_of(room), "A story", "key"),
    ):
        with pytest.raises(ChannelGone, match="invite me again"):
            await act
    scene.rooms.left(room)
    asked = len(scene.between.asked)
    with pytest.raises(ChannelGone):
        await courier.send(post_in(room, "After.", "key-2"))
    assert len(scene.between.asked) == asked


async def test_a_room_that_nobody_knows_is_gone(scene: Scene, courier: MatrixCourier) -> None:
    await scene.rooms.tell("!nothing:matrix.test", [])
    with pytest.raises(ChannelGone):
        await courier.send(post_in("!nothing:matrix.test", "Rain."))


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_bot_without_the_power_says_which_it_takes(
    scene: Scene, courier: MatrixCourier, room: str, *, is_known: bool
) -> None:
    sent = (await courier.send(post_in(room, "Before."))).message
    await scene.tobias.set_power(room, events_default=50)
    if is_known:
        await scene.sync()
    with pytest.raises(PostRefused) as refused:
        await courier.send(post_in(room, "After.", "key-2"))
    with pytest.raises(PostRefused) as not_away:
        await courier.delete(place_of(room), sent)
    if is_known:
        assert str(refused.value) == (
            "I cannot post here: that takes power level 50, and mine is 0; ask an administrator of the room to raise it."
        )
        assert "I cannot take a message away here: that takes power level 50" in str(not_away.value)
    else:
        assert "the homeserver says" in str(refused.value)
    await scene.tobias.redact(room, sent)
    await courier.delete(place_of(room), sent)


async def test_what_is_too_large_for_the_homeserver_is_refused(scene: Scene, courier: MatrixCourier, room: str) -> None:
    with pytest.raises(PostRefused, match="larger than the homeserver takes"):
        await courier.sending.send(place_of(room), MESSAGE, {"msgtype": "m.text", "body": "x" * 66_000}, "key")
    with pytest.raises(PostRefused, match="40,000 bytes"):
        await courier.send(post_in(room, "x" * 66_000))
    assert scene.between.count(SEND) == 1


async def test_a_thread_whose_root_is_unknown_is_refused_with_the_homeservers_words(courier: MatrixCourier, room: str) -> None:
    with pytest.raises(PostRefused, match="unknown event"):
        await courier.send(post_in(room, "Rain.", root="$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))


async def test_looking_is_not_held_up_by_what_is_being_sent(scene: Scene, courier: MatrixCourier, room: str) -> None:
    held = scene.between.hold(SEND, times=1)
    sending = asyncio.create_task(courier.send(post_in(room, "Slow.")))
    await scene.between.until_asked(SEND)
    assert await courier.read_back(post_in(room, "Other.", "key-2"), None) is None
    with pytest.raises(PostRefused):
        await courier.edit(MessageId("$nothing"), post_in(room, "Other.", "key-2"))
    held.end()
    scene.between.release()
    await sending


def test_a_key_is_another_transaction_in_another_place_and_for_another_act() -> None:
    here, thread = place_of("!room"), place_of("!room", "$root")
    ids = {transaction_of(here, "key"), transaction_of(thread, "key"), transaction_of(here, "edit", "key")}
    assert len(ids) == 3
    assert all(len(each) == 32 and int(each, 16) >= 0 for each in ids)


async def test_before_there_is_a_connection_no_room_counts_as_left(scene: Scene, room: str) -> None:
    # Its own, and no room is known yet: so it stands at a start, until the first sync.
    courier = MatrixCourier(Line(), Rooms(MemoryStore()), scene.settings, scene.clock, scene.face_of, scene.shown)
    scene.couriers.append(courier)
    notice, standing = post_in(room, "Hello.", speaker=MACHINERY, position=None), MessageId("$standing")
    for call in (
        courier.send(notice),
        courier.send(post_in(room, "Hello.")),
        courier.edit(standing, post_in(room, "Hello.")),
        courier.delete(place_of(room), standing),
        courier.read_back(notice, None),
    ):
        with pytest.raises(TryLater):
            await call
