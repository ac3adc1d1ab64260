"""Which text is a command, and what of it only this platform knows. The catalogue's own parser reads the rest. Pure."""

import contextlib
import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum

from adapters.matrix.commands.signs import HELP as REACTIONS_HELP
from bot.commands.catalogue import COMMANDS, find, members
from bot.commands.help import Written, after
from bot.commands.parse import Asked, parse
from bot.commands.spec import CommandSpec, OptionKind
from bot.errors import Refused

ADULTS = "adults"
REACTIONS = "reactions"
OPENING = frozenset({"start", "resume", "import", "adopt"})
"""Commands that may say in which part of a room their story is played."""

_FIRST = re.compile(r"\s*(\S+)\s*")
_WHERE = re.compile(r"where[:=](\S*)", re.IGNORECASE)
_ENDS = re.compile(r"\s+[a-z_-]{1,32}[:=]\S+\s*\Z")
_NUMBER = re.compile(r"\s*\S+\s+#?[0-9]+(?:\s|\Z)")


class Where(StrEnum):
    """The part of a room that a story is played in: its main timeline, or a thread of its own."""

    ROOM = "room"
    THREAD = "thread"


@dataclass(frozen=True, slots=True)
class Line:
    """A command as it was written, without the prefix: its first word, and where its story shall be played, if it says so."""

    text: str
    where: Where | None = None

    @property
    def word(self) -> str:
        """The first word, in lower case; empty for the prefix alone."""
        found = _FIRST.match(self.text)
        return found[1].casefold() if found else ""

    @property
    def rest(self) -> str:
        """What follows the first word."""
        found = _FIRST.match(self.text)
        return self.text[found.end() :].strip() if found else ""


def written(prefix: str) -> Written:
    """How a command is written here."""
    return after(f"{prefix} ")


def command_in(text: str, prefix: str) -> str | None:
    """What follows the prefix in a text that is a command; None for one that is none. The prefix may be in any case."""
    stripped = text.lstrip()
    head, rest = stripped[: len(prefix)], stripped[len(prefix) :]
    if head.casefold() != prefix.casefold() or (rest and not rest[0].isspace()):
        return None
    return rest.strip()


def line_of(text: str) -> Line:
    """A command's text, with the part of the room that it names taken out of it. Raises Refused for a part that is none."""
    line = Line(text)
    if line.word not in OPENING:
        return line
    head, rest, ends = text[: _end_of_word(text)], text[_end_of_word(text) :], ""
    if (named := _WHERE.match(rest.lstrip())) and rest[:1].isspace():
        return Line(f"{head} {rest.lstrip()[named.end() :].lstrip()}".strip(), _part(named[1]))
    while found := _ENDS.search(rest):
        last, rest = found[0].strip(), rest[: found.start()]
        if named := _WHERE.fullmatch(last):
            return Line(f"{head}{rest}{ends}", _part(named[1]))
        ends = f" {last}{ends}"
    return line


def read(line: str, replied_to: int | None, newest: int | None, attached: str = "") -> Asked:
    """The command of a line. `replied_to` is the turn that it answers, `newest` the one that is meant where none is named.

    A number that is written goes before the newest turn, and what the line answers before both: so `edit 12 monkeys came` edits
    turn 12, but in reply to a post that post. Raises Refused, with how the command is written.
    """
    if replied_to is not None:
        with contextlib.suppress(Refused):
            return parse(line, replied_to, attached)
        return parse(line, attached=attached)
    if newest is None or _NUMBER.match(line):
        return parse(line, attached=attached)
    try:
        return parse(line, attached=attached)
    except Refused:
        return parse(line, newest, attached)


def spec_of(line: str) -> CommandSpec | None:
    """The command that a line begins with; None for none that there is."""
    words = line.split(maxsplit=2)
    return find(" ".join(words[:2])) or find(words[0]) if words else None


def takes_file(spec: CommandSpec) -> bool:
    """Whether a command is about a file that comes with it."""
    return any(option.kind is OptionKind.FILE for option in spec.options)


def takes_text_file(spec: CommandSpec) -> bool:
    """Whether a command's text may come as a file, being too long for a message."""
    return not takes_file(spec) and spec.rest is not None and spec.rest.kind is OptionKind.LONG_TEXT


def own_help(topic: str, prefix: str) -> str | None:
    """What there is to read about what only this platform has; None where the topic is none of that."""
    return {
        ADULTS: _ADULTS_HELP.format(prefix=prefix),
        f"{ADULTS} on": _ADULTS_HELP.format(prefix=prefix),
        f"{ADULTS} off": _ADULTS_HELP.format(prefix=prefix),
        REACTIONS: REACTIONS_HELP,
    }.get(" ".join(topic.casefold().split()))


def overview(catalogue: str, prefix: str) -> str:
    """The overview of all commands, with what only this platform has behind that of the catalogue."""
    return "\n\n".join([catalogue, _OVERVIEW.format(prefix=prefix)])


def refuse_unknown(word: str) -> None:
    """Raises Refused for a word that is no command, but most like one that only this platform has."""
    if find(word) is not None or members(word):
        return
    close = get_close_matches(word, (ADULTS, REACTIONS, *(spec.name for spec in COMMANDS)), n=1)
    if close and close[0] in {ADULTS, REACTIONS}:
        raise Refused(f'There is no command "{word}"; the nearest is: {close[0]}.')


_OVERVIEW = """\
On Matrix: {prefix} adults (whether this room is for adults only), {prefix} help reactions.
{prefix} start, resume and import open a thread, but in a room of three or fewer; where:room or where:thread at the end says \
otherwise. A command about a post means the newest one, the one that it replies to, or the one whose number you write. A file \
comes with its command as the caption, or the command replies to it. What begins with // is talk beside the story.\
"""

_ADULTS_HELP = """\
{prefix} adults [on|off]
Say that this room, with all its threads, is for adults only, or show how it stands.
Characters for adults, and models that are not rated for everybody, play only in such rooms. Only an administrator of the room \
can say it (power level 100, or who made the room), and only where nobody comes in without an invitation.\
"""


def _end_of_word(text: str) -> int:
    found = _FIRST.match(text)
    return found.end(1) if found else 0


def _part(name: str) -> Where:
    try:
        return Where(name.casefold())
    except ValueError:
        raise Refused(f"where must be one of {', '.join(Where)}.") from None


def with_text(line: Line, text: str) -> Line:
    """A line with a text behind it, which came as a file."""
    return replace(line, text=f"{line.text}\n{text}")
