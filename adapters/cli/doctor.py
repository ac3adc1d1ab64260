"""`understudy doctor`, and how what a doctor found is shown. It looks at nothing itself."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from adapters import doctor as looking
from adapters.cli.options import configured, with_config, with_data
from adapters.findings import Finding, Grade
from adapters.terminal.courier import tame

WRONG = 2
"""How a doctor ends where something is wrong."""

COLOURS = {Grade.OK: "green", Grade.WARNING: "yellow", Grade.WRONG: "bold red"}


@click.command()
@with_config
@with_data
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(path: Path | None, *, data: Path | None, as_json: bool) -> None:
    """Look at everything that the bot needs, and say what to do. It changes nothing, and the bot may be running.

    Ends with 0 where nothing is wrong, else with 2.
    """
    show(asyncio.run(looking.examine(configured(path, data=data), path)), as_json=as_json)


def show(found: Sequence[Finding], *, as_json: bool) -> None:
    """Print what was found, and end with 2 where something is wrong."""
    is_well = not any(each.grade is Grade.WRONG for each in found)
    if as_json:
        click.echo(json.dumps({"ok": is_well, "findings": [asdict(each) for each in found]}, ensure_ascii=False))
    else:
        _print(found, Console())
    if not is_well:
        sys.exit(WRONG)


def _print(found: Sequence[Finding], console: Console) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(style="bold", overflow="fold", max_width=32)
    table.add_column(overflow="fold")
    for each in found:
        mark = f"[{COLOURS[each.grade]}]{each.grade.value}[/]"
        table.add_row(mark, escape(tame(each.about)), escape(tame(each.sentence)))
    console.print(table, highlight=False)
