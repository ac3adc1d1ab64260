"""Answers to people: notices, files and signs, each once, in their thread, encrypted where the room is."""

import asyncio
from contextlib import suppress

import pytest

from adapters.matrix.posting.courier import MatrixCourier
from adapters.matrix.words import place_of
from bot.errors import ChannelGone, OutcomeUnknown, PostRefused, TryLater
from tests.adapters.matrix.posting.scene import SEND, Scene, sealed_person
from tests.homeserver.faults import Cut

UPLOAD = "/_matrix/media/v3/upload"


async def test_an_answer_is_a_notice_in_reply(scene: Scene, courier: MatrixCourier, room: str) -> None:
    asked = await scene.tobias.say(room, "!rp help")
    event = await courier.saying.notice(place_of(room), "There is **help**.", asked, key="k")
    shown = (await scene.tobias.shown(room))[-1]
    assert (shown.event_id, shown.msgtype, shown.body, shown.reply_to) == (event, "m.notice", "There is **help**.", asked)
    assert shown.formatted_body == "<p>There is <strong>help</strong>.</p>"
    assert shown.content["m.mentions"] == {}


async def test_an_answer_in_a_thread_stands_in_it(scene: Scene, courier: MatrixCourier, room: str) -> None:
    root = await scene.tobias.say(room, "Once upon a time")
    asked = await scene.tobias.say(room, "!rp help", thread=root)
    await courier.saying.notice(place_of(room, root), "There is help.", asked, key="k")
    await courier.saying.notice(place_of(room, root), "There is more.", key="l")
    [help_, more] = (await scene.tobias.shown(room, root))[2:]
    assert (help_.reply_to, more.reply_to) == (asked, None)


async def test_a_long_answer_comes_in_parts_each_once_whatever_happens(scene: Scene, courier: MatrixCourier, room: str) -> None:
    text = "\n\n".join(f"Paragraph {at}. " + "word " * 90 for at in range(20))
    scene.between.storm(7, 0.4, (SEND,))
    first = ""
    async with asyncio.timeout(10):
        while not first:
            with suppress(TryLater, OutcomeUnknown):
                first = await courier.saying.notice(place_of(room), text, key="k")
            scene.frozen.move(60)
    scene.between.calm()
    shown = await scene.tobias.shown(room)
    assert len(shown) > 2
    assert shown[0].event_id == first
    assert "".join(" ".join(each.body for each in shown).split()) == "".join(text.split())
    assert all(len(each.body) <= 3000 for each in shown)


async def test_nothing_is_no_answer(courier: MatrixCourier, room: str) -> None:
    with pytest.raises(PostRefused, match="nothing to say"):
        await courier.saying.notice(place_of(room), " \n ", key="k")


async def test_a_file_arrives_whole_with_its_caption_and_is_uploaded_once(
    scene: Scene, courier: MatrixCourier, room: str
) -> None:
    asked, data = await scene.tobias.say(room, "!rp export"), bytes(range(256)) * 40
    scene.between.cut(SEND, Cut.BEFORE, times=1)
    with pytest.raises(OutcomeUnknown):
        await courier.saying.file(place_of(room), "story.epub", "application/epub+zip", data, "Your *book*.", asked, key="k")
    event = await courier.saying.file(
        place_of(room), "story.epub", "application/epub+zip", data, "Your *book*.", asked, key="k"
    )
    [shown] = (await scene.tobias.shown(room))[1:]
    assert (shown.event_id, shown.msgtype, shown.body, shown.reply_to) == (event, "m.file", "Your *book*.", asked)
    assert (shown.content["filename"], shown.content["info"]) == (
        "story.epub",
        {"mimetype": "application/epub+zip", "size": len(data)},
    )
    assert await scene.tobias.open_file(shown.content) == data
    assert scene.between.count(UPLOAD) == 1


async def test_a_picture_is_sent_as_one_and_without_a_caption_bears_its_name(
    scene: Scene, courier: MatrixCourier, room: str
) -> None:
    await courier.saying.file(place_of(room), "face.png", "image/png", b"png", key="k")
    [shown] = await scene.tobias.shown(room)
    assert (shown.msgtype, shown.body) == ("m.image", "face.png")


async def test_a_file_is_encrypted_where_the_room_is(scene: Scene, courier: MatrixCourier) -> None:
    async with sealed_person(scene) as aled:
        room = await scene.room(aled, encrypted=True)
        await courier.saying.file(place_of(room), "story.txt", "text/plain", b"Once upon a time", "A story.", key="k")
        [shown] = await aled.shown(room)
        assert await aled.open_file(shown.content) == b"Once upon a time"
        assert await aled.download(shown.content["file"]["url"]) != b"Once upon a time"
        assert "url" not in shown.content


async def test_a_file_that_the_homeserver_does_not_take_is_refused(scene: Scene, courier: MatrixCourier, room: str) -> None:
    scene.between.fail(UPLOAD, 413)
    with pytest.raises(PostRefused, match="larger than the homeserver takes"):
        await courier.saying.file(place_of(room), "a", "text/plain", b"x", key="k")
    with pytest.raises(ChannelGone):
        await courier.saying.file(place_of("!nothing:matrix.test"), "a", "text/plain", b"x", key="k")


async def test_a_sign_beside_a_command_comes_and_goes(scene: Scene, courier: MatrixCourier, room: str) -> None:
    asked = await scene.tobias.say(room, "!rp help")
    for _ in range(2):
        sign = await courier.saying.react(place_of(room), asked, "👍", key="k")
    assert await scene.tobias.reactions(room, asked) == {"👍": [scene.login.user_id]}
    for _ in range(2):
        await courier.saying.take_away(place_of(room), sign, key="k")
    assert await scene.tobias.reactions(room, asked) == {}
