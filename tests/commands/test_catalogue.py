"""The catalogue fits every platform that makes commands of it, and says who may do what."""

import re
from itertools import pairwise

import pytest

from bot.commands.catalogue import COMMANDS, GROUPS, find, members, nearest, visible
from bot.commands.parse import parse
from bot.commands.spec import CommandSpec, OptionKind, Who, usage

NAME = re.compile(r"[-_a-z0-9]{1,32}")
"""What Discord takes as the name of a command, a group, a subcommand or an option."""

EVERY = pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.name)


def test_every_command_is_there_once() -> None:
    names = [spec.name for spec in COMMANDS]
    assert len({*names}) == len(names)
    assert {"start", "retry", "character import", "privacy forget", "help"} <= {*names}


@EVERY
def test_names_and_descriptions_fit_discord(spec: CommandSpec) -> None:
    assert 1 <= len(spec.name.split(" ")) <= 2
    named = [*spec.name.split(" "), *(option.name for option in spec.options)]
    assert [name for name in named if not NAME.fullmatch(name)] == []
    described = [spec.help, *(option.help for option in spec.options)]
    assert [text for text in described if not 1 <= len(text) <= 100] == []


@EVERY
def test_options_and_choices_fit_discord(spec: CommandSpec) -> None:
    assert len(spec.options) <= 25
    assert len({option.name for option in spec.options}) == len(spec.options)
    for option in spec.options:
        assert len(option.choices) <= 25
        assert all(1 <= len(choice) <= 100 for choice in option.choices)
        assert option.most_length <= 6_000 or option.kind is OptionKind.LONG_TEXT


@EVERY
def test_what_is_required_comes_first(spec: CommandSpec) -> None:
    required = [option.required for option in spec.options]
    assert required == sorted(required, reverse=True)


def test_commands_and_groups_fit_discord() -> None:
    tops = {spec.name.split(" ")[0] for spec in COMMANDS}
    assert len(tops) <= 100
    assert {top for top in tops if len(members(top)) > 25} == set()
    assert {top for top in tops if members(top) and find(top)} == set()


def test_every_group_says_what_it_is_about() -> None:
    assert GROUPS.keys() == {spec.group for spec in COMMANDS if spec.group}
    assert all(1 <= len(text) <= 100 for text in GROUPS.values())


def test_each_top_command_with_all_below_it_fits_into_what_discord_reads() -> None:
    sizes: dict[str, int] = {}
    for spec in COMMANDS:
        texts = [
            spec.name,
            spec.help,
            *(text for each in spec.options for text in (each.name, each.help, *each.choices, *each.choices)),
        ]
        top = spec.name.split(" ")[0]
        sizes[top] = sizes.get(top, 0) + sum(map(len, texts))
    assert {top: size for top, size in sizes.items() if size > 8_000} == {}


@EVERY
def test_only_choices_have_choices(spec: CommandSpec) -> None:
    assert all(bool(option.choices) == (option.kind is OptionKind.CHOICE) for option in spec.options)


@EVERY
def test_a_line_can_be_read_in_one_way(spec: CommandSpec) -> None:
    # Only the last placed option may be missing, and only the last may hold blanks without quotes.
    assert all(option.required for option in spec.placed[:-1])
    assert spec.rest in (None, *spec.placed[-1:])


@EVERY
def test_every_example_is_a_line_of_its_command(spec: CommandSpec) -> None:
    assert [parse(example).spec.name for example in spec.examples] == [spec.name] * len(spec.examples)


def test_a_command_that_takes_typed_options_shows_how() -> None:
    silent = [spec.name for spec in COMMANDS if not spec.examples and any(o.kind is not OptionKind.FILE for o in spec.options)]
    assert silent == []


def test_a_command_is_found_whatever_its_case_and_blanks() -> None:
    assert find(" Character   IMPORT ") is find("character import") is not None
    assert find("character") is None
    assert find("") is None


def test_a_group_has_its_members() -> None:
    assert [spec.name for spec in members("Lines")] == ["lines add", "lines remove"]
    assert members("retry") == members("") == ()


@pytest.mark.parametrize(
    ("typed", "meant"), [("retyr", "retry"), ("swip", "swipe"), ("persona sett", "persona set"), ("contineu", "continue")]
)
def test_what_was_mistyped_is_guessed(typed: str, meant: str) -> None:
    assert nearest(typed) is find(meant)


@pytest.mark.parametrize("typed", ["", "qqqq", "x" * 100_000])
def test_what_is_like_nothing_is_not_guessed(typed: str) -> None:
    assert nearest(typed) is None


def test_each_circle_may_do_what_the_wider_ones_may_and_more() -> None:
    seen = [{spec.name for spec in visible(who)} for who in Who]
    assert all(wide < narrow for wide, narrow in pairwise(seen))
    assert seen[-1] == {spec.name for spec in COMMANDS}


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("start", Who.ANYONE),
        ("report", Who.ANYONE),
        ("privacy forget", Who.ANYONE),
        ("retry", Who.PLAYER),
        ("pause", Who.PLAYER),
        ("unpause", Who.TABLE),
        ("rewind", Who.TABLE),
        ("remove", Who.TABLE),
        ("settings", Who.TABLE),
        ("character delete", Who.OPERATOR),
    ],
)
def test_who_may_do_what(name: str, who: Who) -> None:
    spec = find(name)
    assert spec is not None
    assert spec.who is who


@pytest.mark.parametrize("name", ["report", "privacy show", "privacy export", "why", "lines add", "veils add"])
def test_what_is_nobody_elses_business_is_answered_in_private(name: str) -> None:
    spec = find(name)
    assert spec is not None
    assert spec.private


@pytest.mark.parametrize("name", ["stop", "status", "why", "help", "report"])
def test_what_cannot_wait_for_a_reply_does_not(name: str) -> None:
    spec = find(name)
    assert spec is not None
    assert not spec.is_story


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("undo", "undo"),
        ("retry", "retry [length]"),
        ("edit", "edit <turn> <text>"),
        ("start", "start <character> [scenario] [length:…]"),
        ("character import", "character import (with a file)"),
    ],
)
def test_the_usage_shows_what_is_needed_and_what_may_be_left_out(name: str, written: str) -> None:
    spec = find(name)
    assert spec is not None
    assert usage(spec) == written
