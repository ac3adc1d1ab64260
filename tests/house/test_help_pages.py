"""The pages of help are what the program says: every command, with every option, word for word."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from adapters.cli import understudy
from bot.commands.catalogue import COMMANDS
from tests.house.help_pages import PAGES, command_line, commands


def every(group: click.Group, above: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{above} {name}", command
        if isinstance(command, click.Group):
            yield from every(command, f"{above} {name}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_what_the_code_has(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == PAGES[page](), "run: python -m tests.house.help_pages"


def test_no_command_of_the_players_is_missing() -> None:
    page = commands()
    assert [spec.name for spec in COMMANDS if f"### `{spec.name}`\n" not in page] == []
    assert [example for spec in COMMANDS for example in spec.examples if f"Example: `/{example}`" not in page] == []


def test_no_command_and_no_option_of_the_command_line_is_missing() -> None:
    chapters = dict(part.split("`\n", 1) for part in command_line().split("## `")[1:])
    assert set(chapters) == {"understudy", *(name for name, _ in every(understudy, "understudy"))}
    missing = [
        f"{name} {option.opts[-1]}"
        for name, command in every(understudy, "understudy")
        for option in command.params
        if isinstance(option, click.Option) and f"- `{option.opts[-1]}" not in chapters[name]
    ]
    assert missing == []
    assert all("- `-h, --help`" in chapter for chapter in chapters.values())


def test_what_is_told_is_no_markup() -> None:
    page = command_line()
    assert "with \\_FILE behind its name" in page
    assert "UNDERSTUDY_MATRIX_TOKEN" in page
