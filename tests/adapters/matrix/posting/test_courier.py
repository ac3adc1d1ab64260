"""Posts on Matrix: names, faces, threads, edits, removals, and what a room accepts, before a real homeserver."""

from adapters.matrix.posting.courier import MatrixCourier
from tests.adapters.matrix.posting.scene import MACHINERY, Scene, post_in


async def test_a_character_bears_its_name_also_where_clients_know_no_profiles(
    scene: Scene, courier: MatrixCourier, room: str
) -> None:
    await courier.send(post_in(room, "The *rain* went on."))
    [shown] = await scene.tobias.shown(room)
    assert (shown.msgtype, shown.name, shown.body) == ("m.text", "Mira", "Mira: The *rain* went on.")
    assert shown.formatted_body == "<p><strong data-mx-profile-fallback>Mira: </strong>The <em>rain</em> went on.</p>"
    assert shown.content["m.mentions"] == {}


async def test_the_program_speaks_in_notices_as_itself(scene: Scene, courier: MatrixCourier, room: str) -> None:
    await courier.send(post_in(room, "The model is away.", speaker=MACHINERY))
    [shown] = await scene.tobias.shown(room)
    assert (shown.msgtype, shown.name, shown.body) == ("m.notice", None, "The model is away.")
