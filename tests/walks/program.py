"""The program as it ships, in a process of its own, asked to end by a signal; its engine is in this one, and waits for a word.

The engine writes a long tale in answer to each post, halts in its middle until it may go on, and writes on what was begun.
"""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from adapters.cli.serving import ENDING
from adapters.config.settings import DATABASE
from adapters.remote import EngineServerSettings
from adapters.remote.server import serve
from bot.ids import Place
from bot.ports.engine import Finished, FinishReason, GenerationRequest, StreamItem, TextDelta, Usage
from bot.story.turn import Role, VariantState
from storage.store import open_store, sqlite_url
from tests.adapters.remote.stage import ServedScript
from tests.house.project import ROOT
from tests.walks.quoting import HEADER, NUMBER

CHARACTER = "Hester Vaunce"
"""One of those that come with the program."""
POSTS = ("Post 1 of Tobias.", "Post 2 of Tobias.")
LINES = 180
"""Enough for some posts on either side of the middle, on any platform."""
LINE = "After post {post} came line {line}, and the lamp burned low, and the rain went on."
PIECE = 150
"""Characters that are written at once."""
HALF_A_MINUTE = 30.0
UNCLEAN = ("Traceback", "Unclosed", "Task was destroyed", "never retrieved", "never awaited", " ERROR ", "CRITICAL")
"""What a log says of an end that was not in good order."""


def tale(post: int) -> str:
    """The answer to a post, in which no line is like another one of the story."""
    return " ".join(LINE.format(post=post, line=line) for line in range(1, LINES + 1))


class HaltingEngine(ServedScript):
    """Tells the tale of the newest post, and halts in its middle until `may_go_on`."""

    def __init__(self) -> None:
        super().__init__(())
        self.context = 1 << 15
        self.may_go_on = asyncio.Event()

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[StreamItem, None]:
        before, _, reply = self._text(request).rpartition(HEADER)
        whole, said = tale(int(NUMBER.findall(before)[-1])), reply.partition(f"{CHARACTER}:")[2].strip()
        assert whole.startswith(said), f"another text than its own is to be written on: {said!r}"
        for at in range(len(said), len(whole), PIECE):
            if at > len(whole) // 2:
                await self.may_go_on.wait()
            yield TextDelta(whole[at : at + PIECE])
        yield Finished(FinishReason.END, Usage(1, 0, 1, 1))

    def _text(self, request: GenerationRequest) -> str:
        """The prompt, which comes as tokens alone."""
        return b"".join(self._bytes.piece(token) for segment in request.segments for token in segment.token_ids).decode()


@asynccontextmanager
async def halting() -> AsyncGenerator[tuple[HaltingEngine, str], None]:
    """Such an engine, and its address."""
    engine = HaltingEngine()
    async with serve(engine, EngineServerSettings(port=0)) as address:
        yield engine, address


@dataclass(slots=True)
class Program:
    """`understudy run`, over and over on one data folder. It says `connected` last of all as it starts.

    `engine` is an address, `module` runs the command line, and `config` is more of the configuration.
    """

    folder: Path
    engine: str
    connected: str
    module: str = "bot"
    config: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    _process: Process | None = None
    _asked: float = 0.0

    async def start(self) -> None:
        """Start it, and wait for what it says."""
        usual = f'[storage]\ndirectory = "."\n[web]\nport = 0\n[engine]\nurl = "{self.engine}"\n'
        (self.folder / "my.toml").write_text(usual + self.config)
        command = [sys.executable, "-m", self.module, "run", "--config", str(self.folder / "my.toml")]
        bare = {"HOME": str(self.folder), "PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **self.environment}
        with (self.folder / "log.txt").open("a") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, stdin=DEVNULL, stdout=PIPE, stderr=log, env=bare
            )
        await self._says(self.connected)

    async def ask_to_end(self) -> None:
        """Send the signal of whoever keeps services, and wait until it was heard."""
        self._running.send_signal(signal.SIGTERM)
        self._asked = time.monotonic()
        await self._says(ENDING)

    async def ended(self) -> None:
        """Wait until it has ended, in good order and in time since it was asked to."""
        await asyncio.wait_for(self._running.communicate(), 2 * HALF_A_MINUTE)
        seconds = time.monotonic() - self._asked
        print(f"ended in {seconds:.1f} s")  # noqa: T201  a figure of the report
        assert self._running.returncode == 0, self.log
        assert seconds < HALF_A_MINUTE
        assert not [each for each in UNCLEAN if each in self.log], self.log

    async def kill(self) -> None:
        """Have it be gone, whatever became of it."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    @property
    def log(self) -> str:
        return (self.folder / "log.txt").read_text()

    @property
    def _running(self) -> Process:
        assert self._process is not None
        return self._process

    async def _says(self, sentence: str) -> None:
        output = self._running.stdout
        assert output is not None
        async with asyncio.timeout(HALF_A_MINUTE):
            while sentence.encode() not in (line := await output.readline()):
                assert line, self.log


@asynccontextmanager
async def running(program: Program) -> AsyncGenerator[Program, None]:
    """The program, started; whatever runs of it at the end of the block is killed."""
    try:
        await program.start()
        yield program
    finally:
        await program.kill()


async def assert_left(folder: Path, place: Place, *, is_whole: bool) -> None:
    """What the first end leaves: the reply whole or being written, the post that came meanwhile told or waiting, once."""
    store = await open_store(sqlite_url(folder / DATABASE))
    try:
        session = await store.session_at(place)
        assert session is not None
        _, *turns = await store.turns(session.id)
        assert [turn.role for turn in turns] == [Role.PLAYER, Role.CHARACTER]
        assert turns[1].variant.state is (VariantState.WHOLE if is_whole else VariantState.WRITING)
        assert not is_whole or turns[1].text == tale(1)
        assert await store.outstanding() == ()
    finally:
        await store.close()


async def assert_whole_story(folder: Path, place: Place, seen: Sequence[str]) -> None:
    """Each post is told once and answered once, nothing is left to do, and people see what the store says, in order."""
    store = await open_store(sqlite_url(folder / DATABASE))
    try:
        session = await store.session_at(place)
        assert session is not None
        greeting, *turns = await store.turns(session.id)
        assert [turn.text for turn in turns] == [POSTS[0], tale(1), POSTS[1], tale(2)]
        assert {turn.variant.state for turn in turns if turn.role is Role.CHARACTER} == {VariantState.WHOLE}
        assert words(seen) == words([greeting.text, tale(1), tale(2)])
        assert (await store.waiting(), await store.unfinished(), await store.outstanding()) == ((), (), ())
    finally:
        await store.close()


def ends_with(post: int, seen: Sequence[str]) -> bool:
    """Whether the whole answer to a post is the newest that people see."""
    whole = tale(post).split()
    return words(seen)[-len(whole) :] == whole


def words(texts: Sequence[str]) -> list[str]:
    """What texts say one after another, wherever they are cut."""
    return " ".join(texts).split()
