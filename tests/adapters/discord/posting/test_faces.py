"""Faces: uploaded once, found again after a restart, never in the way of a post."""

import asyncio
import io

import pytest
from PIL import Image

from adapters.discord.posting import faces
from adapters.discord.posting.courier import DiscordCourier
from adapters.discord.posting.faces import SIDE, BadPicture, emoji_name, small_face
from tests.adapters.discord.posting.courier_scene import CourierScene, post_in

UPLOAD = "POST /applications/*/emojis"


def picture(size: tuple[int, int] = (300, 500), kind: str = "PNG", colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


def banded() -> bytes:
    """An upright picture: red above, blue below."""
    image = Image.new("RGB", (200, 400), "blue")
    image.paste((255, 0, 0), (0, 0, 200, 200))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_face_is_a_small_square_png(kind: str) -> None:
    small = small_face(picture(kind=kind))
    with Image.open(io.BytesIO(small)) as image:
        assert (image.format, image.size) == ("PNG", (SIDE, SIDE))
    assert len(small) <= 256 * 1024


def test_noise_as_well_stays_under_discords_limit() -> None:
    out = io.BytesIO()
    Image.effect_noise((512, 512), 200).save(out, "PNG")
    assert len(small_face(out.getvalue())) <= 256 * 1024


def test_an_upright_picture_is_cut_near_its_top() -> None:
    with Image.open(io.BytesIO(small_face(banded()))) as image:
        top, low = image.convert("RGB").getpixel((64, 5)), image.convert("RGB").getpixel((64, 70))
    assert top == low == (255, 0, 0)


def misdescribed() -> bytes:
    """A whole picture whose description of itself is nonsense: a text stands where numbers belong."""
    described = Image.Exif()
    described[0x0112], described[0x010E] = 6, "abc"
    out = io.BytesIO()
    Image.new("RGB", (30, 50), "red").save(out, "JPEG", exif=described)
    return out.getvalue().replace(b"\x01\x0e\x00\x02", b"\x01\x01\x00\x02")


@pytest.mark.parametrize(
    "bad",
    [
        b"no picture",
        picture()[:200],
        picture(kind="GIF"),
        picture((9000, 9000)),
        b"\x89PNG\r\n\x1a\n" + bytes(faces.MOST_BYTES),
        misdescribed(),
    ],
    ids=["text", "half", "kind", "pixels", "bytes", "description"],
)
def test_a_bad_picture_is_told_from_a_good_one(bad: bytes) -> None:
    with pytest.raises(BadPicture):
        small_face(bad)


async def test_a_face_is_uploaded_once_and_every_post_bears_its_address(scene: CourierScene, courier: DiscordCourier) -> None:
    scene.faces["Mira"] = picture()
    for at in range(3):
        await courier.send(post_in(scene.text, f"Rain {at}.", f"key-{at}"))
        scene.clock.move(faces.KEPT + 1)
    await scene.new_courier().send(post_in(scene.text, "After a restart.", "late"))

    emojis = list(scene.loopback.world.emojis.values())
    assert [each.name for each in emojis] == [emoji_name(scene.faces["Mira"])]
    shown = {each.avatar_url for each in scene.loopback.messages(scene.text)}
    assert shown == {f"https://cdn.discordapp.com/emojis/{emojis[0].id}.png"}
    assert len(scene.loopback.messages(scene.text)) == 4
    assert len(scene.loopback.asked("POST", "/emojis")) == 1


async def test_a_changed_picture_is_another_face_within_the_minute(scene: CourierScene, courier: DiscordCourier) -> None:
    scene.faces["Mira"] = picture()
    await courier.send(post_in(scene.text, "One."))
    scene.faces["Mira"] = picture(colour="green")
    await courier.send(post_in(scene.text, "Two.", "key-2"))
    assert scene.asked_for_faces == 1
    scene.clock.move(faces.KEPT)
    await courier.send(post_in(scene.text, "Three.", "key-3"))
    first, second, third = (each.avatar_url for each in scene.loopback.messages(scene.text))
    assert first == second != third


async def test_posts_of_one_face_at_the_same_time_upload_it_once(scene: CourierScene, courier: DiscordCourier) -> None:
    scene.faces["Mira"] = picture()
    threads = [await scene.thread(f"Story {at}") for at in range(4)]
    await asyncio.gather(*(courier.send(post_in(thread, "Rain.")) for thread in threads))
    assert len(scene.loopback.asked("POST", "/emojis")) == 1


@pytest.mark.parametrize("kind", ["429 without via", "cut after", "501 before"])
async def test_a_face_that_cannot_be_uploaded_stops_no_post_and_is_tried_again_later(
    scene: CourierScene, courier: DiscordCourier, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    scene.faces["Mira"] = picture()
    scene.loopback.faults.add(UPLOAD, kind)
    await courier.send(post_in(scene.text, "One."))
    scene.clock.move(faces.KEPT)
    await courier.send(post_in(scene.text, "Two.", "key-2"))
    assert [each.avatar_url for each in scene.loopback.messages(scene.text)] == [None, None]
    assert sum("a face could not be uploaded" in each.message for each in caplog.records) == 1

    scene.clock.move(faces.AFTER_FAILURE)
    await courier.send(post_in(scene.text, "Three.", "key-3"))
    assert scene.loopback.messages(scene.text)[-1].avatar_url is not None
    assert len(scene.loopback.world.emojis) == 1


async def test_failures_that_are_long_ago_are_not_remembered(scene: CourierScene, courier: DiscordCourier) -> None:
    for at in range(3):
        scene.faces["Mira"] = f"picture {at}, which is none".encode()
        await courier.send(post_in(scene.text, f"Rain {at}.", f"key-{at}"))
        scene.clock.move(faces.AFTER_FAILURE)
    assert len(courier.faces._failed) == 1


async def test_a_bad_picture_is_no_face_and_said_once(
    scene: CourierScene, courier: DiscordCourier, caplog: pytest.LogCaptureFixture
) -> None:
    scene.faces["Mira"] = b"no picture"
    for at in range(3):
        await courier.send(post_in(scene.text, f"Rain {at}.", f"key-{at}"))
        scene.clock.move(faces.KEPT)
    assert len(scene.loopback.messages(scene.text)) == 3
    assert sum("a face could not be uploaded" in each.message for each in caplog.records) == 1
