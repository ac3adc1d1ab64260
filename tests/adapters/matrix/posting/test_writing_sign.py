"""Typing shows as long as somebody writes, is renewed seldom, and is off when they rest."""

from adapters.matrix.posting.courier import MatrixCourier
from adapters.matrix.posting.writing_sign import BELIEVED, EVERY
from adapters.matrix.words import place_of
from bot.posts import Draft
from tests.adapters.matrix.posting.scene import MIRA, Scene, until_it_rests

TYPING = "PUT /rooms/{}/typing/{}"
WRITES = Draft(3, MIRA, "Half a", 0)
WAITS = Draft(3, MIRA, "", 0, "Waiting for the model: next in line.")


async def test_typing_shows_while_a_character_writes_and_is_off_when_it_rests(
    scene: Scene, courier: MatrixCourier, room: str
) -> None:
    await courier.writing(place_of(room), WRITES)
    await scene.between.until_asked(TYPING)
    assert await scene.tobias.until(lambda: scene.tobias.typing(room)) == [scene.login.user_id]
    await courier.resting(place_of(room), 3)
    await courier.writing_signs.settled(place_of(room))
    assert await scene.tobias.typing(room) == []
    assert scene.between.count(TYPING) == 2


async def test_a_long_reply_renews_it_seldom_however_often_it_grows(scene: Scene, courier: MatrixCourier, room: str) -> None:
    for _ in range(61):
        for _ in range(3):
            await courier.writing(place_of(room), WRITES)
        await until_it_rests(scene.frozen)
        scene.frozen.move(1)
    assert scene.between.count(TYPING) == 4
    await courier.resting(place_of(room), 3)
    await courier.writing_signs.settled(place_of(room))


async def test_a_room_types_until_the_last_of_its_threads_rests(scene: Scene, courier: MatrixCourier, room: str) -> None:
    for root in ("$one", "$two"):
        await courier.writing(place_of(room, root), WRITES)
    await scene.between.until_asked(TYPING)
    await courier.resting(place_of(room, "$one"), 3)
    await scene.tobias.until(lambda: scene.tobias.typing(room))
    await courier.resting(place_of(room, "$two"), 3)
    await courier.writing_signs.settled(place_of(room))
    assert await scene.tobias.typing(room) == []
    assert scene.between.count(TYPING) == 2


async def test_whoever_is_never_heard_of_again_stops_typing(scene: Scene, courier: MatrixCourier, room: str) -> None:
    await courier.writing(place_of(room), WRITES)
    await scene.between.until_asked(TYPING)
    end = scene.frozen.ticks() + BELIEVED
    while scene.frozen.ticks() < end:
        asked = scene.between.count(TYPING)
        await until_it_rests(scene.frozen)
        scene.frozen.move(EVERY)
        await scene.between.until_asked(TYPING, asked + 1)
    await courier.writing_signs.settled(place_of(room))
    assert await scene.tobias.typing(room) == []


async def test_who_waits_in_line_does_not_type(scene: Scene, courier: MatrixCourier, room: str) -> None:
    await courier.writing(place_of(room), WAITS)
    await courier.resting(place_of(room), 3)
    await courier.writing_signs.settled(place_of(room))
    assert scene.between.count(TYPING) == 0


async def test_a_homeserver_in_trouble_harms_nobody(scene: Scene, courier: MatrixCourier, room: str) -> None:
    scene.between.fail(TYPING, 502)
    await courier.writing(place_of(room), WRITES)
    await courier.resting(place_of(room), 3)
    await courier.writing_signs.settled(place_of(room))
    client = scene.client
    scene.line.close()
    await courier.writing(place_of(room), WRITES)
    await courier.resting(place_of(room), 3)
    await courier.writing_signs.settled(place_of(room))
    scene.line.open(client)
