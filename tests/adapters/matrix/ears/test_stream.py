"""The ears before a real Synapse: what is written in rooms is heard, in order, whatever happens to the bot meanwhile."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from adapters.matrix.heard import Heard, Reacted, Redacted, Rewritten, Said
from adapters.matrix.words import MATRIX, place_of
from tests.adapters.matrix.ears.ears import listening, room_with
from tests.homeserver.people import Person, people
from tests.homeserver.server import Login, Synapse


@pytest.fixture
def login(homeserver: Synapse) -> Login:
    return homeserver.register(homeserver.fresh_name("bot"))


async def test_what_is_said_and_done_is_heard_in_order(homeserver: Synapse, login: Login, tmp_path: Path) -> None:
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path) as bot:
        room = await room_with(bot, mira)
        first = await mira.say(room, "One")
        reply = await mira.say(room, "Two", reply_to=first)
        inside = await mira.say(room, "Three", thread=first)
        await mira.edit(room, reply, "Two and a half")
        await mira.react(room, first, "🔄")
        await mira.redact(room, inside)
        await mira.say(room, "waves", msgtype="m.emote")
        await bot.until_heard(room, ["One", "Two", "Three", "edit: Two and a half", "🔄", "redaction", "waves"])
        said = [each for each in bot.listener.told if isinstance(each, Said)]
        assert [(each.root, each.answers, each.is_emote) for each in said] == [
            ("", "", False),
            ("", first, False),
            (first, "", False),
            ("", "", True),
        ]
        about = [each.of for each in bot.listener.told if isinstance(each, Rewritten | Reacted | Redacted)]
        assert about == [reply, first, inside]
        assert bot.supervisor.newest_in(room) == said[-1].event
        await bot.until(lambda: bot.supervisor.is_idle)
        assert not await bot.store.arrived(MATRIX)


async def test_a_restart_loses_nothing_and_brings_nothing_twice(homeserver: Synapse, login: Login, tmp_path: Path) -> None:
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path) as bot:
        room = await room_with(bot, mira)
        await mira.say(room, "before")
        await bot.until_heard(room, ["before"])
        await bot.stop()
        await mira.say(room, "meanwhile")
        bot.start()
        await bot.until_heard(room, ["before", "meanwhile"])
        assert mira.user_id in bot.rooms.of(room).members
        assert mira.user_id in bot.line.client.rooms[room].users
        await bot.restart()
        await bot.until_connected()
        await mira.say(room, "after")
        await bot.until_heard(room, ["before", "meanwhile", "after"])


async def test_what_was_written_before_the_very_first_start_is_not_heard(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with people(homeserver, "mira") as (mira,), Person(login) as himself:
        room = await mira.create_room("Tavern", invite=[login.user_id])
        await himself.join(room)
        await mira.say(room, "long ago")
        async with listening(login, tmp_path) as bot:
            await mira.say(room, "now")
            await bot.until_heard(room, ["now"])


async def test_what_was_heard_and_not_dealt_with_when_it_was_killed_is_heard_again_in_order(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path) as bot:
        room = await room_with(bot, mira)
        stuck = asyncio.Event()

        async def hang(heard: Heard) -> None:
            if isinstance(heard, Said) and heard.text == "two":
                stuck.set()
                await asyncio.Event().wait()

        bot.listener.before = hang
        for text in ("one", "two", "three"):
            await mira.say(room, text)
        await stuck.wait()
        await bot.until(lambda: len(bot.store._arrivals) >= 3)
        await bot.stop()
        bot.listener.before = None
        await mira.say(room, "four")
        bot.start()
        await bot.until_heard(room, ["one", "two", "three", "four"])


async def test_25_messages_in_two_rooms_behind_a_limit_of_10_are_all_heard_in_order(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path, timeline=10) as bot:
        rooms = [await room_with(bot, mira, version=version) for version in ("10", "12")]
        await bot.stop()
        for number in range(25):
            for room in rooms:
                await mira.say(room, str(number))
        bot.start()
        for room in rooms:
            await bot.until_heard(room, [str(number) for number in range(25)])
        assert bot.metrics.counts["matrix_gaps_cut", ""] == 0


async def test_a_slow_listener_in_one_room_holds_up_no_other_and_not_the_stream(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path) as bot:
        slow, quick = await room_with(bot, mira), await room_with(bot, mira)
        go_on = asyncio.Event()

        async def wait(heard: Heard) -> None:
            if heard.room == slow:
                await go_on.wait()

        bot.listener.before = wait
        await mira.say(slow, "one")
        await mira.say(slow, "two")
        await mira.say(quick, "three")
        await bot.until_heard(quick, ["three"])
        assert not bot.listener.texts(slow)
        assert not bot.supervisor.is_idle
        go_on.set()
        await bot.until_heard(slow, ["one", "two"])


async def test_what_concerns_nobody_is_kept_nowhere_unless_something_older_waits(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path) as bot:
        room = await room_with(bot, mira)
        await bot.until(lambda: bot.supervisor.is_idle)
        bot.listener.cares = lambda heard: isinstance(heard, Said) and heard.text.startswith("!rp")
        ignored = await mira.say(room, "chatter")
        await bot.until(lambda: bot.supervisor.newest_in(room) == ignored and bot.supervisor.is_idle)
        assert not any(str(event) == ignored for _, event in bot.store._arrivals)
        go_on = asyncio.Event()
        bot.listener.before = lambda _: go_on.wait()  # type: ignore[assignment,return-value]  # what it returns does not matter
        await mira.say(room, "!rp start")
        last = await mira.say(room, "the first post")
        await bot.until(lambda: bot.supervisor.newest_in(room) == last)
        go_on.set()
        await bot.until_heard(room, ["!rp start", "the first post"])


async def test_a_message_that_breaks_the_listener_stops_neither_its_room_nor_another(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path) as bot:
        room, other = await room_with(bot, mira), await room_with(bot, mira)

        def is_concerned(heard: Heard) -> bool:
            if isinstance(heard, Said) and heard.text == "odd":
                raise RuntimeError("a defect")
            return True

        bot.listener.cares = is_concerned
        await mira.say(room, "odd")
        await mira.say(other, "fine")
        await bot.until_heard(other, ["fine"])
        await bot.until_heard(room, ["odd"])
        bot.listener.cares = lambda _: True

        async def break_once(heard: Heard) -> None:
            if isinstance(heard, Said) and heard.text == "worse":
                raise RuntimeError("a defect")

        bot.listener.before = break_once
        await mira.say(room, "worse")
        await mira.say(room, "well")
        await bot.until(lambda: "well" in bot.listener.texts(room))
        assert bot.supervisor.state.errors == 0


ODD_CONTENTS: tuple[dict[str, Any], ...] = (
    {"msgtype": "m.text", "body": "x", "m.relates_to": "str"},
    {"msgtype": "m.image", "body": "x", "url": [], "info": 5},
    {"msgtype": "m.text", "body": "x", "m.new_content": [], "m.relates_to": {"rel_type": "m.replace", "event_id": 5}},
)


async def test_no_odd_event_state_or_message_to_the_device_makes_it_deaf(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path) as bot:
        room = await room_with(bot, mira, encrypted=True)
        for content in ODD_CONTENTS:
            await mira.send(room, "m.room.message", content)
        await mira.send(room, "m.room.encrypted", {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": 5})
        await mira.set_state(room, "m.room.encryption", {"algorithm": "odd"})
        ours = {bot.user_id: {login.device_id: {"algorithm": "m.olm.v1.curve25519-aes-sha2", "ciphertext": {"x": 5}}}}
        await mira.wire.ask("PUT", "/sendToDevice/m.room.encrypted/1", {"messages": ours})
        deep: Any = []
        for _ in range(850):
            deep = [deep]
        odd = {bot.user_id: {"*": {"room_id": [], "code": 5, "deep": deep}}}
        await mira.wire.ask("PUT", "/sendToDevice/m.room_key.withheld/2", {"messages": odd})
        await mira.say(room, "well")
        await bot.until(lambda: "well" in bot.listener.texts(room))
        assert bot.supervisor.state.errors == 0
        assert bot.metrics.counts["matrix_defects", ""] == 0


async def test_the_room_of_a_story_that_vanished_while_the_bot_was_away_is_told_to_be_gone(
    homeserver: Synapse, login: Login, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path) as bot:
        room = await room_with(bot, mira)
        await bot.until(lambda: bot.supervisor.is_idle)
        await bot.stop()

        async def places() -> tuple[object, ...]:
            return (place_of("!vanished:matrix.test"), place_of(room, "$root"))

        monkeypatch.setattr(type(bot.store), "places", lambda _: places())
        bot.start()
        await bot.until(lambda: bot.listener.ended)
        assert bot.listener.ended == ["!vanished:matrix.test"]
