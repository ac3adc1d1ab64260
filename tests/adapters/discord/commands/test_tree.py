"""The catalogue as application commands: within Discord's limits, and nothing of it left out."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.discord.commands import forms
from adapters.discord.commands.offering import OF_THE_CAST
from adapters.discord.commands.tree import (
    COMPLETED,
    TAKE,
    TEXT_FILE,
    WHERE,
    command_name,
    fingerprint,
    may_be_left_out,
    payload,
    spec_of,
    written,
)
from bot.commands.catalogue import COMMANDS
from bot.commands.spec import OptionKind, Topic

SUBCOMMAND, STRING, INTEGER, CHANNEL, ATTACHMENT = 1, 3, 4, 7, 11
KINDS = {
    OptionKind.TEXT: STRING,
    OptionKind.LONG_TEXT: STRING,
    OptionKind.CHARACTER: STRING,
    OptionKind.PLAYER: STRING,
    OptionKind.CHOICE: STRING,
    OptionKind.NUMBER: INTEGER,
    OptionKind.TURN: INTEGER,
    OptionKind.FILE: ATTACHMENT,
}
NAME = re.compile(r"[-_'a-z0-9]{1,32}")


def slash_commands() -> list[dict[str, Any]]:
    return [each for each in payload() if each["type"] == 1]


def ends() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every slash command by its whole name, those of groups with the group's name before theirs."""
    for each in slash_commands():
        members = [one for one in each["options"] if one["type"] == SUBCOMMAND]
        yield from ((f"{each['name']} {one['name']}", one) for one in members)
        if not members:
            yield each["name"], each


def option_of(command: str, name: str) -> dict[str, Any]:
    return next(each for each in dict(ends())[command]["options"] if each["name"] == name)


def test_every_command_of_the_catalogue_is_a_slash_command() -> None:
    assert sorted(name for name, _ in ends()) == sorted(command_name(spec.name) for spec in COMMANDS)


def test_commands_on_the_story_stand_under_rp_and_all_others_keep_their_names() -> None:
    assert command_name("start") == "rp start"
    assert command_name("retry") == "retry"
    assert command_name("lore add") == "lore add"
    assert {command_name(spec.name).split()[0] for spec in COMMANDS if spec.topic is Topic.STORY} == {"rp"}


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.name)
def test_a_slash_command_is_found_again_by_its_name(spec: Any) -> None:
    assert spec_of(command_name(spec.name)) is spec


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.name)
def test_every_option_of_the_catalogue_has_its_kind_and_bounds(spec: Any) -> None:
    shown = {each["name"]: each for each in dict(ends())[command_name(spec.name)]["options"]}
    for option in spec.options:
        made = shown.pop(option.name)
        assert made["type"] == KINDS[option.kind]
        assert made.get("required", False) == (option.required and not may_be_left_out(spec, option))
        is_text = made["type"] == STRING and "choices" not in made
        assert made.get("max_length") == (min(option.most_length, 6000) if is_text else None)
        if made["type"] == INTEGER:
            assert (made["min_value"], made["max_value"]) == (option.least, option.most)
        assert tuple(each["value"] for each in made.get("choices", ())) == option.choices
        assert made.get("autocomplete", False) == (option.kind in COMPLETED or (spec.name, option.name) == ("help", "command"))
    assert set(shown) <= {TEXT_FILE, WHERE}


def test_a_long_text_may_always_be_left_out_so_that_a_form_asks_for_it() -> None:
    for spec in COMMANDS:
        for option in spec.options:
            if option.kind is OptionKind.LONG_TEXT:
                assert "required" not in option_of(command_name(spec.name), option.name)


def test_a_text_longer_than_a_field_may_come_as_a_file() -> None:
    takes = {
        name for name, each in ends() if any(one["name"] == TEXT_FILE and "required" not in one for one in each["options"])
    }
    assert takes == {"edit", "summary edit", "rp part"}


def test_a_story_may_be_begun_in_a_text_channel_or_a_forum_elsewhere() -> None:
    assert option_of("rp start", WHERE)["channel_types"] == [0, 15]


def test_all_is_within_the_limits_of_discord() -> None:
    commands = payload(is_degraded=True)
    assert len([each for each in commands if each["type"] == 1]) <= 100
    assert len([each for each in commands if each["type"] == 3]) <= 5
    assert len({(each["type"], each["name"]) for each in commands}) == len(commands)
    for each in commands:
        assert 1 <= len(each["name"]) <= 32
        assert length(each) <= 8000
    for each in parts(slash_commands()):
        assert NAME.fullmatch(each["name"])
        assert 1 <= len(each["description"]) <= 100
        assert len(each.get("options", ())) <= 25
        needed = [one.get("required", False) for one in each.get("options", ())]
        assert needed == sorted(needed, reverse=True), "what is required comes first"
        assert len(each.get("choices", ())) <= 25
        assert not ("choices" in each and "autocomplete" in each)
        assert all(1 <= len(one["name"]) <= 100 and 1 <= len(one["value"]) <= 100 for one in each.get("choices", ()))


def test_all_is_offered_in_guilds_and_in_messages_to_the_bot_and_nowhere_else() -> None:
    for each in payload(is_degraded=True):
        assert (each["contexts"], each["integration_types"]) == ([0, 1], [0])


def test_taking_a_message_as_a_post_is_offered_only_to_a_bot_that_reads_none_by_itself() -> None:
    assert TAKE not in {each["name"] for each in payload()}
    assert TAKE in {each["name"] for each in payload(is_degraded=True)}


def test_a_command_that_changes_changes_the_fingerprint() -> None:
    changed = payload()
    changed[0] = {**changed[0], "description": "Something else"}
    assert fingerprint(payload()) == fingerprint(payload())
    assert len({fingerprint(payload()), fingerprint(changed), fingerprint(payload(is_degraded=True))}) == 3


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("start Mira", "/rp start Mira"),
        ("retry", "/retry"),
        ('lore add "a, b" c', '/lore add "a, b" c'),
        ("end", "/rp end"),
        ("start <character> [scenario]", "/rp start <character> [scenario]"),
        ("character", "/character"),
        ("starting", "/starting"),
    ],
)
def test_a_line_of_help_is_written_as_a_slash_command(line: str, shown: str) -> None:
    assert written(line) == shown


def test_whoever_is_one_of_the_cast_is_completed_from_the_cast() -> None:
    of_the_cast = {
        spec.name
        for spec in COMMANDS
        for option in spec.options
        if option.kind is OptionKind.CHARACTER and option.help == "One of the cast"
    }
    assert of_the_cast == OF_THE_CAST


@pytest.mark.parametrize("spec", [spec for spec in COMMANDS if forms.asks_for(spec)], ids=lambda spec: spec.name)
async def test_every_form_holds_what_was_said_and_is_within_the_limits(spec: Any) -> None:
    values: dict[str, str | int] = {
        option.name: option.most if option.kind.is_whole else "x" * min(option.most_length, 6000)
        for option in spec.options
        if option.kind is not OptionKind.LONG_TEXT and option.kind is not OptionKind.CHOICE
    }
    modal = forms.form(spec, values, "y" * 9000, spec.help, was="123456789abc").to_dict()
    assert len(modal["custom_id"]) <= 100
    assert 1 <= len(modal["title"]) <= 45
    assert 1 <= len(modal["components"]) <= 5
    fields = {each["component"]["custom_id"]: each["component"] for each in modal["components"]}
    assert all(len(each["value"]) <= each["max_length"] <= 4000 for each in fields.values())
    assert all(fields[each.name]["required"] == each.required for each in spec.options if each.name in fields)
    back = forms.filled(modal["custom_id"], {name: each["value"] for name, each in fields.items()})
    assert back is not None
    assert back.spec is spec
    assert back.was == "123456789abc"
    assert {name: str(value) for name, value in values.items()}.items() <= {
        name: str(value) for name, value in back.values.items()
    }.items()


def length(command: dict[str, Any]) -> int:
    """Characters that Discord counts: names, descriptions and values of a command, its groups, options and choices."""
    own = len(command["name"]) + len(command.get("description", "")) + len(str(command.get("value", "")))
    return own + sum(length(each) for each in [*command.get("options", ()), *command.get("choices", ())])


def parts(commands: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for each in commands:
        yield each
        yield from parts(each.get("options", []))
