"""Faces: small, uploaded once each, kept over restarts, and never in the way of a post."""

import asyncio
import io
import json
import stat

import pytest
from PIL import Image

from adapters.matrix.posting import profiles
from adapters.matrix.posting.content import PROFILE
from adapters.matrix.posting.courier import MatrixCourier
from adapters.matrix.posting.profiles import AFTER_FAILURE, KEPT, BadPicture, small_face
from adapters.matrix.words import place_of
from bot.errors import StoreUnavailable
from bot.ids import Place
from bot.posts import Speaker, Voice
from tests.adapters.matrix.posting.scene import Scene, post_in
from tests.homeserver.faults import refusal

UPLOAD = "/_matrix/media/v3/upload"


def picture(width: int = 40, height: int = 60, colour: str = "red", kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, kind)
    return out.getvalue()


async def face_in(scene: Scene, room: str) -> str:
    """The face of the newest post."""
    return str((await scene.tobias.shown(room))[-1].content[PROFILE]["avatar_url"])


async def test_a_face_is_uploaded_once_for_all_posts_rooms_and_restarts(
    scene: Scene, courier: MatrixCourier, room: str
) -> None:
    scene.faces["Mira"] = picture()
    other = await scene.room()
    for at, (where, each) in enumerate(((room, courier), (other, courier), (room, scene.new_courier()))):
        await each.send(post_in(where, f"{at}", f"key-{at}"))
    addresses = {await face_in(scene, room), await face_in(scene, other)}
    assert len(addresses) == scene.between.count(UPLOAD) == 1
    shown = Image.open(io.BytesIO(await scene.tobias.download(addresses.pop())))
    assert (shown.format, shown.size) == ("PNG", (40, 40))


async def test_the_addresses_are_kept_where_nobody_else_reads_them(scene: Scene, courier: MatrixCourier, room: str) -> None:
    scene.faces["Mira"] = picture()
    await courier.send(post_in(room, "Rain."))
    kept = scene.settings.folder / "faces.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert list(json.loads(kept.read_text()).values()) == [await face_in(scene, room)]


@pytest.mark.parametrize("kept", ["", "[]", "{", '{"a": 7, "b": "https://evil/x"}'])
async def test_what_was_kept_and_cannot_be_read_is_uploaded_again(
    scene: Scene, courier: MatrixCourier, room: str, kept: str
) -> None:
    (scene.settings.folder / "faces.json").write_text(kept)
    scene.faces["Mira"] = picture()
    await courier.send(post_in(room, "Rain."))
    assert (await face_in(scene, room)).startswith("mxc://")


async def test_no_more_addresses_are_kept_than_are_useful(
    scene: Scene, courier: MatrixCourier, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiles, "REMEMBERED", 2)
    for at, colour in enumerate(("red", "green", "blue")):
        scene.faces[colour] = picture(colour=colour)
        await courier.send(post_in(room, "Rain.", f"key-{at}", speaker=Speaker(Voice.CHARACTER, colour)))
    assert len(json.loads((scene.settings.folder / "faces.json").read_text())) == 2


async def test_a_character_without_a_picture_bears_no_face_and_is_not_asked_for_with_each_post(
    scene: Scene, courier: MatrixCourier, room: str
) -> None:
    for at in range(3):
        await courier.send(post_in(room, f"{at}", f"key-{at}"))
    assert await face_in(scene, room) == ""
    assert scene.asked_for_faces == 1
    scene.faces["Mira"] = picture()
    scene.frozen.move(KEPT)
    await courier.send(post_in(room, "4", "key-4"))
    assert (await face_in(scene, room)).startswith("mxc://")


async def test_an_upload_that_fails_leaves_the_post_without_a_face_and_is_tried_again_later(
    scene: Scene, courier: MatrixCourier, room: str
) -> None:
    scene.faces["Mira"] = picture()
    scene.between.answer(UPLOAD, refusal(403, "M_FORBIDDEN", "no"), times=1)
    for at in range(2):
        await courier.send(post_in(room, f"{at}", f"key-{at}"))
        assert await face_in(scene, room) == ""
    assert scene.between.count(UPLOAD) == 1
    scene.frozen.move(AFTER_FAILURE)
    await courier.send(post_in(room, "2", "key-2"))
    assert (await face_in(scene, room)).startswith("mxc://")


async def test_a_slow_upload_goes_on_while_the_post_goes_without(
    scene: Scene, courier: MatrixCourier, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiles, "POST_PATIENCE", 0.05)
    scene.faces["Mira"] = picture()
    held = scene.between.hold(UPLOAD, times=1)
    await courier.send(post_in(room, "One."))
    assert await face_in(scene, room) == ""
    held.end()
    scene.between.release()
    monkeypatch.setattr(profiles, "POST_PATIENCE", 10)
    await courier.send(post_in(room, "Two.", "key-2"))
    assert (await face_in(scene, room)).startswith("mxc://")
    assert scene.between.count(UPLOAD) == 1


async def test_two_posts_at_once_upload_a_face_once(scene: Scene, courier: MatrixCourier, room: str) -> None:
    scene.faces["Mira"] = picture()
    await asyncio.gather(*(courier.send(post_in(room, f"{at}", f"key-{at}")) for at in range(2)))
    assert scene.between.count(UPLOAD) == 1


async def test_a_picture_that_cannot_be_had_leaves_the_post_without_a_face(
    scene: Scene, courier: MatrixCourier, room: str
) -> None:
    async def broken(place: Place, name: str) -> bytes:
        raise StoreUnavailable(f"no {name} in {place.platform}")

    courier._profiles.face_of = broken
    await courier.send(post_in(room, "Rain."))
    assert await face_in(scene, room) == ""


async def test_a_broken_picture_leaves_the_post_without_a_face(scene: Scene, courier: MatrixCourier, room: str) -> None:
    scene.faces["Mira"] = picture()[:60]
    await courier.send(post_in(room, "Rain."))
    assert await face_in(scene, room) == ""
    assert scene.between.count(UPLOAD) == 0


async def test_an_edit_keeps_the_face(scene: Scene, courier: MatrixCourier, room: str) -> None:
    scene.faces["Mira"] = picture()
    message = (await courier.send(post_in(room, "Old."))).message
    face = await face_in(scene, room)
    await courier.edit(message, post_in(room, "New.", "key-2"))
    assert await face_in(scene, room) == face
    await courier.delete(place_of(room), message)


@pytest.mark.parametrize(
    ("size", "side"), [((40, 60), 40), ((2000, 600), 512), ((600, 2000), 512), ((512, 512), 512), ((1, 1), 1)]
)
def test_a_face_is_a_square_of_at_most_512_pixels(size: tuple[int, int], side: int) -> None:
    assert Image.open(io.BytesIO(small_face(picture(*size)))).size == (side, side)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_other_kinds_of_pictures_become_png(kind: str) -> None:
    assert Image.open(io.BytesIO(small_face(picture(kind=kind)))).format == "PNG"


@pytest.mark.parametrize("bad", [b"", b"GIF89a", picture()[:50], picture(kind="GIF"), b"x" * (16 * 1024 * 1024 + 1)])
def test_what_is_no_picture_is_refused(bad: bytes) -> None:
    with pytest.raises(BadPicture):
        small_face(bad)


def test_a_picture_of_too_many_pixels_is_not_unpacked() -> None:
    out = io.BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    with pytest.raises(BadPicture, match="pixels"):
        small_face(out.getvalue())
