"""`understudy backup`, `restore` and `db`: what an operator does with what is kept. It plays nothing."""

import asyncio
import json
import shutil
import signal
import sys
from collections.abc import Coroutine
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from adapters import backup as backups
from adapters.cli.options import FILE, configured, with_config, with_data
from adapters.config import Config
from adapters.terminal.courier import tame
from adapters.wiring import claimed
from bot.errors import Refused
from storage.migrate import knows
from storage.store import sqlite_url
from storage.upkeep import Health, bring_up_to_date, health

Done = TypeVar("Done")

WRONG = 2
"""How `understudy db check` ends where something is wrong."""

FORGETTING = "Who is forgotten later stays in this backup: delete it when it is older than you promised your players."
NEWER = "A newer Understudy made the schema of this database, {revision}: only one that knows it can restore the backup."
FORGOTTEN = (
    "What was deleted or forgotten since this backup was made is there again: whoever asked to be forgotten has to ask"
    " once more (privacy forget)."
)
OLD_KEYS = (
    "The keys of {account} on Matrix are those of {made}. If the bot ran after that, the homeserver has newer ones, and the"
    " bot says at its start that they are too old: run `understudy matrix login` then. It goes on as a new device, which"
    " cannot read the encrypted messages from before; stories go on as they are."
)


def _target(_context: click.Context, _parameter: click.Parameter, named: str) -> Path:
    """A name that ends in a slash is a folder's: a file of that name would stand where a disk was to be mounted."""
    if not named or (named.endswith("/") and not Path(named).is_dir()):
        raise Refused(f"There is no folder {named!r}; make it, or name a file that is not there yet.")
    return Path(named)


@click.command()
@click.argument("target", type=click.Path(), callback=_target)
@click.option(
    "--keep-days",
    type=click.IntRange(1, 36_500),
    metavar="N",
    help="With a folder as TARGET: afterwards, delete the backups in it that are older than N days.",
)
@with_config
@with_data
def backup(target: Path, *, keep_days: int | None, path: Path | None, data: Path | None) -> None:
    """Write all stories, and the keys on Matrix, to one file, while the bot runs or not.

    TARGET is a file that is not there yet, or a folder, in which the file is named after the time. Whoever has it can read all
    stories and speak as the bot on Matrix. Not in it: the configuration, models, and what the engine remembers.
    """
    config, now = configured(path, data=data), datetime.now(UTC)
    if keep_days is not None and not target.is_dir():
        raise Refused("--keep-days needs a folder that holds backups; name one that is there.")
    file = backups.new_one(target, now) if target.is_dir() else target
    with ProgressBar(Console(stderr=True)) as bar:
        made = _done(backups.back_up(config, file, bar))
    rows, keys = sum(made.rows.values()), " and the keys on Matrix" if made.has_matrix else ""
    click.echo(f"Wrote {file}: {rows:,} rows{keys}. {FORGETTING}")
    if not knows(made.revision):
        click.echo(NEWER.format(revision=tame(made.revision)))
    for old in backups.old_ones(target, keep_days, now) if keep_days is not None else ():
        shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
        click.echo(f"Deleted {old}, which was older than {keep_days} days.")


@click.command()
@click.argument("source", type=FILE)
@with_config
@with_data
def restore(source: Path, *, path: Path | None, data: Path | None) -> None:
    """Put a backup back, where there are no stories and no bot runs: all of it, or nothing.

    Name an empty data folder (--data), or in the configuration an empty PostgreSQL database; a backup from one kind of
    database can be put into the other. A backup of an older version is brought up to date.
    """
    with ProgressBar(Console(stderr=True)) as bar:
        done = _done(backups.restore(configured(path, data=data), source, bar))
    made = tame(done.manifest.made)
    click.echo(f"Restored {sum(done.manifest.rows.values()):,} rows from {made}. {FORGOTTEN}")
    if done.account:
        click.echo(OLD_KEYS.format(account=tame(done.account), made=made))


@click.group()
def db() -> None:
    """Look at the database, and bring it up to date."""


@db.command()
@with_config
@with_data
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(*, path: Path | None, data: Path | None, as_json: bool) -> None:
    """Tell which schema the database has and which one this program wants, and look for damage. It changes nothing.

    Ends with 0 where the program can use the database (bringing it up to date at its start), else with 2.
    """
    found = asyncio.run(health(_url(configured(path, data=data))))
    is_well = found.schema.is_usable and not found.faults
    if as_json:
        click.echo(json.dumps({"ok": is_well, **asdict(found)}))
    else:
        for line in _told(found):
            click.echo(tame(line))
    if not is_well:
        sys.exit(WRONG)


@db.command()
@with_config
@with_data
def upgrade(*, path: Path | None, data: Path | None) -> None:
    """Bring the database up to date now, telling of each step; the program does so by itself at its start.

    Make a backup before. All steps are one transaction: what fails leaves the database as it was.
    """
    config = configured(path, data=data)
    with claimed(config):
        before = asyncio.run(bring_up_to_date(_url(config), lambda step: click.echo(f"  {step}")))
    if before.is_newer:
        click.echo(f"Nothing to do: a newer program made the schema {before.found}, and this one can use it.")
    else:
        click.echo(
            f"The schema is {before.wanted}." if before.steps else f"Nothing to do: the schema is {before.wanted} already."
        )


class ProgressBar:
    """Shows how far something is, on the error stream so that the output stays clean."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def stage(self, name: str, total: int) -> None:
        """Begin a bar."""
        self._progress.add_task(name, total=total)

    def advance(self, count: int) -> None:
        """Move the newest bar."""
        self._progress.advance(self._progress.tasks[-1].id, count)


def _done(work: Coroutine[Any, Any, Done]) -> Done:
    """What comes of it. A signal that ends it has everything cleared up, as Ctrl-C has: what is half done holds stories."""
    ours = [each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is signal.SIG_DFL]
    for each in ours:
        signal.signal(each, signal.default_int_handler)
    try:
        return asyncio.run(work)
    finally:
        for each in ours:
            signal.signal(each, signal.SIG_DFL)


def _url(config: Config) -> str:
    return config.storage.url or sqlite_url(config.storage.file)


def _told(found: Health) -> list[str]:
    schema = found.schema
    lines = [f"The database ({found.kind}) has the schema {schema.found or 'of none yet'}; this program wants {schema.wanted}."]
    if schema.is_newer and schema.is_usable:
        lines.append("A newer program made it, in such a way that this one can use it.")
    if not schema.is_usable:
        lines.append(
            "A newer program made it, and this one cannot use it: install that version, or restore a backup from before."
        )
    if schema.steps:
        lines += ["The next start makes these steps, or `understudy db upgrade` now:", *(f"  {step}" for step in schema.steps)]
    lines += [f"Wrong: {fault}" for fault in found.faults]
    if found.faults:
        lines.append("Stop the program, and restore the newest backup from before the damage into an empty place.")
    elif schema.is_usable and not schema.steps:
        lines.append("Its tables are as they should be.")
    return lines
