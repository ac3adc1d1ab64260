"""What people do on a real homeserver is so, and what they are shown of it is true."""

from collections.abc import AsyncGenerator

import pytest

from tests.homeserver.people import Person, people
from tests.homeserver.server import Synapse
from tests.homeserver.wire import Refusal

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))


@pytest.fixture
async def two(homeserver: Synapse) -> AsyncGenerator[tuple[Person, Person, str], None]:
    """Mira, Tobias, and a room that both are in."""
    async with people(homeserver, "mira", "tobias") as (mira, tobias):
        room = await mira.create_room("Harbour", invite=[tobias.user_id])
        await tobias.join(room)
        yield mira, tobias, room


Two = tuple[Person, Person, str]


async def test_what_somebody_says_stands_for_the_other_in_its_order(two: Two) -> None:
    mira, tobias, room = two
    await mira.say(room, "The lamp went out.")
    await tobias.say(room, "Then we wait.", msgtype="m.notice")
    await mira.say(room, "waits", msgtype="m.emote", html="<em>waits</em>")

    shown = await tobias.shown(room)

    assert [(each.sender, each.msgtype, each.body, each.formatted_body) for each in shown] == [
        (mira.user_id, "m.text", "The lamp went out.", None),
        (tobias.user_id, "m.notice", "Then we wait.", None),
        (mira.user_id, "m.emote", "waits", "<em>waits</em>"),
    ]
    assert all(each.is_readable and not each.edited for each in shown)


async def test_a_thread_stands_apart_with_its_root_first(two: Two) -> None:
    mira, tobias, room = two
    root = await mira.say(room, "A story.")
    inside = await tobias.say(room, "Once,", thread=root)
    await mira.say(room, "Outside.")
    answer = await mira.say(room, "and again.", thread=root, reply_to=inside)

    assert [each.body for each in await tobias.shown(room)] == ["A story.", "Outside."]
    thread = await tobias.shown(room, root)
    assert [(each.body, each.root, each.reply_to) for each in thread] == [
        ("A story.", None, None),
        ("Once,", root, None),
        ("and again.", root, inside),
    ]
    assert thread[-1].event_id == answer
    assert len(await tobias.shown_everywhere(room)) == 4


async def test_an_edit_replaces_a_message_and_another_persons_does_not(two: Two) -> None:
    mira, tobias, room = two
    said = await mira.say(room, "teh lamp", html="<b>teh</b> lamp")
    await tobias.edit(room, said, "no lamp")
    await mira.edit(room, said, "the lmap")
    await mira.edit(room, said, "the lamp", html="<b>the</b> lamp")
    await tobias.edit(room, said, "nothing")

    [shown] = await tobias.shown(room)

    assert (shown.event_id, shown.body, shown.formatted_body, shown.edited) == (said, "the lamp", "<b>the</b> lamp", True)


async def test_a_redacted_message_is_gone_and_a_redacted_edit_undone(two: Two) -> None:
    mira, tobias, room = two
    gone, kept = await mira.say(room, "Gone."), await mira.say(room, "Kept.")
    edit = await mira.edit(room, kept, "Changed.")
    await mira.redact(room, gone, "a slip")
    assert [each.body for each in await tobias.shown(room)] == ["Changed."]

    await mira.redact(room, edit)
    assert [(each.body, each.edited) for each in await tobias.shown(room)] == [("Kept.", False)]


async def test_reactions_stand_until_they_are_redacted(two: Two) -> None:
    mira, tobias, room = two
    said = await mira.say(room, "A lamp?")
    mine = await mira.react(room, said, "⏳")
    await tobias.react(room, said, "⏳")
    assert await mira.reactions(room, said) == {"⏳": [mira.user_id, tobias.user_id]}

    await mira.redact(room, mine)
    assert await tobias.reactions(room, said) == {"⏳": [tobias.user_id]}
    with pytest.raises(Refusal, match="M_DUPLICATE_ANNOTATION"):
        await tobias.react(room, said, "⏳")


async def test_a_file_arrives_byte_for_byte_with_its_name_and_caption(two: Two) -> None:
    mira, tobias, room = two
    await mira.send_file(room, PNG, "lamp.png", "image/png", caption="My lamp")
    await mira.send_file(room, b"{}", "card.json", "application/json")

    image, card = await tobias.shown(room)

    assert (image.msgtype, image.body, image.content["filename"]) == ("m.image", "My lamp", "lamp.png")
    assert (card.msgtype, card.body, "filename" in card.content) == ("m.file", "card.json", False)
    assert await tobias.download(image.content["url"]) == PNG


async def test_a_message_may_name_people_and_carry_a_name_of_its_own(two: Two) -> None:
    mira, tobias, room = two
    await mira.say(room, "Tobias?", mentions=[tobias.user_id])
    profile = {"id": "hester", "displayname": "Hester", "has_fallback": True}
    raw = {"msgtype": "m.text", "body": "Hester: Here.", "com.beeper.per_message_profile": profile, "m.relates_to": "nonsense"}
    await mira.send(room, "m.room.message", raw)

    named, voiced = await tobias.shown(room)

    assert named.content["m.mentions"] == {"user_ids": [tobias.user_id]}
    assert (voiced.name, voiced.body, voiced.text, voiced.root) == ("Hester", "Hester: Here.", "Here.", None)
    assert (named.name, named.text) == (None, "Tobias?")


async def test_waiting_ends_with_the_news_and_says_what_it_saw_otherwise(two: Two) -> None:
    mira, tobias, room = two
    await mira.say(room, "One.")
    await tobias.until_shown(room, lambda shown: len(shown) == 1)
    with pytest.raises(AssertionError, match="One"):
        await tobias.until_shown(room, lambda shown: len(shown) == 2, patience=0.05)


async def test_who_types_is_seen_until_they_stop(two: Two) -> None:
    mira, tobias, room = two
    await mira.start_typing(room)
    await tobias.until(lambda: tobias.typing(room))
    assert await tobias.typing(room) == [mira.user_id]

    await mira.stop_typing(room)

    async def is_quiet() -> bool:
        return not await tobias.typing(room)

    await tobias.until(is_quiet)


async def test_people_are_invited_kicked_banned_and_leave(homeserver: Synapse) -> None:
    async with people(homeserver, "mira", "tobias") as (mira, tobias):
        room = await mira.create_room()
        with pytest.raises(Refusal, match="M_FORBIDDEN"):
            await tobias.join(room)
        await mira.invite(room, tobias.user_id)
        seen = [await mira.membership(room, tobias.user_id)]
        for act in (tobias.join, tobias.leave):
            await act(room)
            seen.append(await mira.membership(room, tobias.user_id))
        await mira.ban(room, tobias.user_id, "enough")
        seen.append(await mira.membership(room, tobias.user_id))
        await mira.unban(room, tobias.user_id)
        await mira.invite(room, tobias.user_id)
        await tobias.join(room)
        await mira.kick(room, tobias.user_id)
        seen.append(await mira.membership(room, tobias.user_id))
    assert seen == ["invite", "join", "leave", "ban", "leave"]


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_a_room_is_of_the_version_that_was_wished_for(homeserver: Synapse, version: str) -> None:
    async with people(homeserver, "mira") as (mira,):
        room = await mira.create_room(version=version)
        assert (await mira.state(room, "m.room.create"))["room_version"] == version
        assert (":" in room) == (version != "12")


async def test_a_room_is_as_it_was_wished(homeserver: Synapse) -> None:
    async with people(homeserver, "mira", "tobias") as (mira, tobias):
        room = await mira.create_room(
            "Tavern", encrypted=True, public=True, history="world_readable", power={"events_default": 5}
        )
        await tobias.join(room)
        assert (await tobias.state(room, "m.room.name"))["name"] == "Tavern"
        assert (await tobias.state(room, "m.room.encryption"))["algorithm"] == "m.megolm.v1.aes-sha2"
        assert (await tobias.state(room, "m.room.history_visibility"))["history_visibility"] == "world_readable"
        assert (await tobias.state(room, "m.room.power_levels"))["events_default"] == 5
        with pytest.raises(Refusal, match="M_FORBIDDEN"):
            await tobias.say(room, "May I?")
        await mira.set_power(room, {tobias.user_id: 50}, events_default=0)
        assert (await tobias.state(room, "m.room.power_levels"))["users"][tobias.user_id] == 50
        await tobias.say(room, "I may.")


async def test_a_room_changes_its_rules_and_ends(two: Two) -> None:
    mira, tobias, room = two
    await mira.set_join_rule(room, "public")
    await mira.set_history(room, "joined")
    await mira.entomb(room, await mira.create_room())
    kinds = {event["type"]: event["content"] for event in await tobias.timeline(room) if "state_key" in event}
    assert kinds["m.room.join_rules"] == {"join_rule": "public"}
    assert kinds["m.room.history_visibility"] == {"history_visibility": "joined"}
    assert kinds["m.room.tombstone"]["replacement_room"] != room


async def test_a_successor_names_the_room_it_comes_from(two: Two) -> None:
    mira, tobias, room = two
    successor = await mira.upgrade(room, "12")
    assert (await tobias.state(room, "m.room.tombstone"))["replacement_room"] == successor
    assert (await mira.state(successor, "m.room.create"))["predecessor"]["room_id"] == room


async def test_a_direct_chat_is_noted_as_one(homeserver: Synapse) -> None:
    async with people(homeserver, "mira", "tobias") as (mira, tobias):
        rooms = [await mira.create_room(direct=True, invite=[tobias.user_id]) for _ in range(2)]
        assert await mira.account_data("m.direct") == {tobias.user_id: rooms}
        assert (await mira.state(rooms[0], "m.room.member", tobias.user_id))["is_direct"] is True


async def test_what_somebody_keeps_is_theirs_alone(two: Two) -> None:
    mira, tobias, room = two
    await mira.set_account_data("org.example.note", {"lamp": "out"})
    await mira.set_account_data("org.example.note", {"lamp": "lit"}, room)
    assert await mira.account_data("org.example.note") == {"lamp": "out"}
    assert await mira.account_data("org.example.note", room) == {"lamp": "lit"}
    assert await tobias.account_data("org.example.note") == {}


async def test_a_new_display_name_comes_to_the_rooms_in_time(two: Two) -> None:
    mira, tobias, room = two
    await mira.set_display_name("Mira Vale")

    async def is_known() -> bool:
        return bool((await tobias.state(room, "m.room.member", mira.user_id))["displayname"] == "Mira Vale")

    await tobias.until(is_known)


async def test_a_long_timeline_is_read_whole(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    mira, tobias, room = two
    monkeypatch.setattr("tests.homeserver.people.PAGE", 4)
    for number in range(9):
        await mira.say(room, str(number))
    assert [each.body for each in await tobias.shown(room)] == list("012345678")
