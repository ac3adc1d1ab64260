"""Comings and goings of the bot: who may invite it, and what it hears after it was sent away and came back."""

import itertools
import logging
from pathlib import Path
from typing import Any

import pytest

from adapters.matrix.ears.members import BETWEEN, rule_against
from adapters.matrix.settings import Settings
from tests.adapters.matrix.ears.ears import Bot, FastClock, listening, listening_through, room_with
from tests.homeserver.faults import refusal
from tests.homeserver.people import people
from tests.homeserver.server import Login, Synapse

ME, MIRA, ALED = "@bot:matrix.test", "@mira:matrix.test", "@aled:elsewhere.test"
ROOM = "!room:matrix.test"


@pytest.fixture
def login(homeserver: Synapse) -> Login:
    return homeserver.register(homeserver.fresh_name("bot"))


@pytest.mark.parametrize(
    ("rules", "mira", "aled"),
    [
        ({}, True, False),
        ({"servers": {"elsewhere.test"}}, False, True),
        ({"servers": {"*"}}, True, True),
        ({"users": {ALED}}, False, True),
        ({"users": {ALED}, "servers": {"matrix.test"}}, True, True),
        ({"rooms": {ROOM}}, True, True),
        ({"rooms": {"!other"}}, True, False),
        ({"operators": {ALED}}, True, True),
    ],
)
def test_who_may_invite_is_as_the_settings_say(rules: dict[str, set[str]], *, mira: bool, aled: bool) -> None:
    named: dict[str, Any] = {name: frozenset(names) for name, names in rules.items()}
    settings = Settings(folder=Path(), **named)
    assert (rule_against(settings, ME, MIRA, ROOM) == "") is mira
    assert (rule_against(settings, ME, ALED, ROOM) == "") is aled


async def test_a_refused_invitation_is_turned_down_once_with_a_line_that_names_the_rule(
    homeserver: Synapse, login: Login, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path, users={ALED}) as bot:
        room = await mira.create_room("Tavern", invite=[bot.user_id])
        await mira.until(lambda: turned_down(mira, room, bot))
        await bot.until(lambda: bot.supervisor.is_idle)
        (line,) = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
        why = "neither `users` nor `servers` names them, and `rooms` does not name the room"
        assert line == f"an invitation from {mira.user_id} is refused: {why}"
        assert room not in bot.rooms.joined
        assert not bot.listener.ended


async def turned_down(mira: object, room: str, bot: Bot) -> bool:
    return await mira.membership(room, bot.user_id) == "leave"  # type: ignore[attr-defined,no-any-return]  # both are known to be there


async def test_sent_away_and_invited_again_it_hears_nothing_of_before_and_nothing_twice(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path) as bot:
        room = await room_with(bot, mira)
        await mira.say(room, "one")
        await bot.until_heard(room, ["one"])
        await mira.kick(room, bot.user_id)
        await bot.until(lambda: bot.listener.ended == [room])
        assert room not in bot.rooms.joined
        await mira.say(room, "behind its back")
        await mira.invite(room, bot.user_id)
        await bot.until_in(room)
        await mira.say(room, "two")
        await bot.until_heard(room, ["one", "two"])
        assert bot.listener.ended == [room]


async def test_come_back_it_does_not_hear_what_had_concerned_nobody_before_it_was_sent_away(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path) as bot:
        room = await room_with(bot, mira)
        await bot.until(lambda: bot.supervisor.is_idle)
        bot.listener.cares = lambda _: False
        await mira.say(room, "chatter")
        await mira.kick(room, bot.user_id)
        await bot.until(lambda: bot.listener.ended)
        bot.listener.cares = lambda _: True
        await mira.invite(room, bot.user_id)
        await bot.until_in(room)
        await mira.say(room, "two")
        await bot.until_heard(room, ["two"])


async def test_what_was_said_before_it_was_sent_away_while_it_was_off_is_heard_and_then_the_end(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path, timeline=5) as bot:
        room = await room_with(bot, mira)
        await bot.until(lambda: bot.supervisor.is_idle)
        await bot.stop()
        for number in range(12):
            await mira.say(room, str(number))
        await mira.kick(room, bot.user_id)
        await mira.say(room, "behind its back")
        bot.start()
        await bot.until(lambda: bot.listener.ended)
        assert bot.listener.order == [*(str(number) for number in range(12)), f"gone from {room}"]


async def test_sent_away_and_invited_again_while_it_was_off_the_story_there_ends_and_it_comes_back(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path) as bot:
        room = await room_with(bot, mira)
        await bot.until(lambda: bot.supervisor.is_idle)
        await bot.stop()
        await mira.say(room, "one")
        await mira.kick(room, bot.user_id)
        await mira.say(room, "behind its back")
        await mira.invite(room, bot.user_id)
        bot.start()
        await bot.until_in(room)
        await mira.say(room, "two")
        await bot.until_heard(room, ["one", "two"])
        assert bot.listener.order == ["one", f"gone from {room}", "two"]


async def test_a_join_that_fails_is_tried_again_also_after_a_restart(homeserver: Synapse, login: Login, tmp_path: Path) -> None:
    async with listening_through(homeserver, login, tmp_path) as (bot, between, mira):
        between.fail("/join")
        room = await mira.create_room("Tavern", invite=[bot.user_id])
        await between.until_asked("/join", 2)
        await bot.restart()
        await between.until_asked("/join", 3)
        between.calm()
        await bot.until_in(room)
        await mira.say(room, "one")
        await bot.until_heard(room, ["one"])
        assert between.count("/join") < 20


async def test_many_invitations_are_answered_one_after_another(homeserver: Synapse, login: Login, tmp_path: Path) -> None:
    clock = FastClock(5.0)
    async with listening_through(homeserver, login, tmp_path, clock=clock) as (bot, between, mira):
        rooms = [await mira.create_room(f"{number}", invite=[bot.user_id]) for number in range(4)]
        await bot.until(lambda: bot.rooms.joined >= set(rooms))
        asked = [each.at for each in between.asked if "/join" in each.line]
        assert len(asked) == len(rooms)
        assert all(later - before >= BETWEEN / clock.speed for before, later in itertools.pairwise(asked))


async def test_an_invitation_that_is_taken_back_is_not_asked_for_any_more(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with listening_through(homeserver, login, tmp_path) as (bot, between, mira):
        between.fail("/join")
        room = await mira.create_room("Tavern", invite=[bot.user_id])
        await between.until_asked("/join", 1)
        await mira.kick(room, bot.user_id)
        await bot.until(lambda: bot.supervisor.is_idle)
        assert not bot.listener.ended


async def test_a_join_that_is_forbidden_is_given_up(
    homeserver: Synapse, login: Login, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening_through(homeserver, login, tmp_path) as (bot, between, mira):
        between.answer("/join", refusal(403, "M_FORBIDDEN", "no"))
        await mira.create_room("Tavern", invite=[bot.user_id])
        await between.until_asked("/join", 1)
        await bot.until(lambda: bot.supervisor.is_idle)
        assert between.count("/join") == 1
        assert "a room could not be joined: it answered 403 (M_FORBIDDEN)" in caplog.text


async def test_a_room_that_is_replaced_is_followed_and_told_where(homeserver: Synapse, login: Login, tmp_path: Path) -> None:
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path) as bot:
        room = await room_with(bot, mira, version="11", public=True)
        await mira.say(room, "one")
        answer = await mira.wire.ask("POST", f"/rooms/{room}/upgrade", {"new_version": "12"})
        new = str(answer["replacement_room"])
        await bot.until_in(new)
        await bot.until(lambda: bot.listener.ended)
        await mira.say(new, "two")
        await bot.until_heard(new, ["two"])
        assert bot.listener.order == ["one", f"gone from {room}", "two"]
        assert [told for told, _ in bot.said] == [room]
        assert new in bot.said[0][1]
        assert bot.rooms.of(room).successor == new


async def test_a_room_is_not_followed_to_one_that_does_not_name_it(homeserver: Synapse, login: Login, tmp_path: Path) -> None:
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path) as bot:
        room = await room_with(bot, mira)
        trap = await mira.create_room("Trap", public=True)
        await mira.entomb(room, trap)
        await bot.until(lambda: room in bot.listener.ended)
        assert bot.said == []
        assert await mira.membership(trap, bot.user_id) == "leave"


async def test_a_room_is_not_followed_for_whoever_may_not_invite(homeserver: Synapse, login: Login, tmp_path: Path) -> None:
    async with people(homeserver, "mira", "aled") as (mira, aled), listening(login, tmp_path, users={mira.user_id}) as bot:
        room = await room_with(bot, mira, version="11")
        await mira.invite(room, aled.user_id)
        await aled.join(room)
        await mira.set_power(room, {aled.user_id: 100})
        new = await aled.create_room("Trap", public=True)
        await aled.entomb(room, new)
        await bot.until(lambda: bot.listener.ended == [room])
        assert await aled.membership(new, bot.user_id) == "leave"
