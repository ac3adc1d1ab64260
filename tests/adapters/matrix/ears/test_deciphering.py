"""Encrypted rooms: what can be read is heard in order; what cannot is kept, told of once, and heard when its key comes."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.matrix.ears.deciphering import Sealed as Opaque
from adapters.matrix.ears.deciphering import understood
from adapters.matrix.heard import Said, Unreadable
from adapters.matrix.running import LOST
from adapters.matrix.words import MATRIX
from tests.adapters.matrix.ears.ears import Bot, FastClock, listening, room_with
from tests.homeserver.between import Between
from tests.homeserver.people import Person, people
from tests.homeserver.sealed import Sealed
from tests.homeserver.server import Login, Synapse

DAY = 86400.0


@pytest.fixture
def login(homeserver: Synapse) -> Login:
    return homeserver.register(homeserver.fresh_name("bot"))


@dataclass(slots=True)
class Scene:
    """An encrypted room with the bot, Mira, whose client encrypts, and Aled, whose client never learnt it."""

    bot: Bot
    clock: FastClock
    mira: Sealed
    aled: Person
    room: str


@asynccontextmanager
async def scene(homeserver: Synapse, login: Login, folder: Path, *, strict: bool = False) -> AsyncGenerator[Scene, None]:
    mira_login = homeserver.register(homeserver.fresh_name("mira"))
    clock = FastClock(60.0)
    async with (
        Sealed(mira_login, exclude_insecure=strict) as mira,
        people(homeserver, "aled") as (aled,),
        listening(login, folder, clock=clock, timeline=5) as bot,
    ):
        room = await room_with(bot, mira, encrypted=True)
        await mira.invite(room, aled.user_id)
        await aled.join(room)
        yield Scene(bot, clock, mira, aled, room)


async def say_without_key(mira: Sealed, room: str, body: str) -> Mapping[str, Any]:
    """Say something in a new session. Returns the messages that would have told its key to everybody."""
    await mira.sync()
    nio, olm = mira._nio, mira._olm
    nio.invalidate_outbound_session(room)
    olm.create_outbound_group_session(room)
    users = list(nio.rooms[room].users)
    _, messages = olm.share_group_session(room, users, ignore_missing_sessions=True, ignore_unverified_devices=True)
    olm.outbound_group_sessions[room].shared = True
    await Person.send(mira, room, *nio.encrypt(room, "m.room.message", {"msgtype": "m.text", "body": body}))
    return messages


async def tell_key(mira: Sealed, messages: Mapping[str, Any]) -> None:
    await mira.wire.ask("PUT", f"/sendToDevice/m.room.encrypted/{mira.next_transaction()}", messages)


async def test_encrypted_messages_are_heard_in_order_and_kept_nowhere_in_clear(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with scene(homeserver, login, tmp_path) as on:
        kept: list[str] = []

        async def look(_: object) -> None:
            kept.extend(arrival.payload for arrival in await on.bot.store.arrived(MATRIX))

        on.bot.listener.before = look
        root = await on.mira.say(on.room, "the lamp is lit")
        await on.mira.say(on.room, "two", thread=root)
        await on.mira.edit(on.room, root, "the lamp went out")
        await on.mira.react(on.room, root, "🔄")
        await on.bot.until_heard(on.room, ["the lamp is lit", "two", "edit: the lamp went out", "🔄"])
        said = on.bot.listener.told[1]
        assert isinstance(said, Said)
        assert said.root == root
        assert kept
        assert not any("lamp" in each for each in kept)


async def test_what_was_encrypted_while_it_was_off_is_heard_afterwards(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with scene(homeserver, login, tmp_path) as on:
        await on.mira.say(on.room, "one")
        await on.bot.until_heard(on.room, ["one"])
        await on.bot.stop()
        on.mira._nio.invalidate_outbound_session(on.room)
        texts = [str(number) for number in range(12)]
        for text in texts:
            await on.mira.say(on.room, text)
        on.bot.start()
        await on.bot.until_heard(on.room, ["one", *texts])


async def test_a_message_waits_for_its_key_and_what_comes_behind_it_waits_with_it(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with scene(homeserver, login, tmp_path) as on:
        await on.mira.say(on.room, "hello")
        await on.bot.until_heard(on.room, ["hello"])
        on.clock.run_at(1.0)
        key = await say_without_key(on.mira, on.room, "one")
        last = await on.aled.say(on.room, "two")
        await on.bot.until(lambda: on.bot.supervisor.newest_in(on.room) == last)
        assert on.bot.listener.texts(on.room) == ["hello"]
        await tell_key(on.mira, key)
        await on.bot.until_heard(on.room, ["hello", "one", "two"])


async def test_a_message_whose_key_does_not_come_is_told_of_once_and_heard_when_it_does(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with scene(homeserver, login, tmp_path) as on:
        await on.mira.say(on.room, "hello")
        key = await say_without_key(on.mira, on.room, "one")
        await on.aled.say(on.room, "two")
        await on.bot.until_heard(on.room, ["hello", "two"])
        await on.bot.until_heard(on.room, ["hello", "two", "unreadable"])
        unreadable = on.bot.listener.told[-1]
        assert isinstance(unreadable, Unreadable)
        assert "has not sent me its key" in unreadable.why
        assert unreadable.sender == on.mira.user_id
        on.clock.pass_by(1000)
        # It is looked at and tried again meanwhile.
        await on.clock.sleep(15)
        await on.aled.say(on.room, "three")
        await on.bot.until_heard(on.room, ["hello", "two", "unreadable", "three"])
        on.clock.run_at(1.0)
        await tell_key(on.mira, key)
        await on.bot.until_heard(on.room, ["hello", "two", "unreadable", "three", "one"])
        await on.bot.until(lambda: on.bot.supervisor.is_idle)
        assert not await on.bot.store.arrived(MATRIX)


async def test_only_the_first_message_of_a_session_without_a_key_holds_its_room_up(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with scene(homeserver, login, tmp_path) as on:
        await on.mira.say(on.room, "hello")
        await say_without_key(on.mira, on.room, "one")
        await on.aled.say(on.room, "two")
        await on.bot.until_heard(on.room, ["hello", "two"])
        on.clock.run_at(0.001)
        await Person.send(
            on.mira, on.room, *on.mira._nio.encrypt(on.room, "m.room.message", {"msgtype": "m.text", "body": "three"})
        )
        await on.aled.say(on.room, "four")
        await on.bot.until_heard(on.room, ["hello", "two", "four"])
        on.clock.run_at(20.0)


async def test_who_makes_up_sessions_holds_a_room_up_once_a_minute(homeserver: Synapse, login: Login, tmp_path: Path) -> None:
    async with scene(homeserver, login, tmp_path) as on:
        await on.mira.say(on.room, "hello")
        await say_without_key(on.mira, on.room, "one")
        await on.aled.say(on.room, "two")
        await on.bot.until_heard(on.room, ["hello", "two"])
        on.clock.run_at(0.001)
        await say_without_key(on.mira, on.room, "three")
        await on.aled.say(on.room, "four")
        await on.bot.until_heard(on.room, ["hello", "two", "four"])
        on.clock.run_at(20.0)


async def test_a_message_without_a_key_outlasts_a_restart_and_is_given_up_after_a_day(
    homeserver: Synapse, login: Login, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(homeserver, login, tmp_path) as on:
        await on.mira.say(on.room, "hello")
        key = await say_without_key(on.mira, on.room, "one")
        await on.bot.until_heard(on.room, ["hello", "unreadable"])
        await on.bot.stop()
        await tell_key(on.mira, key)
        lost = await say_without_key(on.mira, on.room, "two")
        on.bot.start()
        await on.bot.until(lambda: "one" in on.bot.listener.texts(on.room))
        await on.bot.until(lambda: on.bot.listener.texts(on.room).count("unreadable") == 2)
        on.clock.pass_by(DAY)
        await on.bot.until(lambda: "it is given up" in caplog.text)
        await on.bot.until(lambda: on.bot.supervisor.is_idle)
        assert not await on.bot.store.arrived(MATRIX)
        await tell_key(on.mira, lost)
        await on.aled.say(on.room, "three")
        await on.bot.until(lambda: on.bot.listener.texts(on.room)[-1] == "three")
        assert "two" not in on.bot.listener.texts(on.room)


async def test_a_message_in_a_gap_whose_key_is_missing_outlasts_a_restart_too(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with scene(homeserver, login, tmp_path) as on:
        await on.mira.say(on.room, "hello")
        await on.bot.until_heard(on.room, ["hello"])
        await on.bot.until(lambda: on.bot.supervisor.is_idle)
        await on.bot.stop()
        key = await say_without_key(on.mira, on.room, "one")
        texts = [str(number) for number in range(8)]
        for text in texts:
            await on.aled.say(on.room, text)
        on.bot.start()
        await on.bot.until_heard(on.room, ["hello", *texts])
        await on.bot.restart()
        await tell_key(on.mira, key)
        await on.bot.until(lambda: "one" in on.bot.listener.texts(on.room))
        await on.bot.until(lambda: on.bot.supervisor.is_idle)
        assert not await on.bot.store.arrived(MATRIX)


async def test_a_room_waits_while_no_client_could_open_its_messages(homeserver: Synapse, login: Login, tmp_path: Path) -> None:
    async with Between(homeserver.url) as between, scene(homeserver, between.through(login), tmp_path) as on:
        go_on = asyncio.Event()

        async def wait(_: object) -> None:
            await go_on.wait()

        on.bot.listener.before = wait
        texts = ["one", "two", "three"]
        for text in texts:
            await on.mira.say(on.room, text)
        await on.bot.until(lambda: len(on.bot.store._arrivals) >= len(texts) + 1)
        # After a restart, what they mean has to be found out anew.
        await on.bot.restart()
        await on.bot.until_connected()
        between.forget_token()
        await on.aled.say(on.room, "four")
        await on.bot.until(lambda: on.bot.supervisor.state.trouble == LOST)
        go_on.set()
        await on.clock.sleep(30)
        assert "unreadable" not in on.bot.listener.texts(on.room)
        between.know_token()
        account = on.bot.folder.account()
        assert account is not None
        on.bot.folder.keep(account)
        await on.bot.until_heard(on.room, [*texts, "four"])


def test_an_event_that_was_carried_over_from_another_room_is_not_opened() -> None:
    inside = {"type": "m.room.message", "room_id": "!elsewhere", "content": {"msgtype": "m.text", "body": "one"}}
    client = SimpleNamespace(olm=True, decrypt_event=lambda _: SimpleNamespace(source=inside))
    around: Any = SimpleNamespace(client=client)
    megolm = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "x", "sender_key": "x", "session_id": "x", "device_id": "x"}
    event = {
        "type": "m.room.encrypted",
        "event_id": "$1",
        "sender": "@mira:matrix.test",
        "origin_server_ts": 1,
        "content": megolm,
    }
    assert isinstance(understood(around, "!elsewhere", event), Said)
    with pytest.raises(Opaque):
        understood(around, "!here", event)


async def test_a_key_that_is_kept_from_the_bot_is_told_of_with_its_reason(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with scene(homeserver, login, tmp_path, strict=True) as on:
        await on.mira.say(on.room, "one", thread=await on.aled.say(on.room, "root"))
        await on.bot.until_heard(on.room, ["root", "unreadable"])
        unreadable = on.bot.listener.told[-1]
        assert isinstance(unreadable, Unreadable)
        assert "verified devices only" in unreadable.why
        assert "understudy matrix doctor" in unreadable.why
        assert unreadable.root == on.bot.listener.told[0].event


async def test_what_can_never_be_opened_stops_nothing(homeserver: Synapse, login: Login, tmp_path: Path) -> None:
    async with scene(homeserver, login, tmp_path) as on:
        for content in ({"algorithm": "m.megolm.v1.aes-sha2"}, {"algorithm": "odd", "ciphertext": {}}, {"session_id": 5}):
            await Person.send(on.aled, on.room, "m.room.encrypted", content)
        await on.aled.say(on.room, "one")
        await on.bot.until(lambda: "one" in on.bot.listener.texts(on.room))
        assert on.bot.metrics.counts["matrix_defects", ""] == 0
