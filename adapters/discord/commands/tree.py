"""The catalogue of commands as Discord's application commands: pure data, sent as it is. It carries nothing out.

Commands are made as payloads and not with `discord.app_commands`: that makes commands of functions and their annotations, and
ours are data already. What comes back is told apart by its name alone, so that nothing must be registered anywhere.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.commands.catalogue import COMMANDS, GROUPS, find
from bot.commands.spec import CommandSpec, Option, OptionKind, Topic

Payload = dict[str, Any]

STORY_GROUP = "rp"
STORY_GROUP_HELP = "Begin, end and take home stories"
WHERE = "where"
"""Discord's own option of the command that begins a story: the channel that it begins in."""

TEXT_FILE = "file"
"""Discord's own option of commands whose text may be longer than a field for text: a file with the text in it."""

OPTION_TEXT = 6_000
"""Characters of a text option, at most."""

FIELD_TEXT = 4_000
"""Characters of a field of a modal, at most."""

MENUS = ("Retry", "Continue", "Edit")
TAKE = "Take as post"
"""The menu of a message that is there only while the bot may not read messages by itself."""

SUBCOMMAND, STRING, INTEGER, CHANNEL, ATTACHMENT = 1, 3, 4, 7, 11
SLASH, MESSAGE_MENU = 1, 3
GUILD, DIRECT_MESSAGE = 0, 1
STARTABLE = (0, 15)
"""The kinds of channels that a story can be begun in from elsewhere: text channels and forums."""

SHORT = 100
"""Characters of a description, and of the name of a choice."""

COMPLETED = frozenset({OptionKind.CHARACTER, OptionKind.PLAYER, OptionKind.TURN})
_KINDS = {OptionKind.NUMBER: INTEGER, OptionKind.TURN: INTEGER, OptionKind.FILE: ATTACHMENT}


def command_name(name: str) -> str:
    """The slash command, without its slash, for a command of the catalogue: "start" is "rp start", "retry" stays."""
    spec = find(name)
    return f"{STORY_GROUP} {name}" if spec is not None and spec.topic is Topic.STORY else name


def spec_of(path: str) -> CommandSpec | None:
    """The command of the catalogue that a slash command stands for; None for none that is known (any more)."""
    return next((spec for spec in COMMANDS if command_name(spec.name) == path), None)


def written(line: str) -> str:
    """A line of help as it is written in Discord: "start Mira" is "/rp start Mira"."""
    words = line.split(" ", 2)
    for count in (2, 1):
        name = " ".join(words[:count])
        if find(name) is not None:
            return f"/{command_name(name)}{line[len(name) :]}"
    return f"/{line}"


def long_option(spec: CommandSpec) -> Option | None:
    """The option of a command that holds a long text, if it has one."""
    return next((option for option in spec.options if option.kind is OptionKind.LONG_TEXT), None)


def takes_text_file(spec: CommandSpec) -> bool:
    """Whether a command's text may be longer than what a field of a modal holds, so that it may come as a file."""
    option = long_option(spec)
    return option is not None and option.most_length > FIELD_TEXT


def payload(*, is_degraded: bool = False) -> list[Payload]:
    """All commands and menus, as they are put to Discord. `is_degraded`: the bot may not read messages by itself."""
    alone: list[Payload] = []
    groups: dict[str, list[Payload]] = {}
    for spec in COMMANDS:
        group, _, own = command_name(spec.name).rpartition(" ")
        if group:
            groups.setdefault(group, []).append({"type": SUBCOMMAND, **_described(own, spec.help), "options": _options(spec)})
        else:
            alone.append(_top(own, spec.help, _options(spec)))
    told = {**GROUPS, STORY_GROUP: STORY_GROUP_HELP}
    made = [_top(name, told[name], members) for name, members in groups.items()]
    menus = [*MENUS, *([TAKE] if is_degraded else [])]
    return [*made, *alone, *({"type": MESSAGE_MENU, "name": name, **_allowed()} for name in menus)]


def fingerprint(commands: Sequence[Payload]) -> str:
    """What changes when the commands do, and only then."""
    return hashlib.sha256(json.dumps(commands, sort_keys=True).encode()).hexdigest()


def is_completed(spec: CommandSpec, option: Option) -> bool:
    """Whether Discord asks us what this option may be while it is typed."""
    return option.kind in COMPLETED or (spec.name == "help" and option.kind is OptionKind.TEXT)


def _top(name: str, help_: str, options: list[Payload]) -> Payload:
    return {"type": SLASH, **_described(name, help_), "options": options, **_allowed()}


def _allowed() -> Payload:
    """Where commands are offered: in guilds that have the bot and in direct messages with it, and for everyone there."""
    return {"contexts": [GUILD, DIRECT_MESSAGE], "integration_types": [0], "default_member_permissions": None}


def _described(name: str, help_: str) -> Payload:
    return {"name": name, "description": help_ if len(help_) <= SHORT else f"{help_[: SHORT - 1]}…"}


def _options(spec: CommandSpec) -> list[Payload]:
    made = [_option(spec, option) for option in spec.options]
    if takes_text_file(spec):
        made.append(
            {"type": ATTACHMENT, **_described(TEXT_FILE, "A .txt file with the text, when it is too long to be typed here")}
        )
    if spec.name == "start":
        made.append(
            {
                "type": CHANNEL,
                **_described(WHERE, "The text channel or forum where its thread is opened; here unless you say another"),
                "channel_types": list(STARTABLE),
            }
        )
    # Discord wants all that is required first.
    return sorted(made, key=lambda each: not each.get("required", False))


def _option(spec: CommandSpec, option: Option) -> Payload:
    made: Payload = {"type": _KINDS.get(option.kind, STRING), **_described(option.name, option.help)}
    if option.required and not may_be_left_out(spec, option):
        made["required"] = True
    if is_completed(spec, option):
        made["autocomplete"] = True
    if option.kind.is_whole:
        made |= {"min_value": option.least, "max_value": option.most}
    elif option.kind is OptionKind.CHOICE:
        made["choices"] = _choices(option.choices)
    elif option.kind is not OptionKind.FILE:
        made["max_length"] = min(option.most_length, OPTION_TEXT)
    return made


def may_be_left_out(spec: CommandSpec, option: Option) -> bool:
    """Whether an option that the command needs is asked for, or found, when it is not given: a long text, the turn to edit."""
    return option.kind is OptionKind.LONG_TEXT or (spec.name == "edit" and option.kind is OptionKind.TURN)


def _choices(values: Iterable[str]) -> list[Mapping[str, str]]:
    return [{"name": value.replace("_", " "), "value": value} for value in values]
