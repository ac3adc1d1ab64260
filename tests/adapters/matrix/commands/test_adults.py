"""Whether a room is for adults only: who says so, where it can be said, and how it stands."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.adapters.matrix.commands.commands_stage import ADA, CHAT, MIRELA, TAVERN, TOBIAS, Stage, stage

PUBLIC = {"m.room.join_rules": {"join_rule": "public"}}
SPACE = {"m.room.join_rules": {"join_rule": "restricted"}}
READABLE = {"m.room.history_visibility": {"history_visibility": "world_readable"}}
LEVELS = {"m.room.power_levels": {"users": {MIRELA: 100, TOBIAS: 50}}}


async def told(on: Stage, line: str, room: str = TAVERN, *, by: str = ADA) -> str:
    event = await on.say(line, room, by=by)
    [answer] = on.answers_to(event)
    return answer.text


async def test_whoever_made_a_room_says_that_it_is_for_adults_and_takes_it_back() -> None:
    async with stage() as on:
        assert (await told(on, "!rp adults on")).startswith("This room, with all its threads, is for adults only now")
        assert on.rooms.of(TAVERN).is_for_adults
        assert (await told(on, "!rp adults")).startswith("This room is for adults only.")
        assert (await told(on, "!rp adults off")).startswith("This room is not for adults only any more")
        assert not on.rooms.of(TAVERN).is_for_adults
        assert (await told(on, "!rp adults")).startswith("This room is not for adults only. An administrator")


async def test_what_was_said_is_remembered_by_the_next_run() -> None:
    async with stage() as on:
        await told(on, "!rp adults on")
        await on.rooms.load()
        assert on.rooms.of(TAVERN).is_for_adults


async def test_nobody_else_says_it() -> None:
    async with stage(operators=frozenset({TOBIAS})) as on:
        await on.open_room("!old", ADA, TOBIAS, MIRELA, version="10", state=LEVELS)
        assert "Only an administrator" in await told(on, "!rp adults on", by=TOBIAS)
        assert "Only an administrator" in await told(on, "!rp adults on", "!old", by=TOBIAS)
        assert not on.rooms.of("!old").is_for_adults
        await told(on, "!rp adults on", "!old", by=MIRELA)
        assert on.rooms.of("!old").is_for_adults


@pytest.mark.parametrize(
    ("state", "settings", "why"),
    [
        (PUBLIC, {}, "without an invitation"),
        (SPACE, {}, "without an invitation"),
        (READABLE, {}, "Anybody can read this room"),
        ({**PUBLIC, **READABLE}, {"adults_in_public": True}, "Anybody can read this room"),
    ],
)
async def test_a_room_that_others_come_into_or_read_is_refused(
    state: Mapping[str, Mapping[str, Any]], settings: Mapping[str, Any], why: str
) -> None:
    async with stage(**settings) as on:
        await on.open_room("!open", ADA, TOBIAS, MIRELA, state=state)
        assert why in await told(on, "!rp adults on", "!open")
        assert not on.rooms.of("!open").is_for_adults


async def test_the_operator_can_let_public_rooms_be_for_adults() -> None:
    async with stage(adults_in_public=True) as on:
        await on.open_room("!open", ADA, TOBIAS, MIRELA, state=PUBLIC)
        await told(on, "!rp adults on", "!open")
        assert on.rooms.of("!open").is_for_adults


async def test_a_room_that_was_opened_since_shows_that_it_does_not_count() -> None:
    async with stage() as on:
        await told(on, "!rp adults on")
        await on.rooms.tell(
            TAVERN, [{"type": "m.room.join_rules", "state_key": "", "sender": ADA, "content": {"join_rule": "public"}}]
        )
        assert "does not count now. People come into this room" in await told(on, "!rp adults")


async def test_where_two_talk_whoever_made_the_chat_decides() -> None:
    async with stage() as on:
        assert (await told(on, "!rp adults on", CHAT, by=TOBIAS)).startswith("This room, with all its threads")


async def test_another_word_is_told_how_to_write_it() -> None:
    async with stage() as on:
        assert "!rp adults on or !rp adults off" in await told(on, "!rp adults please")
