"""The line of a reply that waits: late, changed seldom, only with room to spare, and never left over."""

import pytest

from adapters.matrix.posting.courier import MatrixCourier
from adapters.matrix.posting.waiting_line import AFTER, BELIEVED, CHANGED_EVERY
from adapters.matrix.words import place_of
from bot.posts import Draft
from tests.adapters.matrix.posting.scene import MIRA, SEND, Scene, post_in, sealed_person, until_it_rests
from tests.homeserver.faults import Cut

MESSAGE = "/send/m.room.message"


def waits(sentence: str = "Waiting for the model: next in line.") -> Draft:
    return Draft(3, MIRA, "", 0, sentence)


WRITES = Draft(3, MIRA, "Half a", 0)


async def passes(scene: Scene, seconds: float) -> None:
    """Time passes once everybody who waits for it does so."""
    await until_it_rests(scene.frozen)
    scene.frozen.move(seconds)


async def shown(scene: Scene, room: str, line: str, root: str | None = None) -> None:
    """Until this line stands last."""
    await scene.tobias.until_shown(room, lambda there: there and there[-1].body == line, root)


async def test_a_line_comes_late_says_what_is_so_and_goes(scene: Scene, courier: MatrixCourier, room: str) -> None:
    root = await scene.tobias.say(room, "Once upon a time")
    place = place_of(room, root)
    await courier.writing(place, waits("Number 3."))
    await passes(scene, AFTER - 1)
    await courier.writing(place, waits("Number 2."))
    await passes(scene, 1)
    await shown(scene, room, "⏳ Number 2.", root)
    await courier.writing(place, waits("Number 1."))
    await passes(scene, CHANGED_EVERY - 1)
    assert scene.between.count(MESSAGE) == 1
    await passes(scene, 1)
    await shown(scene, room, "⏳ Number 1.", root)
    [_, line] = await scene.tobias.shown(room, root)
    assert (line.msgtype, line.edited) == ("m.notice", True)
    await courier.writing(place, WRITES)
    await courier.waiting_lines.settled(place)
    assert await scene.bodies(room, root) == ["Once upon a time"]
    await courier.resting(place, 3)


async def test_a_short_wait_says_nothing(scene: Scene, courier: MatrixCourier, room: str) -> None:
    place = place_of(room)
    await courier.writing(place, waits())
    await passes(scene, AFTER - 1)
    await courier.writing(place, WRITES)
    await courier.waiting_lines.settled(place)
    scene.frozen.move(60)
    await courier.resting(place, 3)
    await courier.waiting_lines.settled(place)
    assert scene.between.count(SEND) == 0


async def test_a_new_wait_begins_anew(scene: Scene, courier: MatrixCourier, room: str) -> None:
    place = place_of(room)
    await courier.writing(place, waits())
    await passes(scene, AFTER - 1)
    await courier.writing(place, WRITES)
    await courier.writing(place, waits())
    await passes(scene, AFTER - 1)
    assert scene.between.count(SEND) == 0
    await passes(scene, 1)
    await shown(scene, room, "⏳ Waiting for the model: next in line.")
    await courier.resting(place, 3)
    await courier.waiting_lines.settled(place)
    assert await scene.bodies(room) == []


async def test_a_line_waits_for_room_to_spare(scene: Scene, courier: MatrixCourier, room: str) -> None:
    for at in range(10):
        await courier.send(post_in(room, f"{at}", f"key-{at}"))
    await courier.writing(place_of(room), waits())
    await passes(scene, AFTER)
    await until_it_rests(scene.frozen)
    assert scene.between.count(SEND) == 10, "there is room for posts only"
    await passes(scene, 10)
    await shown(scene, room, "⏳ Waiting for the model: next in line.")
    await courier.resting(place_of(room), 3)
    await passes(scene, 60)
    await courier.waiting_lines.settled(place_of(room))
    assert (await scene.bodies(room))[-1] == "Mira: 9"


async def test_a_wait_of_which_nothing_more_is_heard_is_over(scene: Scene, courier: MatrixCourier, room: str) -> None:
    await courier.writing(place_of(room), waits())
    await passes(scene, AFTER)
    await shown(scene, room, "⏳ Waiting for the model: next in line.")
    await passes(scene, BELIEVED)
    await courier.waiting_lines.settled(place_of(room))
    assert await scene.bodies(room) == []


async def test_a_line_goes_when_the_courier_closes(scene: Scene, courier: MatrixCourier, room: str) -> None:
    await courier.writing(place_of(room), waits())
    await passes(scene, AFTER)
    await shown(scene, room, "⏳ Waiting for the model: next in line.")
    await courier.close()
    assert await scene.bodies(room) == []


async def test_a_line_that_a_killed_run_left_goes_after_the_next_reply_also_encrypted(scene: Scene) -> None:
    async with sealed_person(scene) as aled:
        for owner, is_encrypted in ((scene.tobias, False), (aled, True)):
            room = await scene.room(owner, encrypted=is_encrypted)
            killed, place = scene.new_courier(), place_of(room)
            await killed.writing(place, waits())
            await passes(scene, AFTER)
            await owner.until_shown(room, lambda there: there and there[-1].body.startswith("⏳"))
            killed.waiting_lines._lines.clear()
            after = scene.new_courier()
            await after.send(post_in(room, "A reply.", "key-9"))
            await after.resting(place, 3)
            await after.waiting_lines.settled(place)
            assert [each.body for each in await owner.shown(room)] == ["Mira: A reply."]
            asked = len(scene.between.asked)
            await after.resting(place, 3)
            await after.waiting_lines.settled(place)
            assert len(scene.between.asked) == asked, "a place is tidied once"


@pytest.mark.parametrize("when", [Cut.AFTER, Cut.BEFORE])
async def test_a_line_whose_answer_is_lost_stands_once_and_goes(
    scene: Scene, courier: MatrixCourier, room: str, when: Cut
) -> None:
    scene.between.cut(MESSAGE, when, times=1)
    await courier.writing(place_of(room), waits())
    await passes(scene, AFTER)
    await passes(scene, 1)
    await shown(scene, room, "⏳ Waiting for the model: next in line.")
    assert len(await scene.bodies(room)) == 1
    await courier.resting(place_of(room), 3)
    await courier.waiting_lines.settled(place_of(room))
    assert await scene.bodies(room) == []


async def test_a_line_that_may_not_be_shown_is_let_be(scene: Scene, courier: MatrixCourier, room: str) -> None:
    await scene.tobias.set_power(room, events_default=50)
    await courier.writing(place_of(room), waits())
    await passes(scene, AFTER)
    await scene.between.until_asked(MESSAGE)
    await courier.resting(place_of(room), 3)
    await courier.waiting_lines.settled(place_of(room))
    assert scene.between.count(MESSAGE) == 1
    await courier.writing(place_of("!nothing:matrix.test"), waits())
    await courier.resting(place_of("!nothing:matrix.test"), 3)
    await courier.waiting_lines.settled(place_of("!nothing:matrix.test"))
