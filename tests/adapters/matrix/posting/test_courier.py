"""Posts on Matrix: names, threads, edits, removals, and what a room accepts, before a real homeserver."""

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.matrix.posting.courier import MatrixCourier, is_for_adults
from adapters.matrix.rooms import Room
from adapters.matrix.settings import Settings
from adapters.matrix.words import place_of
from bot.errors import ChannelGone, PostGone, PostRefused, TryLater
from bot.ids import CommunityId, MessageId, PostKey
from bot.ports.store import Shown as Standing
from bot.posts import ChannelLimits
from tests.adapters.matrix.posting.scene import MACHINERY, Scene, post_in, sealed_person


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


async def test_posts_of_a_thread_stand_in_it_each_after_the_one_before(scene: Scene, courier: MatrixCourier, room: str) -> None:
    root = await scene.tobias.say(room, "Once upon a time")
    first = await courier.send(post_in(room, "One.", root=root))
    await courier.send(post_in(room, "Two.", "key-2", root=root))
    [_, one, two] = await scene.tobias.shown(room, root)
    assert [one.body, two.body] == ["Mira: One.", "Mira: Two."]
    assert await scene.bodies(room) == ["Once upon a time"]
    relations = [event["content"]["m.relates_to"] for event in await scene.sent(room)]
    assert [about["m.in_reply_to"]["event_id"] for about in relations] == [root, first.message]
    assert all(about["is_falling_back"] for about in relations)


async def test_after_a_restart_a_thread_goes_on_below_the_post_that_the_store_knows(
    scene: Scene, courier: MatrixCourier, room: str
) -> None:
    root = await scene.tobias.say(room, "Once upon a time")
    first = post_in(room, "One.", root=root)
    scene.standing[first.turn] = [Standing((await courier.send(first)).message, first)]
    await scene.new_courier().send(post_in(room, "Two.", "key-2", root=root, position=1))
    about = (await scene.sent(room))[-1]["content"]["m.relates_to"]
    assert about["m.in_reply_to"]["event_id"] == scene.standing[first.turn][0].message


async def test_an_edit_changes_the_post_in_place_and_keeps_its_name(scene: Scene, courier: MatrixCourier, room: str) -> None:
    root = await scene.tobias.say(room, "Once upon a time")
    posts = [post_in(room, f"Part {at}.", f"old-{at}", root=root, position=at) for at in range(3)]
    sent = [(await courier.send(post)).message for post in posts]
    for at, message in enumerate(sent):
        await courier.edit(message, replace(posts[at], key=PostKey(f"new-{at}"), text=f"Other {at}."))
    shown = (await scene.tobias.shown(room, root))[1:]
    assert [(each.event_id, each.body, each.name, each.edited) for each in shown] == [
        (sent[at], f"Mira: Other {at}.", "Mira", True) for at in range(3)
    ]


async def test_an_edit_that_is_repeated_is_one_edit(scene: Scene, courier: MatrixCourier, room: str) -> None:
    message = (await courier.send(post_in(room, "Old."))).message
    for each in (courier, scene.new_courier()):
        await each.edit(message, post_in(room, "New.", "key-2"))
    assert len(await scene.sent(room)) == 2


async def test_a_post_that_a_moderator_took_away_is_gone_and_can_be_sent_anew_under_the_same_key(
    scene: Scene, courier: MatrixCourier, room: str
) -> None:
    message = (await courier.send(post_in(room, "Old."))).message
    new = post_in(room, "New.", "key-2")
    await courier.edit(message, new)
    await scene.tobias.redact(room, message)
    with pytest.raises(PostGone):
        await courier.edit(message, new)
    with pytest.raises(PostGone):
        await scene.new_courier().edit(message, new)
    assert await scene.new_courier().read_back(new, None) is None, "an edit of it is not the post"
    await courier.send(new)
    assert await scene.bodies(room) == ["Mira: New."]


@pytest.mark.parametrize("event", ["$nothing", "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"])
async def test_a_post_that_never_was_is_gone(courier: MatrixCourier, room: str, event: str) -> None:
    with pytest.raises(PostGone):
        await courier.edit(MessageId(event), post_in(room, "New."))


async def test_what_is_no_message_of_matrix_is_refused(courier: MatrixCourier, room: str) -> None:
    for act in (courier.edit(MessageId("12"), post_in(room, "New.")), courier.delete(place_of(room), MessageId("12"))):
        with pytest.raises(PostRefused, match="no message of Matrix"):
            await act


async def test_taking_away_what_is_gone_is_no_error_whoever_took_it(scene: Scene, courier: MatrixCourier, room: str) -> None:
    mine, taken = [(await courier.send(post_in(room, text, text))).message for text in ("Mine.", "Taken.")]
    await scene.tobias.redact(room, taken)
    for message in (mine, taken, mine):
        await courier.delete(place_of(room), message)
        await scene.new_courier().delete(place_of(room), message)
    assert await scene.bodies(room) == []


async def test_a_room_says_what_it_accepts(scene: Scene, courier: MatrixCourier, room: str) -> None:
    for place in (place_of(room), place_of(room, "$root")):
        assert await courier.limits(place) == ChannelLimits(3000, community=CommunityId(room))
    with pytest.raises(ChannelGone, match="invite me again"):
        await courier.limits(place_of("!elsewhere:matrix.test"))
    client = scene.client
    scene.line.close()
    with pytest.raises(TryLater):
        await courier.limits(place_of(room))
    scene.line.open(client)


async def test_a_room_that_was_marked_is_one_for_adults_as_long_as_nobody_comes_in_unasked(
    scene: Scene, courier: MatrixCourier, room: str
) -> None:
    await scene.rooms.mark_for_adults(room, is_for_adults=True)
    assert (await courier.limits(place_of(room))).adults_only
    await scene.tobias.set_join_rule(room, "public")
    await scene.sync()
    assert not (await courier.limits(place_of(room))).adults_only


@pytest.mark.parametrize(
    ("facts", "in_public", "is_one"),
    [
        ({"join_rule": "invite", "history": "shared"}, False, True),
        ({"join_rule": "invite", "history": "shared", "is_for_adults": False}, False, False),
        ({"join_rule": "public", "history": "shared"}, False, False),
        ({"join_rule": "public", "history": "shared"}, True, True),
        ({"join_rule": "public", "history": "world_readable"}, True, False),
        ({"join_rule": "invite", "history": "world_readable"}, True, False),
        ({}, False, False),
    ],
)
def test_what_everybody_can_read_is_no_room_for_adults(
    facts: dict[str, object], tmp_path: Path, *, in_public: bool, is_one: bool
) -> None:
    room = replace(Room("!room", is_for_adults=True), **facts)  # type: ignore[arg-type]  # any of its facts
    assert is_for_adults(room, Settings(folder=tmp_path, adults_in_public=in_public)) == is_one


async def test_the_longest_texts_arrive_whole_also_as_edits_and_encrypted(scene: Scene, courier: MatrixCourier) -> None:
    texts = ['"' * 3000, "я" * 3000, "\x01" * 3000, "😀" * 3000, "<&>*_||" * 428]
    async with sealed_person(scene) as aled:
        for owner, is_encrypted in ((scene.tobias, False), (aled, True)):
            room = await scene.room(owner, encrypted=is_encrypted)
            for at, text in enumerate(texts):
                message = (await courier.send(post_in(room, f"{at}", f"key-{at}"))).message
                await courier.edit(message, post_in(room, text, f"edit-{at}"))
                await courier.send(post_in(room, text, f"whole-{at}"))
            shown = [each.body.removeprefix("Mira: ") for each in await owner.shown(room)]
            assert shown == [text for text in texts for _ in range(2)]
