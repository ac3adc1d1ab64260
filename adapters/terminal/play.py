"""Playing a story in a shell: the story so far, then lines in and posts out until the end of input. It decides nothing."""

import asyncio
import contextlib
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from adapters.terminal.courier import TerminalCourier
from adapters.terminal.files import bring, take_home
from adapters.terminal.keyboard import read_lines
from bot.commands.catalogue import COMMANDS
from bot.commands.parse import Asked, parse
from bot.commands.spec import OptionKind
from bot.errors import Refused, StoreUnavailable
from bot.flow.desk import Answer, Desk
from bot.flow.receive import Receiver
from bot.ids import AuthorId, EventId, Place
from bot.ports.store import Store
from bot.posts import Command, InboundPost
from bot.story.turn import Role, Turn

PREFIX = "/"
QUIT = "quit"
OWN_HELP = f"""\
Write a line to post it; end a line with \\ to go on in the next one. Ctrl-C stops a reply that is being written.
A command that means a post means the newest one, unless you write its number. A file is named by its path.
{PREFIX}{QUIT} ends the program (so does Ctrl-C at the prompt); the story stays."""


@dataclass(slots=True)
class Play:
    """One player at one shell. `interactive`: someone types, so lines are taken while a reply is written."""

    courier: TerminalCourier
    store: Store
    receiver: Receiver
    desk: Desk
    place: Place
    player: AuthorId
    player_name: str
    interactive: bool
    notice: str = ""
    _quit: asyncio.Event = field(default_factory=asyncio.Event)
    _prompting: asyncio.Task[None] | None = None
    _run: str = field(default_factory=lambda: secrets.token_hex(8))
    _count: int = 0

    async def run(self, lines: AsyncIterator[str]) -> None:
        """Play until the lines end (the last reply is waited for) or the player quits."""
        await self._tell_story()
        try:
            self._prompt()
            while (line := await self._next(lines)) is not None:
                await self._obey(line)
                if not self.interactive:
                    await self._settled_or_quit()
                self._prompt()
            await self._settled_or_quit()
        finally:
            if self._prompting:
                self._prompting.cancel()
            self.courier.rest()

    def interrupt(self) -> None:
        """Ctrl-C: stop the reply that is being written; when none is, quit."""
        if not self.receiver.stop(self.place):
            self._quit.set()

    async def _tell_story(self) -> None:
        session = await self.store.session_at(self.place)
        page = await self.store.page(self.place)
        if self.notice:
            self.courier.say(self.notice, "dim italic")
        if session is not None:
            self.courier.say(session.scenario, "italic")
        for turn in page.turns:
            name = f"{turn.name} (beside the story)" if turn.role is Role.ASIDE else turn.name
            for post in _posts(turn):
                self.courier.tell(name, post)
        told = {(turn.number, position): post for turn in page.turns for position, post in enumerate(turn.posts)}
        self.courier.unmute(told)
        if self.interactive:
            self.courier.say("Write a line to post it; /help shows what else can be done.", "dim")

    async def _next(self, lines: AsyncIterator[str]) -> str | None:
        """The next line, with those it goes on in; None when there is none or the player quits."""
        told: list[str] = []
        while (line := await self._one(lines)) is not None:
            told.append(line.removesuffix("\\"))
            if not line.endswith("\\"):
                break
        return "\n".join(told) if told and not self._quit.is_set() else None

    async def _one(self, lines: AsyncIterator[str]) -> str | None:
        line = asyncio.ensure_future(anext(lines, None))
        return line.result() if await self._unless_quit(line) else None

    async def _settled_or_quit(self) -> None:
        settled = asyncio.ensure_future(self.receiver.settled(self.place))
        if await self._unless_quit(settled):
            settled.result()

    async def _unless_quit(self, waited: "asyncio.Future[str | None] | asyncio.Future[None]") -> bool:
        """Wait; False, with the waiting ended, when the player quits first."""
        quitting = asyncio.ensure_future(self._quit.wait())
        await asyncio.wait((waited, quitting), return_when=asyncio.FIRST_COMPLETED)
        quitting.cancel()
        if waited.done():
            return True
        waited.cancel()
        await asyncio.wait((waited,))
        return False

    def _prompt(self) -> None:
        """Show that a line is waited for, once nothing is written any more."""
        if not self.interactive:
            return
        if self._prompting:
            self._prompting.cancel()
        self._prompting = asyncio.create_task(self._prompt_when_settled())

    async def _prompt_when_settled(self) -> None:
        await self.receiver.settled(self.place)
        self.courier.console.print("> ", end="")

    async def _obey(self, line: str) -> None:
        try:
            if is_command(line):
                await self._command(line.strip().removeprefix(PREFIX))
            elif line.strip():
                await self.receiver.receive(InboundPost(self._event(), self.place, self.player, self.player_name, line))
        except (Refused, StoreUnavailable) as error:
            self.courier.say(str(error), "bold")

    async def _command(self, line: str) -> None:
        if line.strip().casefold() == QUIT:
            self._quit.set()
            return
        asked, upload = await self._asked(line)
        name = asked.spec.name
        command = Command(self._event(), self.place, self.player, name, asked.values, self.player_name, is_moderator=True)
        if not self.desk.answers(name):
            await self.receiver.receive(command)
            return
        self._say(await self.desk.answer(command, upload))
        if name == "help" and not asked.values:
            self.courier.say(OWN_HELP)

    async def _asked(self, line: str) -> tuple[Asked, bytes]:
        """What a line asks for, and the file whose path it names. Raises Refused."""
        if named := path_in(line):
            command, path = named
            name, data = await asyncio.to_thread(bring, path)
            return parse(command, attached=name), data
        session = await self.store.session_at(self.place)
        newest = session.last.number if session and session.last else None
        try:
            return parse(line, newest), b""
        except Refused:
            # With its number written, a post need not be the newest.
            with contextlib.suppress(Refused):
                return parse(line), b""
            raise

    def _say(self, answer: Answer) -> None:
        self.courier.say(answer.text)
        if answer.file:
            self.courier.say(f"Saved as {take_home(answer, Path.cwd())}.")

    def _event(self) -> EventId:
        self._count += 1
        return EventId(f"{self._run}.{self._count}")


async def play(playing: Play) -> None:
    """Play on this process's standard input until it ends, with Ctrl-C as the way to stop a reply or to quit."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, playing.interrupt)
    try:
        async with contextlib.aclosing(read_lines(sys.stdin.fileno())) as lines:
            await playing.run(lines)
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def _posts(turn: Turn) -> tuple[str, ...]:
    """A turn as it is told: the turns of a branch stand in no posts of their own, and dice are told after the words."""
    posts = turn.posts if turn.role is Role.CHARACTER and turn.posts else (turn.text,)
    return (*(post for post in posts if post.strip()), *(f"{roll.sentence} ({roll.detail})" for roll in turn.rolls))


def is_command(line: str) -> bool:
    """Whether a line is a command: `//` begins talk beside the story, and is none."""
    return line.lstrip().startswith(PREFIX) and not line.lstrip().startswith(PREFIX * 2)


def path_in(line: str) -> tuple[str, str] | None:
    """A command that a file comes with, and the path that stands behind it; None for any other line."""
    for spec in COMMANDS:
        words = line.split(maxsplit=len(spec.name.split()))
        named, path = " ".join(words[: len(spec.name.split())]).casefold(), words[len(spec.name.split()) :]
        if named == spec.name and path and any(option.kind is OptionKind.FILE for option in spec.options):
            return spec.name, path[0].strip().strip("\"'")
    return None
