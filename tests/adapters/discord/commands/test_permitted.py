"""Who may begin stories where: by what the operator set, by the kind of channel, and by what they may do there."""

from dataclasses import replace

import discord
import pytest

from adapters.discord.commands.asking import Asker, Room
from adapters.discord.commands.opening_message import first_message, title
from adapters.discord.commands.permitted import refusal_to_start
from adapters.discord.settings import Settings

TEXT, DIRECT, VOICE, THREAD = 0, 1, 2, 11
MAY = discord.Permissions(view_channel=True, send_messages=True, send_messages_in_threads=True)
ROOM = Room(20, TEXT, None, MAY)
ASKER = Asker(1, 2, "Tobias", frozenset({30}), 10, ROOM, MAY)
OPEN = Settings(token="none")  # noqa: S106 - no secret


def a_room(kind: int = TEXT, parent: int | None = None, **permissions: bool) -> Room:
    held = discord.Permissions(MAY.value)
    held.update(**permissions)
    return Room(20, kind, parent, held)


def closed(**settings: frozenset[int]) -> Settings:
    return replace(OPEN, **settings)  # type: ignore[arg-type]  # only sets of ids are given


@pytest.mark.parametrize("kind", [TEXT, 5, 15, 10, 11, 12])
def test_stories_begin_in_channels_with_threads_and_in_threads(kind: int) -> None:
    assert refusal_to_start(OPEN, ASKER, a_room(kind, 19 if kind in {10, 11, 12} else None)) is None


@pytest.mark.parametrize("kind", [VOICE, 4, 13, 16])
def test_no_story_begins_where_no_thread_is_opened(kind: int) -> None:
    assert "threads" in (refusal_to_start(OPEN, ASKER, a_room(kind)) or "")


@pytest.mark.parametrize(
    "room",
    [
        a_room(view_channel=False),
        a_room(send_messages=False),
        a_room(THREAD, 19, send_messages_in_threads=False),
    ],
)
def test_whoever_cannot_write_somewhere_begins_no_story_there(room: Room) -> None:
    assert "<#20>" in (refusal_to_start(OPEN, ASKER, room) or "")


def test_a_thread_may_be_written_in_where_its_channel_may_not() -> None:
    assert refusal_to_start(OPEN, ASKER, a_room(THREAD, 19, send_messages=False)) is None


@pytest.mark.parametrize(
    ("settings", "is_allowed"),
    [
        (closed(guilds=frozenset({10})), True),
        (closed(guilds=frozenset({11})), False),
        (closed(start_channels=frozenset({20})), True),
        (closed(start_channels=frozenset({19})), True),
        (closed(start_channels=frozenset({18})), False),
        (closed(start_roles=frozenset({30, 31})), True),
        (closed(start_roles=frozenset({31})), False),
        (closed(guilds=frozenset({10}), start_channels=frozenset({20}), start_roles=frozenset({31})), False),
        (closed(start_roles=frozenset({31}), operators=frozenset({2})), True),
    ],
)
def test_the_operators_bounds_hold_together_and_not_for_operators(settings: Settings, is_allowed: bool) -> None:  # noqa: FBT001  a parameter of the test
    assert (refusal_to_start(settings, ASKER, a_room(THREAD, 19)) is None) == is_allowed


@pytest.mark.parametrize("bound", ["guilds", "start_channels", "start_roles"])
def test_where_stories_are_bounded_none_begins_in_direct_messages_but_the_operators(bound: str) -> None:
    asker, room = replace(ASKER, guild=None), a_room(DIRECT)
    settings = closed(**{bound: frozenset({10, 20, 30})})
    assert refusal_to_start(OPEN, asker, room) is None
    assert "direct messages" in (refusal_to_start(settings, asker, room) or "")
    assert refusal_to_start(replace(settings, operators=frozenset({2})), asker, room) is None


def test_titles_and_opening_messages_are_never_too_long_for_discord() -> None:
    name, scenario = "*" * 80, "_*~`|> # " * 1000
    assert len(title(name, name, scenario)) <= 100
    assert len(title(name, name, "")) <= 100
    assert len(first_message(name, name, scenario)) <= 1900


def test_a_title_without_a_scenario_says_who_plays() -> None:
    assert title("Mira", "Tobias", " ") == "Mira and Tobias"
