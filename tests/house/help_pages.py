"""The pages of help: what `/help` tells players of each command, and `--help` operators. It knows no command by name.

`python -m tests.house.help_pages` writes them anew.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click

from adapters.cli import understudy
from bot.commands.catalogue import COMMANDS
from bot.commands.help import after, help_text
from bot.commands.spec import CommandSpec, Topic
from tests.house.project import ROOT

ORIGIN = "<!-- from the code: python -m tests.house.help_pages -->"

COMMANDS_HEAD = f"""# The commands, one by one

{ORIGIN}

What `/help` says of each, for players. On Discord the commands on a story as a whole are those of `/rp`; on Matrix all begin
with `!rp`. What stands in `<…>` is needed, what stands in `[…]` may be left out. [playing.md](playing.md) says how they play
together.
"""

LINE_HEAD = f"""# The command line

{ORIGIN}

What `understudy --help` says, and that of each command. In a clone, `.venv/bin/python -m bot` is the same as `understudy`; in a
container it is what the image runs. A command ends with 0 when it is done, with 2 when it cannot be done and it says why, with
130 when it was interrupted.
"""

_MARKUP = re.compile(r"([\\*]|<(?=[A-Za-z/!])|(?<!\w)_|_(?!\w))")
_END = re.compile(r"\.(?=\s|$)")


def commands() -> str:
    """The page of the players' commands."""
    parts = [COMMANDS_HEAD]
    for topic in Topic:
        parts += [f"## {topic}\n", *(_command(spec) for spec in COMMANDS if spec.topic is topic)]
    return "\n".join(parts)


def command_line() -> str:
    """The page of the command line."""
    # Without what it would do: only then does it hand its settings (-h, --help) to the commands below it.
    root = understudy.make_context("understudy", [], resilient_parsing=True)
    return "\n".join([LINE_HEAD, *(_of_line(each) for each in _all(root))])


PAGES: Mapping[Path, Callable[[], str]] = {
    ROOT / "docs" / "commands.md": commands,
    ROOT / "docs" / "command-line.md": command_line,
}
"""Which pages there are, and how each is made."""


def _command(spec: CommandSpec) -> str:
    written, *lines = help_text(spec, after("/")).splitlines()
    options = [f"- {_plain(line[2:])}" for line in lines if line.startswith("- ")]
    rest = [_sentence(line) for line in lines if not line.startswith("- ")]
    parts = [f"### `{spec.name}`", f"`{written}`", rest[0], "\n".join(options), "  \n".join(rest[1:])]
    return "\n\n".join(part for part in parts if part) + "\n"


def _sentence(line: str) -> str:
    before, mark, example = line.partition("Example: ")
    return f"{before}{mark}`{example}`" if mark else _plain(line)


def _all(context: click.Context) -> Iterator[click.Context]:
    """A command, and those that are its own."""
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            yield from _all(click.Context(context.command.commands[name], info_name=name, parent=context))


def _of_line(context: click.Context) -> str:
    command = context.command
    parts = [f"## `{context.command_path}`", f"`{context.command_path} {' '.join(command.collect_usage_pieces(context))}`"]
    parts += [_plain(" ".join(each.split())) for each in (command.help or "").split("\n\n")]
    if isinstance(command, click.Group):
        own = [(name, _END.split(command.commands[name].help or "")[0]) for name in command.list_commands(context)]
        parts.append("\n".join(f"- `{name}`: {_plain(told)}." for name, told in own))
    records = [record for each in command.get_params(context) if (record := each.get_help_record(context))]
    parts.append("\n".join(f"- `{name}`: {_plain(told)}" for name, told in records if told))
    return "\n\n".join(parts) + "\n"


def _plain(text: str) -> str:
    """Text that is markup nowhere but where it names something in backticks."""
    pieces = text.split("`")
    return "`".join(piece if at % 2 else _MARKUP.sub(r"\\\1", piece) for at, piece in enumerate(pieces))


if __name__ == "__main__":
    for page, made in PAGES.items():
        page.write_text(made(), encoding="utf-8")
