"""What the documents say is so: links lead somewhere, commands exist, the map names real rooms."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.cli import understudy
from adapters.config import EXAMPLE
from tests.house.project import ROOT, WRITTEN, shown

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^(?:```|~~~)(?:sh|console|bash)?\n(.*?)^(?:```|~~~)", re.MULTILINE | re.DOTALL)
MAKE = re.compile(r"(?:^|[`\s])make ((?:[a-z]+(?:-[a-z]+)*\s?)+)(?=[`\s.,;:)A-Z=]|$)", re.MULTILINE)
COMMAND = re.compile(r"\bunderstudy ([a-z]+)\b((?: --?[a-z]+)*)")
NAMED = ("README.md", "ARCHITECTURE.md", "DECISIONS.md", "CHANGELOG.md", "CONTRIBUTING.md")


@pytest.mark.parametrize("name", NAMED)
def test_every_document_is_there(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8").startswith("# ")


def test_every_link_of_a_document_leads_somewhere() -> None:
    broken = [
        f"{shown(page)}: {target}"
        for page in _pages()
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in target and not _leads_somewhere(page, target)
    ]
    assert not broken


def test_the_pages_that_are_looked_through_are_all_there_are() -> None:
    looked = {shown(page) for page in _pages()}
    assert {"README.md", "docs/sampling.md", "docs/playing.md", "bot/commands/README.md"} <= looked


def test_a_link_to_no_file_or_no_heading_is_seen(tmp_path: Path) -> None:
    page, other = tmp_path / "page.md", tmp_path / "other.md"
    page.write_text("# A page, with `code`\n", encoding="utf-8")
    other.write_text("# Other\n\n## What (it) does\n", encoding="utf-8")

    assert _leads_somewhere(page, "#a-page-with-code")
    assert _leads_somewhere(page, "other.md")
    assert _leads_somewhere(page, "other.md#what-it-does")
    assert not _leads_somewhere(page, "another.md")
    assert not _leads_somewhere(page, "other.md#what-it-did")
    assert not _leads_somewhere(page, "#what-it-does")


def test_every_make_target_that_a_document_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {(shown(page), word) for page in _pages() for word in _make_targets(page.read_text(encoding="utf-8"))}
    assert {(where, word) for where, word in named if word not in targets} == set()
    assert {"try", "test"} <= {word for where, word in named if where == "README.md"}


def test_every_command_that_a_document_names_exists() -> None:
    wrong = [
        f"{shown(page)}: understudy {command}{options}"
        for page in _pages()
        for command, options in COMMAND.findall("\n".join(_code(page.read_text(encoding="utf-8"))))
        if command not in understudy.commands or not set(options.split()) <= _options(command)
    ]
    assert not wrong


def test_the_map_names_real_rooms() -> None:
    rooms = re.findall(
        r"`((?:bot|adapters|storage|tests|deploy)/[\w/.-]*)`", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    )
    assert [room for room in rooms if not (ROOT / room).exists()] == []
    described = {room.rstrip("/") for room in rooms}
    inside = {shown(path.parent) for folder in ("bot", "adapters") for path in (ROOT / folder).glob("*/__init__.py")}
    assert inside <= described


def test_the_example_configuration_is_what_init_writes() -> None:
    assert (ROOT / "deploy" / "config.example.toml").read_bytes() == EXAMPLE.read_bytes()


@pytest.mark.parametrize("text", ["make try", "`make test`", "  make lint types contracts", "make try ONCE=1"])
def test_a_make_target_is_seen_where_it_is_named(text: str) -> None:
    assert set(_make_targets(f"```\n{text}\n```")) >= {text.strip("` ").split()[1]}


def _pages() -> Iterator[Path]:
    yield from sorted(ROOT.glob("*.md"))
    for folder in WRITTEN:
        yield from sorted((ROOT / folder).rglob("*.md"))


def _leads_somewhere(page: Path, target: str) -> bool:
    """Whether there is such a file, and the heading in it that is named."""
    name, _, heading = target.partition("#")
    found = page.parent / name if name else page
    return found.exists() and (not heading or heading in _headings(found.read_text(encoding="utf-8")))


def _headings(text: str) -> set[str]:
    """The headings of a page as links name them: small letters, hyphens for blanks, no other signs."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def _code(text: str) -> list[str]:
    return BLOCK.findall(text) + re.findall(r"`([^`\n]+)`", text)


def _make_targets(text: str) -> list[str]:
    lines = [line.split("#")[0] for code in _code(text) for line in code.splitlines()]
    return [word for line in lines for found in MAKE.findall(line) for word in found.split()]


def _options(command: str) -> set[str]:
    return {option for parameter in understudy.commands[command].params for option in parameter.opts}
