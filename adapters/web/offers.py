"""What the page offers of the catalogue of commands: help, suggestions, titles of buttons, and lines that are commands."""

from dataclasses import dataclass
from functools import cache

from bot.commands.catalogue import COMMANDS, find, visible
from bot.commands.spec import CommandSpec, Option, OptionKind, Topic, Who, usage
from bot.story.settings import Length

PREFIX = "/"
CIRCLE = Who.OPERATOR
"""The page is for the one person in front of this machine, who runs the program."""

LENGTHS = (("none", "as it comes"), ("auto", "like your posts"), *((length.value, length.value) for length in Length))
"""The lengths that can be chosen, and how the page calls them."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One command as the page shows it. `takes_file`: it needs a file, which a line cannot bring."""

    name: str
    usage: str
    help: str
    takes_file: bool


@cache
def offers() -> tuple[tuple[str, tuple[Offer, ...]], ...]:
    """All commands under their topics, in the order of the catalogue."""
    known = [(spec.topic, _offer(spec)) for spec in visible(CIRCLE)]
    return tuple((topic.value, tuple(offer for of, offer in known if of is topic)) for topic in Topic)


@cache
def bringing() -> tuple[Offer, ...]:
    """The commands that a file is brought with."""
    return tuple(_offer(spec) for spec in visible(CIRCLE) if file_option(spec))


@cache
def titles() -> dict[str, str]:
    """What each command does, for the buttons that stand for it."""
    return {spec.name: spec.help for spec in COMMANDS}


def is_command(text: str) -> bool:
    """Whether a reply is a command: `//` begins talk beside the story, and is none."""
    return text.lstrip().startswith(PREFIX) and not text.lstrip().startswith(PREFIX * 2)


def line_of(text: str) -> str:
    """The command without its prefix, which the box for commands does not need."""
    return text.strip().removeprefix(PREFIX)


def file_option(spec: CommandSpec) -> Option | None:
    """The option of a command that is a file, if it has one."""
    return next((option for option in spec.options if option.kind is OptionKind.FILE), None)


def takes_file(name: str) -> bool:
    """Whether there is a command of this name that a file is brought with."""
    spec = find(name)
    return spec is not None and file_option(spec) is not None


def _offer(spec: CommandSpec) -> Offer:
    return Offer(spec.name, PREFIX + usage(spec), spec.help, file_option(spec) is not None)
