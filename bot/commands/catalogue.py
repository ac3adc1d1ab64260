"""Each command once, as data that every platform makes its own form of. What a command does is not known here."""

from difflib import get_close_matches

from bot.commands.spec import CommandSpec, Who
from bot.commands.story_commands import POST_COMMANDS, REPLY_COMMANDS, STORY_COMMANDS
from bot.commands.table_commands import OWN_COMMANDS, TABLE_COMMANDS
from bot.commands.world_commands import CAST_COMMANDS, MEMORY_COMMANDS

COMMANDS: tuple[CommandSpec, ...] = (
    *STORY_COMMANDS,
    *REPLY_COMMANDS,
    *POST_COMMANDS,
    *CAST_COMMANDS,
    *MEMORY_COMMANDS,
    *TABLE_COMMANDS,
    *OWN_COMMANDS,
)

GROUPS = {
    "persona": "Who you are in a story",
    "character": "Whom the model plays",
    "lore": "What the model is told when the story touches it",
    "summary": "What the model is told of what it no longer sees",
    "lines": "What never happens in this story",
    "veils": "What happens only out of sight in this story",
    "privacy": "What is kept of you",
}
"""What the commands of each group are about: a group is no command itself."""

_BY_NAME = {spec.name: spec for spec in COMMANDS}


def find(name: str) -> CommandSpec | None:
    """The command of this name, whatever its case and blanks; None when there is none."""
    return _BY_NAME.get(_plain(name))


def members(group: str) -> tuple[CommandSpec, ...]:
    """The commands of a group; empty when there is no such group."""
    plain = _plain(group)
    return tuple(spec for spec in COMMANDS if plain and spec.group == plain)


def visible(who: Who) -> tuple[CommandSpec, ...]:
    """The commands that somebody of this circle may use, in the order of the catalogue."""
    return tuple(spec for spec in COMMANDS if who.may(spec.who))


def nearest(name: str) -> CommandSpec | None:
    """The command whose name is most like this one; None when none is like it."""
    close = get_close_matches(_plain(name), _BY_NAME, n=1)
    return _BY_NAME[close[0]] if close else None


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()
