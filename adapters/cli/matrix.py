"""`understudy matrix`: logs the bot in to Matrix, and looks at how its account stands. It plays nothing.

Rule 1: no secret is an argument, which other users of the machine could read. Rule 2: what people and servers wrote is
shown so that it cannot steer the terminal.
"""

import asyncio
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from adapters import logs
from adapters.cli.doctor import show
from adapters.cli.options import FILE, configured, with_config, with_data
from adapters.config import Config, given
from adapters.findings import Finding
from adapters.matrix.keeping import Folder
from adapters.matrix.trust import Wish, examine, findings, log_in
from adapters.matrix.words import MATRIX
from adapters.terminal.courier import tame
from adapters.wiring import stored
from bot.errors import Refused, StoreUnavailable

LONGEST = 10_000
"""Characters of a file with a recovery key."""


@click.group()
def matrix() -> None:
    """Log the bot in to Matrix, and look at how its account stands."""


@matrix.command()
@with_config
@with_data
@click.option("--homeserver", metavar="URL", default="", help="The homeserver's address. Default: what the user's server says.")
@click.option("--user", metavar="NAME", default="", help="The bot's user id, such as @bot:example.org.")
@click.option(
    "--device-name", metavar="NAME", default="Understudy", show_default=True, help="What a new device of it is called."
)
@click.option("--recovery-key-file", "recovery", type=FILE, metavar="FILE", help="A file with the account's recovery key.")
def login(  # noqa: PLR0913  each is an option
    path: Path | None, *, data: Path | None, recovery: Path | None, homeserver: str, user: str, device_name: str
) -> None:
    """Log in once: the login and the keys are kept in the data folder.

    What is missing is asked for. The password may stand in UNDERSTUDY_MATRIX_PASSWORD, an access token instead of it in
    UNDERSTUDY_MATRIX_TOKEN, and the recovery key of an account that was set up in Element in UNDERSTUDY_MATRIX_RECOVERY_KEY;
    with _FILE behind its name, each of them names a file instead.
    Run it again to mend a login: the bot stays the same device as long as its keys are there.
    """
    config = configured(path, data=data)
    password, token, key = map(
        given, ("UNDERSTUDY_MATRIX_PASSWORD", "UNDERSTUDY_MATRIX_TOKEN", "UNDERSTUDY_MATRIX_RECOVERY_KEY")
    )
    logs.hide((password, token, key))
    wish = Wish(
        homeserver=homeserver.strip(),
        user=user.strip(),
        device_name=device_name,
        password=password,
        token=token.strip(),
        recovery_key=(_read(recovery) if recovery else key).strip(),
        proxy=config.matrix.http_proxy or "",
    )
    folder = _folder(config)
    account = asyncio.run(log_in(wish, folder, Terminal()))
    click.echo(tame(f"The bot is {account.user_id} at {account.homeserver}, as the device {account.device_id}."))
    click.echo(f"Its login and keys are in {folder.path}: back that up, and let nobody read it.")
    root = click.get_current_context().find_root().info_name
    click.echo(f"Start it: {root} run. See how it stands: {root} matrix doctor")


@matrix.command()
@with_config
@with_data
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(path: Path | None, *, data: Path | None, as_json: bool) -> None:
    """Look at the account from all sides, and say what to do. It changes nothing, and the bot may be running.

    Ends with 0 where nothing is wrong, else with 2.
    """
    show(asyncio.run(_found(configured(path, data=data))), as_json=as_json)


class Terminal:
    """Somebody at this terminal, if there is one."""

    @property
    def can_answer(self) -> bool:
        """Whether the input is a terminal."""
        return sys.stdin.isatty()

    def text(self, question: str) -> str:
        """An answer that may be seen. Raises Refused where nobody can answer."""
        if not self.can_answer:
            raise Refused("Nobody is at a terminal to be asked for the bot's user id: give it with --user.")
        with _interruptible():
            return str(click.prompt(question))

    def secret(self, question: str) -> str:
        """An answer that is not shown; it may be empty. Raises Refused where nobody can answer."""
        if not self.can_answer:
            sentence = "Nobody is at a terminal to be asked for the password: give it by UNDERSTUDY_MATRIX_PASSWORD"
            raise Refused(f"{sentence}, or an access token by UNDERSTUDY_MATRIX_TOKEN, in the environment.")
        with _interruptible():
            return str(click.prompt(question, hide_input=True, default="", show_default=False))

    def tell(self, sentence: str) -> None:
        """Something to know."""
        click.echo(tame(sentence))


@contextmanager
def _interruptible() -> Iterator[None]:
    """Have Ctrl-C end a question: the loop would take the first one for a wish to cancel, and go on waiting for the answer."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _folder(config: Config) -> Folder:
    return Folder(Path(config.storage.directory).absolute() / "matrix")


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(LONGEST)
    except (OSError, UnicodeDecodeError):
        raise Refused(f"{path} cannot be read, or is no text; name a file with the recovery key.") from None


async def _found(config: Config) -> Sequence[Finding]:
    seen = await examine(
        _folder(config),
        await _marks(config),
        adults_in_public=config.matrix.adults_in_public,
        proxy=config.matrix.http_proxy or "",
    )
    return findings(seen)


async def _marks(config: Config) -> Mapping[str, str]:
    """What is remembered of rooms; nothing where there are no stories yet."""
    try:
        async with stored(config) as store:
            return {str(channel): mark for channel, mark in (await store.bookmarks(MATRIX)).items()}
    except StoreUnavailable:
        return {}
