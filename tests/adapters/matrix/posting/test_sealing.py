"""Encrypted rooms: everybody who may read along has the key first, whatever fails on the way, and nothing goes in clear."""

import asyncio
import json
from typing import Any

import pytest
from nio.crypto import OutboundGroupSession

from adapters.matrix.posting.courier import MatrixCourier
from adapters.matrix.posting.sealing import UNREACHED
from adapters.matrix.posting.sending import KEY
from bot.errors import ChannelGone, OutcomeUnknown, PostRefused, TryLater
from tests.adapters.matrix.posting.scene import SEND, Scene, post_in, sealed_person
from tests.homeserver.faults import Answer, Cut, Fault, Rule, refusal, too_many
from tests.homeserver.sealed import Sealed

FAULTS: tuple[Fault, ...] = (refusal(502, "", ""), refusal(400, "M_UNKNOWN", "no"), too_many(2000), Cut.BEFORE, Cut.AFTER)
CHORES = ("/joined_members", "/keys/query", "/keys/claim", "/sendToDevice/")


async def test_a_post_is_readable_for_those_inside_and_for_nobody_else(
    scene: Scene, courier: MatrixCourier, aled: Sealed, sealed_room: str
) -> None:
    root = await aled.say(sealed_room, "Once upon a time")
    message = (await courier.send(post_in(sealed_room, "The lamp went out.", root=root))).message
    await courier.edit(message, post_in(sealed_room, "The lamp is lit.", "key-2", root=root))
    [_, shown] = await aled.shown(sealed_room, root)
    assert (shown.body, shown.name, shown.edited) == ("Mira: The lamp is lit.", "Mira", True)
    for event in await _raw(aled, sealed_room):
        if event["sender"] == scene.login.user_id and "state_key" not in event:
            assert event["type"] == "m.room.encrypted"
            assert set(event["content"]) == {
                "algorithm", "ciphertext", "device_id", "sender_key", "session_id", "m.relates_to", KEY,
            }  # fmt: skip
            assert "lamp" not in str(event)


async def test_nothing_is_sent_before_everybody_has_the_key(scene: Scene, courier: MatrixCourier, stranger: Sealed) -> None:
    room = await scene.room(stranger, encrypted=True)
    for chore in CHORES:
        for fault in FAULTS:
            broken = scene.between.rule(Rule(chore, fault))
            with pytest.raises(TryLater):
                await courier.send(post_in(room, "Rain."))
            assert broken.hits, f"{chore} was not asked for"
            broken.end()
    assert scene.between.count(SEND) == 0
    await courier.send(post_in(room, "Rain."))
    assert [each.body for each in await stranger.shown(room)] == ["Mira: Rain."]


async def test_the_way_to_a_post_is_short_once_everybody_has_the_key(
    scene: Scene, courier: MatrixCourier, sealed_room: str
) -> None:
    await courier.send(post_in(sealed_room, "One."))
    asked = len(scene.between.asked)
    await courier.send(post_in(sealed_room, "Two.", "key-2"))
    assert len(scene.between.asked) == asked + 1


async def test_who_comes_later_reads_what_comes_then_on_all_devices(
    scene: Scene, courier: MatrixCourier, aled: Sealed, sealed_room: str
) -> None:
    await courier.send(post_in(sealed_room, "One."))
    async with sealed_person(scene, "mira") as mira, Sealed(scene.homeserver.log_in(aled.login)) as second:
        await aled.invite(sealed_room, mira.user_id)
        await mira.join(sealed_room)
        await scene.sync()
        await courier.send(post_in(sealed_room, "Two.", "key-2"))
        for reader in (aled, mira, second):
            assert (await reader.shown(sealed_room))[-1].body == "Mira: Two."
        await mira.leave(sealed_room)
        await scene.sync()
        await courier.send(post_in(sealed_room, "Three.", "key-3"))
        sessions = {
            event["content"]["session_id"] for event in await _raw(aled, sealed_room) if "session_id" in event["content"]
        }
        assert len(sessions) == 3, "whoever left has no key of what came then"


async def test_who_leaves_while_the_key_is_given_out_does_not_keep_the_room_waiting_nor_its_key(
    scene: Scene, courier: MatrixCourier, aled: Sealed, sealed_room: str
) -> None:
    async with sealed_person(scene, "mira") as mira:
        await aled.invite(sealed_room, mira.user_id)
        await mira.join(sealed_room)
        await scene.sync()
        held = scene.between.hold("/sendToDevice/", times=1)
        sending = asyncio.create_task(courier.send(post_in(sealed_room, "Rain.")))
        await scene.between.until_asked("/sendToDevice/")
        before = group_key(scene, sealed_room).id
        await mira.leave(sealed_room)
        await scene.sync()
        held.end()
        scene.between.release()
        await sending
        assert (await aled.shown(sealed_room))[-1].body == "Mira: Rain."
        assert (await _raw(aled, sealed_room))[-1]["content"]["session_id"] != before


async def test_a_used_up_key_is_replaced(scene: Scene, courier: MatrixCourier, aled: Sealed, sealed_room: str) -> None:
    await courier.send(post_in(sealed_room, "One."))
    group_key(scene, sealed_room).message_count = 100
    await courier.send(post_in(sealed_room, "Two.", "key-2"))
    assert [each.body for each in await aled.shown(sealed_room)] == ["Mira: One.", "Mira: Two."]


async def test_a_device_without_keys_to_give_is_asked_again_later_and_holds_up_nobody(
    scene: Scene, courier: MatrixCourier, stranger: Sealed
) -> None:
    room = await scene.room(stranger, encrypted=True)
    async with Sealed(scene.homeserver.log_in(stranger.login)) as second:
        emptied = scene.between.answer("/keys/claim", _answer({"one_time_keys": {}, "failures": {}}))
        await courier.send(post_in(room, "One."))
        await courier.send(post_in(room, "Two.", "key-2"))
        assert emptied.hits == 1
        emptied.end()
        scene.frozen.move(UNREACHED)
        await courier.send(post_in(room, "Three.", "key-3"))
        for reader in (stranger, second):
            assert [each.is_readable for each in await reader.shown(room)] == [False, False, True]


async def test_misshapen_lists_of_devices_do_no_harm_and_are_asked_for_again(
    scene: Scene, courier: MatrixCourier, stranger: Sealed
) -> None:
    room, name = await scene.room(stranger, encrypted=True), stranger.user_id
    misshapen: tuple[object, ...] = ({}, "all of them", {name: 7}, {name: {"DEVICE": 7}}, {name: {"DEVICE": {"keys": []}}})
    for at, keys in enumerate(misshapen):
        scene.between.answer("/keys/query", _answer({"device_keys": keys}), times=1)
        await courier.send(post_in(room, "One.", f"key-{at}"))
        scene.frozen.move(UNREACHED)
    await courier.send(post_in(room, "Two.", "last"))
    readable = [each.is_readable for each in await stranger.shown(room)]
    assert readable == [*[False] * len(misshapen), True]


async def test_a_key_that_is_none_leaves_out_its_device_only(
    scene: Scene, courier: MatrixCourier, aled: Sealed, stranger: Sealed
) -> None:
    room = await scene.room(aled, encrypted=True)
    await aled.invite(room, stranger.user_id)
    await stranger.join(room)
    await scene.sync()
    none: tuple[object, ...] = (
        {},
        {"signed_curve25519:AAA": {"key": "short", "signatures": {}}},
        {"x": "y"},
        "none",
        {"x": []},
    )
    for at, keys in enumerate(none):
        claimed = {stranger.user_id: {stranger.login.device_id: keys}}
        scene.between.answer("/keys/claim", _answer({"one_time_keys": claimed}), times=1)
        await courier.send(post_in(room, "One.", f"key-{at}"))
        scene.frozen.move(UNREACHED)
    await courier.send(post_in(room, "Two.", "last"))
    assert [each.is_readable for each in await aled.shown(room)] == [True] * (len(none) + 1)
    assert [each.is_readable for each in await stranger.shown(room)] == [*[False] * len(none), True]


async def test_a_room_that_was_encrypted_once_never_gets_anything_in_clear(
    scene: Scene, courier: MatrixCourier, aled: Sealed, sealed_room: str
) -> None:
    scene.client.rooms[sealed_room].encrypted = False
    await courier.send(post_in(sealed_room, "Rain."))
    assert (await _raw(aled, sealed_room))[-1]["type"] == "m.room.encrypted"
    assert (await aled.shown(sealed_room))[-1].body == "Mira: Rain."


async def test_a_room_that_becomes_encrypted_is_from_then_on(scene: Scene, courier: MatrixCourier, aled: Sealed) -> None:
    room = await scene.room(aled)
    first = (await courier.send(post_in(room, "In clear."))).message
    await aled.set_state(room, "m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})
    await scene.sync()
    await courier.send(post_in(room, "Sealed.", "key-2"))
    await courier.edit(first, post_in(room, "Changed.", "key-3"))
    kinds = [event["type"] for event in await _raw(aled, room) if event["sender"] == scene.login.user_id]
    assert kinds[1:] == ["m.room.message", "m.room.encrypted", "m.room.encrypted"]


async def test_without_keys_nothing_is_sent_at_all(scene: Scene, courier: MatrixCourier, sealed_room: str) -> None:
    olm, scene.client.olm = scene.client.olm, None
    with pytest.raises(PostRefused, match="understudy matrix login"):
        await courier.send(post_in(sealed_room, "Rain."))
    assert scene.between.count(SEND) == 0
    scene.client.olm = olm


async def test_a_room_that_the_client_has_not_heard_of_yet_is_tried_later(
    scene: Scene, courier: MatrixCourier, sealed_room: str
) -> None:
    known = scene.client.rooms.pop(sealed_room)
    with pytest.raises(TryLater):
        await courier.send(post_in(sealed_room, "Rain."))
    assert scene.between.count(SEND) == 0
    scene.client.rooms[sealed_room] = known


async def test_a_bot_that_was_kicked_before_its_first_word_is_told_so(
    scene: Scene, courier: MatrixCourier, aled: Sealed, sealed_room: str
) -> None:
    await aled.kick(sealed_room, scene.login.user_id)
    with pytest.raises(ChannelGone):
        await courier.send(post_in(sealed_room, "Rain."))


async def test_a_lost_answer_to_an_encrypted_post_is_uncertain_and_not_put_off(
    scene: Scene, courier: MatrixCourier, sealed_room: str
) -> None:
    scene.between.cut(SEND, Cut.AFTER, times=1)
    with pytest.raises(OutcomeUnknown):
        await courier.send(post_in(sealed_room, "Rain."))


async def _raw(person: Sealed, room: str) -> list[dict[str, Any]]:
    """The room's events as the homeserver has them."""
    page = await person.wire.ask("GET", f"/rooms/{room}/messages", dir="f", limit=100)
    return list(page["chunk"])


def _answer(content: dict[str, Any]) -> Answer:
    return Answer(200, json.dumps(content).encode(), "application/json")


def group_key(scene: Scene, room: str) -> OutboundGroupSession:
    assert scene.client.olm is not None
    return scene.client.olm.outbound_group_sessions[room]
