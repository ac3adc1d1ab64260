"""`understudy model`: fetches model files and looks into them. It plays nothing, and loads no weights."""

import json
import shlex
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

import click
import platformdirs
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from adapters.cli import report
from adapters.hub import KNOWN, Address, Hub, Pulled, known_model
from adapters.hub import pull as pull_file
from adapters.llama.examining import AdapterReport, examine
from adapters.llama.sizes import CACHE_TYPES, parsed_size
from adapters.machine import free_memory
from bot.errors import Refused

FOLDER = click.Path(file_okay=False, path_type=Path)


class Size(click.ParamType[int]):
    """A number of bytes, with or without a unit."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> int:
        """The number of bytes; a click error for what is none."""
        size = value if isinstance(value, int) else parsed_size(str(value))
        if size is None:
            self.fail(f"{value!r} is not a size; write it as 12GiB, 800M or a number of bytes.", param, context)
        return size


@click.group()
def model() -> None:
    """Fetch model files and look into them."""


@model.command()
@click.argument("names", nargs=-1, metavar="[NAME | OWNER/REPOSITORY FILE]")
@click.option("--to", "folder", type=FOLDER, metavar="FOLDER", help="Where the file goes. Default: Understudy's data folder.")
@click.option("--revision", default="main", show_default=True, help="A branch, tag or commit of the repository.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def pull(names: tuple[str, ...], folder: Path | None, revision: str, *, as_json: bool) -> None:
    """Fetch a GGUF file from a Hugging Face hub, and go on where an interrupted fetch ended.

    NAME is one of the known models; without it they are listed. Any other file is named by its repository and its path
    there. HF_ENDPOINT names another hub, HF_TOKEN opens private and gated repositories.
    """
    if not names:
        _list_known(as_json=as_json)
        return
    address = _address(names, revision)
    where = folder or Path(platformdirs.user_data_dir("understudy", appauthor=False)) / "models"
    try:
        with ProgressBar(Console(stderr=True)) as bar:
            pulled = pull_file(Hub(), address, where, bar)
    except KeyboardInterrupt:
        click.echo("Interrupted; the next pull goes on from here.", err=True)
        raise
    if as_json:
        click.echo(json.dumps({**asdict(pulled), "path": str(pulled.path)}))
    else:
        _tell(pulled)


@model.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--memory", type=Size(), metavar="SIZE", help="The memory to fill, such as 12GiB. Default: what is free here.")
@click.option(
    "--context", type=click.IntRange(512, 1_048_576), metavar="N", help="Tokens per session. Default: 4096, or fewer."
)
@click.option("--kv-type", "kind", type=click.Choice(list(CACHE_TYPES)), help="Only for a cache in this number format.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(file: Path, memory: int | None, context: int | None, kind: str | None, *, as_json: bool) -> None:
    """Tell what a GGUF FILE is, whether it can be played on, and how many sessions fit in a memory.

    For a model on a GPU, name the GPU's memory with --memory.
    """
    found = examine(file)
    if isinstance(found, AdapterReport):
        click.echo(json.dumps(report.adapter_facts(found))) if as_json else report.show_adapter(found, Console())
        return
    kinds = [CACHE_TYPES[kind]] if kind else list(CACHE_TYPES.values())
    plan = report.Plan(found, memory or free_memory(), context, kinds)
    click.echo(json.dumps(report.model_facts(plan))) if as_json else report.show_model(plan, Console())


class ProgressBar:
    """Shows a pull as bytes, speed and time left, on the error stream so that the output stays clean."""

    def __init__(self, console: Console) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def stage(self, name: str, done: int, total: int) -> None:
        """Begin a bar; of a stage that begins again, the old bar goes away."""
        self._progress.start()
        if self._task is not None and not self._progress.tasks[-1].finished:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(name, total=total, completed=done)

    def advance(self, count: int) -> None:
        """Move the bar."""
        if self._task is not None:
            self._progress.advance(self._task, count)


def _address(names: tuple[str, ...], revision: str) -> Address:
    match names:
        case (name,) if known := known_model(name):
            return Address(known.address.repository, known.address.file, revision)
        case (repository, file):
            return Address(repository, file, revision)
        case (name,) if "/" in name:
            raise Refused(f"Name the file too: {_command()} pull {name} FILE.")
        case (name,):
            raise Refused(f"There is no known model {name!r}; there are: {', '.join(each.name for each in KNOWN)}.")
        case _:
            raise Refused("Name one known model, or one repository and one file of it.")


def _list_known(*, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([{"name": each.name, **asdict(each.address), "gigabytes": each.gigabytes} for each in KNOWN]))
        return
    table = Table("name", "size", "what it is", box=None, padding=(0, 2, 0, 0))
    for each in KNOWN:
        table.add_row(each.name, f"{each.gigabytes:g} GB", f"{each.address.file}: {each.remark}")
    Console().print(table, highlight=False)
    click.echo(f"Fetch one: {_command()} pull {KNOWN[0].name}. Any other: {_command()} pull OWNER/REPOSITORY FILE.gguf")


def _tell(pulled: Pulled) -> None:
    if pulled.checksum is None:
        click.echo("The hub names no checksum for this file: only its length was checked.")
    click.echo(f"{pulled.path} is there and whole{'' if pulled.fetched else ' already'}.")
    click.echo(f"Look into it: {_command()} check {shlex.quote(str(pulled.path))}")
    click.echo("To play on it, write into your configuration:")
    click.echo(f"  [model]\n  path = {json.dumps(str(pulled.path), ensure_ascii=False)}")
    click.echo('  rating = ...  # "general" or "adult": whom the model is made for is yours to state, after its model card')


def _command() -> str:
    return f"{click.get_current_context().find_root().info_name} model"
