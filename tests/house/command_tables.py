"""The tables of commands in the documents, made from the catalogue. `python -m tests.house.command_tables` writes them anew."""

from collections.abc import Iterator
from pathlib import Path

from bot.commands.catalogue import COMMANDS
from bot.commands.spec import CommandSpec, Topic, Who, usage
from tests.house.project import ROOT

BEGINS = "<!-- from the catalogue of commands: python -m tests.house.command_tables -->"
ENDS = "<!-- end of the catalogue -->"
CIRCLES = {Who.ANYONE: "anyone", Who.PLAYER: "players", Who.TABLE: "the table", Who.OPERATOR: "the operator"}


def overview() -> str:
    """Every command by name, a row for each topic."""
    rows = (f"| {topic} | {_names(topic)} |" for topic in Topic)
    return "\n".join(["| about | commands |", "| --- | --- |", *rows])


def list_of_all() -> str:
    """Every command as it is written, what it does, and who may use it; a table for each topic."""
    return "\n\n".join(f"### {topic}\n\n{_table(topic)}" for topic in Topic)


PAGES = {ROOT / "README.md": overview, ROOT / "docs" / "playing.md": list_of_all}
"""Which pages hold a table, and which one."""


def written_anew(page: Path) -> str:
    """A page's text with its table as the catalogue has it. Raises ValueError where the page marks no place for one."""
    before, _, rest = page.read_text(encoding="utf-8").partition(f"{BEGINS}\n")
    _, mark, after = rest.partition(f"\n{ENDS}")
    if not mark:
        raise ValueError(f"{page.name} does not say where its table of commands begins and ends")
    return f"{before}{BEGINS}\n\n{PAGES[page]()}\n\n{ENDS}{after}"


def _of(topic: Topic) -> Iterator[CommandSpec]:
    return (spec for spec in COMMANDS if spec.topic is topic)


def _names(topic: Topic) -> str:
    groups: dict[str, list[str]] = {}
    for spec in _of(topic):
        first, _, own = spec.name.partition(" ")
        groups.setdefault(first, []).extend([own] if own else [])
    return ", ".join(f"`{first}` ({', '.join(own)})" if own else f"`{first}`" for first, own in groups.items())


def _table(topic: Topic) -> str:
    rows = (f"| `{usage(spec)}` | {spec.help}. | {CIRCLES[spec.who]} |" for spec in _of(topic))
    return "\n".join(["| command | what it does | who may |", "| --- | --- | --- |", *rows])


if __name__ == "__main__":
    for each in PAGES:
        each.write_text(written_anew(each), encoding="utf-8")
