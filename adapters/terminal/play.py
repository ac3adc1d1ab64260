"""Playing a story in a shell: the story so far, then lines in and posts out until the end of input. It decides nothing."""

import asyncio
import contextlib
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from adapters.terminal.courier import TerminalCourier
from adapters.terminal.keyboard import read_lines
from bot.errors import Refused, StoreUnavailable
from bot.flow.receive import Receiver
from bot.ids import AuthorId, EventId, Place
from bot.ports.store import Store
from bot.posts import Command, InboundPost
from bot.story.settings import Length
from bot.story.turn import Role, Turn

HELP = f"""\
Write a line to post it; end a line with \\ to go on in the next one.
/retry           another version of the last reply
/swipe left      the version before (/swipe right: the one after)
/continue        the last reply is written on
/edit TEXT       the last post says TEXT instead
/undo            takes your last post and all after it away
/length LENGTH   {", ".join(Length)}, or none
/stop            ends the reply that is being written (so does Ctrl-C)
/quit            ends the program; the story stays (so does Ctrl-C at the prompt)"""

ACTS = ("retry", "continue", "undo")
SIDES = ("left", "right")


@dataclass(slots=True)
class Play:
    """One player at one shell. `interactive`: someone types, so lines are taken while a reply is written."""

    courier: TerminalCourier
    store: Store
    receiver: Receiver
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
            for post in _posts(turn):
                self.courier.tell(turn.name, post)
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
            if line.startswith("/"):
                await self._command(*line[1:].partition(" ")[::2])
            elif line.strip():
                await self.receiver.receive(InboundPost(self._event(), self.place, self.player, self.player_name, line))
        except (Refused, StoreUnavailable) as error:
            self.courier.say(str(error), "bold")

    async def _command(self, word: str, rest: str) -> None:
        rest = rest.strip()
        if word == "quit":
            self._quit.set()
        elif word == "stop":
            if not self.receiver.stop(self.place):
                self.courier.say("Nothing is being written.")
        elif word == "length":
            await self._act("length", length=rest)
        elif word == "edit":
            session = await self.store.session_at(self.place)
            await self._act("edit", turn=session.last.number if session and session.last else -1, text=rest)
        elif word in ACTS:
            await self._act(word)
        elif word == "swipe" and rest in SIDES:
            await self._act("swipe", side=rest)
        else:
            self.courier.say(HELP)

    async def _act(self, name: str, **values: str | int) -> None:
        await self.receiver.receive(Command(self._event(), self.place, self.player, name, values))

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
    return (turn.text,) if turn.role is Role.PLAYER else turn.posts
