"""People whose clients encrypt read each other, and the strict ones only those that their owners vouch for."""

from collections.abc import AsyncGenerator

import pytest

from tests.homeserver.identities import Identity
from tests.homeserver.people import Person
from tests.homeserver.sealed import Sealed
from tests.homeserver.server import Login, Synapse

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))


def new(homeserver: Synapse, name: str) -> Login:
    return homeserver.register(homeserver.fresh_name(name))


@pytest.fixture
async def two(homeserver: Synapse) -> AsyncGenerator[tuple[Sealed, Sealed, str], None]:
    """Mira, Tobias, and an encrypted room that both are in."""
    async with Sealed(new(homeserver, "mira")) as mira, Sealed(new(homeserver, "tobias")) as tobias:
        room = await mira.create_room("Harbour", encrypted=True, invite=[tobias.user_id])
        await tobias.join(room)
        yield mira, tobias, room


Two = tuple[Sealed, Sealed, str]


async def test_what_is_said_is_read_by_both_and_by_nobody_without_keys(two: Two) -> None:
    mira, tobias, room = two
    root = await mira.say(room, "The lamp went out.")
    answer = await tobias.say(room, "Then we wiat.", thread=root)
    await tobias.edit(room, answer, "Then we wait.")
    await mira.react(room, answer, "👍")

    for person in two[:2]:
        shown = await person.shown(room, root)
        assert [(each.body, each.root, each.edited) for each in shown] == [
            ("The lamp went out.", None, False),
            ("Then we wait.", root, True),
        ]
        assert await person.reactions(room, answer) == {"👍": [mira.user_id]}
    async with Person(mira.login) as outside:
        assert [each.is_readable for each in await outside.shown(room, root)] == [False, False]
        assert "lamp" not in str(await outside.timeline(room))
    assert (await tobias.event(room, root))["content"]["body"] == "The lamp went out."


async def test_a_file_is_stored_encrypted_and_opens_for_the_other(two: Two) -> None:
    mira, tobias, room = two
    await mira.send_file(room, PNG, "lamp.png", "image/png", caption="My lamp")

    [shown] = await tobias.shown(room)

    assert (shown.msgtype, shown.body, "url" in shown.content) == ("m.image", "My lamp", False)
    assert await tobias.download(shown.content["file"]["url"]) != PNG
    assert await tobias.open_file(shown.content) == PNG


async def test_a_redacted_message_is_gone(two: Two) -> None:
    mira, tobias, room = two
    said = await mira.say(room, "Gone.")
    await mira.say(room, "Kept.")
    await mira.redact(room, said)
    assert [each.body for each in await tobias.shown(room)] == ["Kept."]


async def test_somebody_who_comes_later_reads_what_comes_later(two: Two, homeserver: Synapse) -> None:
    mira, tobias, room = two
    await mira.say(room, "Before.")
    async with Sealed(new(homeserver, "wren")) as wren:
        await mira.invite(room, wren.user_id)
        await wren.join(room)
        await tobias.say(room, "After.")
        await mira.say(room, "And after.")
        assert [each.is_readable for each in await wren.shown(room)] == [False, True, True]


async def test_without_encryption_nothing_is_encrypted(homeserver: Synapse) -> None:
    async with Sealed(new(homeserver, "mira")) as mira:
        room = await mira.create_room()
        await mira.say(room, "In clear.")
        await mira.send_file(room, PNG, "lamp.png", "image/png")
        async with Person(mira.login) as outside:
            said, file = await outside.shown(room)
            assert (said.body, await outside.open_file(file.content)) == ("In clear.", PNG)


async def test_the_strict_refuse_a_device_without_its_owners_signature_and_accept_it_with_one(homeserver: Synapse) -> None:
    async with (
        Sealed(new(homeserver, "strict"), exclude_insecure=True) as strict,
        Sealed(new(homeserver, "tobias")) as tobias,
    ):
        room = await strict.create_room(encrypted=True, invite=[tobias.user_id])
        await tobias.join(room)
        await strict.say(room, "Not for you.")
        await tobias.say(room, "Not for you either.")

        assert await strict.shields(tobias.user_id) == "unsigned"
        assert await strict.identity(tobias.user_id) is None
        assert [each.is_readable for each in await strict.shown(room)] == [True, False]
        assert [each.is_readable for each in await tobias.shown(room)] == [False, True]
        assert [(each.sender, each.room, each.code) for each in tobias.withheld] == [(strict.user_id, room, "m.unverified")]

        identity = Identity(tobias.user_id)
        await identity.publish(tobias.wire)
        assert await strict.shields(tobias.user_id) == "unsigned"
        await identity.vouch_for(tobias.wire, tobias.login.device_id)
        await strict.say(room, "For you.")
        await tobias.say(room, "Thank you.")

        assert await strict.shields(tobias.user_id) == "none"
        assert await strict.identity(tobias.user_id) == identity.public("master")
        assert [each.is_readable for each in await strict.shown(room)] == [True, True, True, True]
        assert [each.is_readable for each in await tobias.shown(room)] == [False, True, True, True]


async def test_a_second_device_without_a_signature_is_kept_out_alone(homeserver: Synapse) -> None:
    login = new(homeserver, "tobias")
    async with (
        Sealed(new(homeserver, "strict"), exclude_insecure=True) as strict,
        Sealed(login) as signed,
        Sealed(homeserver.log_in(login)) as unsigned,
    ):
        identity = Identity(login.user_id)
        await identity.publish(signed.wire)
        await identity.vouch_for(signed.wire, login.device_id)
        room = await strict.create_room(encrypted=True, invite=[login.user_id])
        await signed.join(room)
        await strict.say(room, "For one of you.")

        assert await strict.shields(login.user_id) == "unsigned"
        assert [(await device.shown(room))[0].is_readable for device in (signed, unsigned)] == [True, False]
        await unsigned.say(room, "From the other.")
        assert not (await strict.shown(room))[-1].is_readable
