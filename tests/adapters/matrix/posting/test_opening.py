"""Threads for new stories: one for each key, below a message that says what it is."""

import pytest

from adapters.matrix.posting.courier import MatrixCourier
from adapters.matrix.posting.opening import first_words
from adapters.matrix.words import place_of, root_of
from bot.errors import OutcomeUnknown, PostRefused
from tests.adapters.matrix.posting.scene import SEND, Scene, post_in, sealed_person
from tests.homeserver.faults import Cut

TITLE = "The light  on\nthe point"


async def test_a_story_opens_below_a_message_with_its_title_and_text(scene: Scene, courier: MatrixCourier, room: str) -> None:
    place = await courier.open_with(place_of(room), TITLE, "key", "**Mira** keeps the light.")
    [root] = await scene.tobias.shown(room)
    assert place == place_of(room, root.event_id)
    assert (root.msgtype, root.body) == ("m.notice", "**The light on the point**\n\n**Mira** keeps the light.")
    await courier.send(post_in(room, "It begins.", root=root_of(place)))
    assert (await scene.bodies(room, root.event_id))[1:] == ["Mira: It begins."]


async def test_one_key_opens_one_thread_whatever_happens(scene: Scene, courier: MatrixCourier, room: str) -> None:
    scene.between.cut(SEND, Cut.AFTER, times=1)
    with pytest.raises(OutcomeUnknown):
        await courier.open(place_of(room), TITLE, "key")
    opened = {await each.open(place_of(room), TITLE, "key") for each in (courier, courier, scene.new_courier())}
    assert len(opened) == 1
    assert await courier.open(place_of(room), TITLE, "other key") not in opened
    assert len(await scene.bodies(room)) == 2


async def test_beside_a_thread_is_in_its_room(scene: Scene, courier: MatrixCourier, room: str) -> None:
    first = await courier.open(place_of(room), TITLE, "key")
    second = await courier.open(first, "What Mira did", "key-2")
    assert await scene.bodies(room) == ["**The light on the point**", "**What Mira did**"]
    assert first != second


async def test_no_story_begins_with_a_text_in_another_ones_thread(courier: MatrixCourier, room: str) -> None:
    with pytest.raises(PostRefused, match="in the room itself"):
        await courier.open_with(place_of(room, "$root"), TITLE, "key", "text")


async def test_a_thread_opens_in_an_encrypted_room(scene: Scene, courier: MatrixCourier) -> None:
    async with sealed_person(scene) as aled:
        room = await scene.room(aled, encrypted=True)
        place = await courier.open(place_of(room), TITLE, "key")
        await courier.send(post_in(room, "It begins.", root=root_of(place)))
        shown = await aled.shown(room, root_of(place))
        assert [each.body for each in shown] == ["**The light on the point**", "Mira: It begins."]


@pytest.mark.parametrize(
    ("title", "body", "said"),
    [
        ("", "", "**A story**"),
        (" \n ", " text ", "**A story**\n\ntext"),
        ("x" * 150, "", f"**{'x' * 100}**"),
        ("t", "y" * 2500, f"**t**\n\n{'y' * 1999}…"),
    ],
)
def test_what_is_too_long_or_missing_is_cut_or_filled_in(title: str, body: str, said: str) -> None:
    assert first_words(title, body) == said
