"""The documents name every command as the catalogue has it, and what they show of it can be typed."""

import re
from pathlib import Path

import pytest

from bot.commands.catalogue import COMMANDS, find, members
from bot.commands.parse import parse
from bot.commands.spec import usage
from bot.errors import Refused
from tests.house.command_tables import BEGINS, ENDS, PAGES, list_of_all, overview, written_anew
from tests.house.project import ROOT

SHOWN = re.compile(r"`/([a-z][^`\n]*)`")
"""A command in a text. One with an ellipsis in it is a sketch."""
PAGES_FOR_PLAYERS = ("README.md", "docs/playing.md", "docs/cards.md", "docs/privacy.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_the_commands_as_the_catalogue_does(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == written_anew(page), "run: python -m tests.house.command_tables"


def test_no_command_is_missing_from_the_tables() -> None:
    words = set(overview().replace("`", " ").replace(",", " ").replace("(", " ").replace(")", " ").split())
    assert {word for spec in COMMANDS for word in spec.name.split()} <= words
    assert all(f"| `{usage(spec)}` | {spec.help}. |" in list_of_all() for spec in COMMANDS)


def test_a_page_keeps_what_stands_around_its_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"Before.\n{BEGINS}\n\nold\n\n{ENDS}\nAfter.\n", encoding="utf-8")
    monkeypatch.setitem(PAGES, page, lambda: "new")

    assert written_anew(page) == f"Before.\n{BEGINS}\n\nnew\n\n{ENDS}\nAfter.\n"


def test_a_page_without_a_place_for_the_table_is_named(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Nothing here.", encoding="utf-8")

    with pytest.raises(ValueError, match=r"page\.md does not say"):
        written_anew(page)


@pytest.mark.parametrize("page", PAGES_FOR_PLAYERS)
def test_what_a_page_shows_can_be_typed(page: str) -> None:
    lines = SHOWN.findall((ROOT / page).read_text(encoding="utf-8"))
    assert lines
    assert [line for line in lines if not _can_be_typed(line)] == []


@pytest.mark.parametrize("line", ["retry huge long", "rety", "swipe up", "edit twelve Mira left."])
def test_what_cannot_be_typed_is_seen(line: str) -> None:
    assert _can_be_typed("retry short")
    assert not _can_be_typed(line)


def _can_be_typed(line: str) -> bool:
    """Whether it is a command, named by itself or with values that it takes; or a pattern of the card specification.

    On Discord, the commands on a story as a whole are those of /rp.
    """
    line = line.removeprefix("rp ")
    if find(line) or members(line) or "…" in line or line == "pattern/flags":
        return True
    try:
        parse(line)
    except Refused:
        return False
    return True
