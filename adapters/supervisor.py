"""Keeps a child process running: starts it, waits until it is ready, starts it again when it dies. It knows not what it does.

Rule 1. A child that never came up at the first start is the starter's to hear of; after that it is started again for ever.
Rule 2. Every death is one line in the log: how it died, its own last words, and when it is started again.
Rule 3. The child reads its standard input: when that ends its parent is gone, and it must end too. Nothing else writes there.
"""

import asyncio
import logging
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from bot.errors import ModelNotLoaded
from bot.ports.clock import Clock

logger = logging.getLogger(__name__)

REFUSED = 2
"""The exit code of a child that cannot do what it was asked to, and said why in lines that begin with `error: `."""

REASON = "error: "
LAST_LINES = 5
LONGEST_LINE = 16_384
PROBE_SECONDS = 0.02
LAST_WORDS_SECONDS = 1.0
"""How long a dead child's error stream may stay open: something that it started may hold it."""


@dataclass(frozen=True, slots=True)
class SupervisorRules:
    """Seconds: to come up in, to end in by itself, the shortest and longest pause before a restart, and what is running well.

    Pauses double from one death to the next; a child that ran well is started again as if it had never died before.
    """

    ready: float = 600.0
    drain: float = 60.0
    first_pause: float = 0.25
    longest_pause: float = 30.0
    well: float = 60.0

    def pause(self, deaths: int, draw: float) -> float:
        """The pause after so many deaths in a row (from 1). Half of it is drawn (0 to 1), so that not all start at once."""
        usual = min(self.longest_pause, self.first_pause * 2.0 ** min(deaths - 1, 64))
        return usual * (1 + draw) / 2


@dataclass(slots=True)
class _Child:
    """A running process, its last lines, and who reads them."""

    process: Process
    lines: deque[str]
    listening: asyncio.Task[None]
    is_late: bool = False

    @property
    def ending(self) -> str:
        """How it ended."""
        code = self.process.returncode
        if self.is_late:
            return "it was not ready in time and was killed"
        if code is not None and code < 0:
            return f"killed by {_signal_name(-code)}"
        return f"exit code {code}"

    @property
    def last_words(self) -> str:
        """Its last lines."""
        return " | ".join(list(self.lines)[-LAST_LINES:])

    @property
    def reasons(self) -> str:
        """Why it refused to work, in its own words."""
        if self.process.returncode != REFUSED:
            return ""
        return " ".join(line.removeprefix(REASON) for line in self.lines if line.startswith(REASON))

    async def end(self, patience: float) -> None:
        """Ask it to end, kill it when it has not within its patience, and hear its last words."""
        with suppress(ProcessLookupError):
            self.process.terminate()
        ended = asyncio.ensure_future(self.process.wait())
        await asyncio.wait({ended}, timeout=patience)
        if not ended.done():
            logger.warning("the child process did not end in %g seconds and is killed", patience, extra=self.facts)
            self.kill()
        await ended
        await self.hear_out()

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self.process.kill()

    async def hear_out(self) -> None:
        """Wait for the last lines of a process that has ended."""
        await asyncio.wait({self.listening}, timeout=LAST_WORDS_SECONDS)
        self.listening.cancel()

    @property
    def facts(self) -> dict[str, object]:
        """For a line of the log."""
        return {"pid": self.process.pid}


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Runs `command` for as long as it is open. `ready` asks whether the child does its work yet; it never raises.

    `greeting` is written to the child's standard input first; `environment` None is this process's own.
    Its error stream is passed on to `tell` line by line, as it
    is, but for the sentences that say why it refuses to work, which come with the error or the log's line of its death.
    """

    command: Sequence[str]
    ready: Callable[[], Awaitable[bool]]
    clock: Clock
    rules: SupervisorRules = SupervisorRules()
    greeting: bytes = b""
    environment: Mapping[str, str] | None = None
    tell: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: T201  the child's log, as it is
    draw: Callable[[], float] = random.random
    restarts: int = field(default=0, init=False)
    _child: _Child | None = field(default=None, init=False)
    _watching: asyncio.Task[None] | None = field(default=None, init=False)

    @property
    def pid(self) -> int | None:
        """The process that was started last."""
        return self._child.process.pid if self._child else None

    async def start(self) -> None:
        """Start the child and wait until it is ready. Raises ModelNotLoaded, with its own sentence, when it will not."""
        try:
            child = await self._begin()
        except OSError as error:
            raise ModelNotLoaded(f"The engine's process could not be started: {error}.") from error
        if not await self._comes_up(child):
            ended = f"The engine's process ended at its start ({child.ending}): {child.last_words or 'it said nothing'}"
            raise ModelNotLoaded(child.reasons or ended)
        self._watching = asyncio.create_task(self._watch(child))

    async def close(self) -> None:
        """Ask the child to end, wait for what it has in hand, and kill it when that takes too long. May be repeated."""
        if self._watching:
            self._watching.cancel()
            await asyncio.wait({self._watching})
            self._watching = None
        if self._child:
            await self._child.end(self.rules.drain)
            self._child = None

    async def _begin(self) -> _Child:
        # A pipe of our own: asyncio takes a process for running as long as anybody holds one of the pipes that it made.
        ours, its = os.pipe()
        try:
            # A session of its own: Ctrl-C in the terminal is for the parent, which ends the child in its own time.
            process = await asyncio.create_subprocess_exec(
                *self.command, stdin=PIPE, stderr=its, env=self.environment, start_new_session=True
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(its)
        lines: deque[str] = deque(maxlen=4 * LAST_LINES)
        self._child = _Child(process, lines, asyncio.create_task(self._listen(ours, lines)))
        if process.stdin:
            process.stdin.write(self.greeting)
        return self._child

    async def _comes_up(self, child: _Child) -> bool:
        """Wait until it is ready; whether it is. One that is not has ended afterwards, however this ends."""
        ended = asyncio.ensure_future(child.process.wait())
        is_up = False
        try:
            async with asyncio.timeout(self.rules.ready):
                while not ended.done() and not (is_up := await self.ready()):
                    await asyncio.wait({ended}, timeout=PROBE_SECONDS)
        except TimeoutError:
            child.is_late = True
        finally:
            if not is_up:
                child.kill()
                await ended
                await child.hear_out()
            ended.cancel()
        return is_up

    async def _watch(self, child: _Child) -> None:
        deaths = 0
        while True:
            since = self.clock.ticks()
            await child.process.wait()
            await child.hear_out()
            if self.clock.ticks() - since >= self.rules.well:
                deaths = 0
            is_up = False
            while not is_up:
                deaths += 1
                try:
                    child, is_up = await self._start_again(child, deaths)
                except Exception:
                    logger.exception("a defect in starting the engine's process again; it is tried once more")
                    await self.clock.sleep(self.rules.longest_pause)

    async def _start_again(self, child: _Child, deaths: int) -> tuple[_Child, bool]:
        """Start a new child in the place of one that ended; it, and whether it came up."""
        pause = self.rules.pause(deaths, self.draw())
        logger.error(
            "the engine's process ended (%s) and is started again in %.2g seconds; its last words: %s",
            child.ending,
            pause,
            child.last_words or "none",
            extra={"action": "engine_died", "deaths": deaths, **child.facts},
        )
        await self.clock.sleep(pause)
        self.restarts += 1
        try:
            child = await self._begin()
        except OSError as error:
            child.lines.append(f"it could not be started: {error}")
            return child, False
        if not await self._comes_up(child):
            return child, False
        logger.warning("the engine's process is up again", extra={"action": "engine_up", **child.facts})
        return child, True

    async def _listen(self, pipe: int, lines: deque[str]) -> None:
        """Pass the child's lines on and keep the last ones, until nobody holds the other end. Closes the pipe."""
        stream = asyncio.StreamReader()
        with os.fdopen(pipe, "rb", buffering=0) as file:
            reading, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), file)
            try:
                await self._pass_on(stream, lines)
            finally:
                reading.close()

    async def _pass_on(self, stream: asyncio.StreamReader, lines: deque[str]) -> None:
        rest = b""
        while chunk := await stream.read(LONGEST_LINE):
            *whole, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST_LINE:
                whole, rest = [*whole, rest], b""
            for line in whole:
                self._hear(line, lines)
        if rest:
            self._hear(rest, lines)

    def _hear(self, raw: bytes, lines: deque[str]) -> None:
        line = raw.decode(errors="replace").rstrip()
        lines.append(line)
        if line.startswith(REASON):
            return
        try:
            self.tell(line)
        except Exception:
            # Whoever read our own log may be gone. The child's pipe must be emptied all the same, or it stands still.
            logger.debug("a line of the child process could not be passed on", exc_info=True)


def _signal_name(number: int) -> str:
    """What the signal is called; those for real time have numbers only."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
