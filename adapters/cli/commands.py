"""The commands of `understudy`, and how their failures end: one clear sentence, never a traceback."""

import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from adapters import __version__, logs
from adapters.cli import hosting, matrix, models, once, reports, serving, upkeep
from adapters.cli.doctor import doctor
from adapters.cli.options import FILE, configured, with_config, with_data
from adapters.config import EXAMPLE, is_host
from bot.errors import ConfigMistakes, NotNow, Refused, StoreAway, UnderstudyError

PROGRAM = "understudy" if Path(sys.argv[0]).stem == "understudy" else "python -m bot"
"""What this program was called as: a clone has no command of its own."""

FAILED = 2
BROKEN = 70
LATER = 75
"""The database is away, or another program has the data folder or the port. That may pass: whoever starts programs shall try
again (EX_TEMPFAIL of sysexits.h)."""

INTERRUPTED = 130

log = logging.getLogger(__name__)

with_model = click.option("--model", type=FILE, metavar="FILE", help="Play on this GGUF file instead of the demo model.")
with_rating = click.option("--rating", type=click.Choice(["general", "adult"]), help="The audience that the model is made for.")
with_port = click.option("--port", type=click.IntRange(0, 65_535), help="The port of the page; 0 takes any free one.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. Ends the process: 0 done, 2 it cannot be done and why is said, 75 not now, 130 interrupted."""
    os.umask(0o077)  # Stories are private: other users of the machine shall not read them.
    try:
        understudy.main(arguments, prog_name=PROGRAM, standalone_mode=False)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.exceptions.NoArgsIsHelpError as nothing:
        nothing.show()
        sys.exit(nothing.exit_code)
    except click.ClickException as wrong:
        click.echo(f"error: {wrong.format_message()} See: {PROGRAM} --help", err=True)
        sys.exit(wrong.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(INTERRUPTED)
    except UnderstudyError as error:
        for sentence in error.mistakes if isinstance(error, ConfigMistakes) else (str(error),):
            click.echo(logs.without_secrets(f"error: {sentence}"), err=True)
        sys.exit(LATER if isinstance(error, StoreAway | NotNow) else FAILED)
    except Exception as defect:
        log.debug("a defect", exc_info=True)
        if isinstance(defect, OSError) and defect.filename:
            sentence = f"error: {defect.filename} cannot be used ({defect.strerror}); mend that, or name another."
            click.echo(logs.without_secrets(sentence), err=True)
            sys.exit(FAILED)
        sentence = f"error: a defect in Understudy ({type(defect).__name__}: {defect}); --verbose shows where."
        click.echo(logs.without_secrets(sentence), err=True)
        sys.exit(BROKEN)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--verbose", is_flag=True, help="Log every step to standard error.")
@click.version_option(__version__, prog_name="understudy")
@click.pass_context
def understudy(context: click.Context, *, verbose: bool) -> None:
    """Long-form, forum-style roleplay with a GGUF model."""
    usual = logging.INFO if context.invoked_subcommand in {"run", "engine"} else logging.WARNING
    logs.set_up(logging.DEBUG if verbose else usual)


understudy.add_command(models.model)
understudy.add_command(matrix.matrix)
understudy.add_command(doctor)
for each in (upkeep.backup, upkeep.restore, upkeep.db):
    understudy.add_command(each)


@understudy.command()
@with_config
def run(path: Path | None) -> None:
    """Play in your community's channels, where they are configured, and on a local page, until Ctrl-C."""
    config, console = configured(path), Console()
    is_in_channels = bool(config.discord.token) or config.is_on_matrix
    asyncio.run(serving.play_in_channels(config, console) if is_in_channels else serving.serve(config, console))


@understudy.command("try")
@click.option("--once", "only_once", is_flag=True, help="Play the opening scene, print it with its speed, and end.")
@click.option("--json", "as_json", is_flag=True, help="With --once: print one JSON object.")
@with_config
@with_model
@with_rating
@with_port
@with_data
def try_out(*, only_once: bool, as_json: bool, path: Path | None, port: int | None, **wishes: Any) -> None:  # noqa: ANN401  click's
    """Play the opening scene on a local page, and stay there until Ctrl-C."""
    config = configured(path, **wishes)
    if only_once:
        asyncio.run(once.play_once(config, Console(), as_json=as_json))
        return
    if port is not None:
        config = replace(config, web=replace(config.web, port=port))
    asyncio.run(serving.serve(config, Console(), opens_scene=True))


@understudy.command()
@with_config
@with_model
@with_rating
@with_data
def play(path: Path | None, **wishes: Any) -> None:  # noqa: ANN401  click's
    """Play in this terminal."""
    asyncio.run(serving.play_here(configured(path, **wishes), Console()))


@understudy.command()
@with_config
@with_model
@with_rating
@click.option("--host", metavar="HOST", help="The address to serve at; beyond this machine a token is needed.")
@click.option("--port", type=click.IntRange(0, 65_535), help="The port to serve at; 0 takes any free one.")
@with_data
@click.option(
    "--socket", type=click.Path(dir_okay=False, path_type=Path), metavar="PATH", help="Serve there instead of a port."
)
def engine(*, path: Path | None, host: str | None, port: int | None, socket: Path | None, **wishes: Any) -> None:  # noqa: ANN401  click's
    """Serve the model over HTTP to bots on this and other hosts until Ctrl-C."""
    config = configured(path, **wishes)
    if config.engine.url:
        raise Refused("The engine cannot be served here: [engine] url says that it is elsewhere; take that out.")
    if host is not None and not is_host(host):
        raise Refused("--host must be a name or an address, such as 127.0.0.1.")
    served = config.engine.host
    served = replace(served, host=served.host if host is None else host, port=served.port if port is None else port)
    config = replace(config, engine=replace(config.engine, host=served))
    asyncio.run(hosting.host(config, socket, Console()))


@understudy.command("reports")
@click.option("--drop", "dropped", type=click.IntRange(1), metavar="NUMBER", help="Take a report off the list.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@with_config
@with_data
def show_reports(path: Path | None, *, dropped: int | None, as_json: bool, data: Path | None) -> None:
    """List what players reported to you."""
    config = configured(path, data=data)
    asyncio.run(reports.show(config, as_json=as_json) if dropped is None else reports.drop(config, dropped))


@understudy.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path("understudy.toml"))
def init(path: Path) -> None:
    """Write a commented example configuration to PATH (understudy.toml)."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(EXAMPLE.read_text(encoding="utf-8"))
    except FileExistsError:
        raise Refused(f"{path} is there already and stays as it is; name another file.") from None
    except OSError as error:
        raise Refused(f"{path} cannot be written ({error.strerror}); name another file.") from error
    click.echo(f"Wrote {path}. Change it, then: {PROGRAM} run --config {path}")
