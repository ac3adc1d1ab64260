"""The engine of this process: an event loop on one side, one named thread that owns the model on the other.

Rule 1. Only the engine's thread calls the runner (but for `tokenize` and `piece`, which any thread may).
Rule 2. The event loop talks to the thread through `_commands` alone, in order, and never waits for it.
Rule 3. The thread talks to the event loop once per step, through `call_soon_threadsafe`.
"""

import asyncio
import itertools
import logging
import math
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from bot.engine.job import Event, Job, Reading, WarmUp
from bot.engine.loop import STEP_SECONDS, EngineLoop
from bot.engine.statistics import EngineStatistics
from bot.engine.tokens import PromptTokens, joined
from bot.errors import EngineBusy, EngineError, EngineUnavailable, PromptTooLong, RunnerFailed, StoryForgotten
from bot.ids import SessionId
from bot.ports.engine import EngineCapabilities, Finished, GenerationRequest, Segment, StreamItem
from bot.ports.runner import Runner
from bot.ports.shelf import Shelf
from bot.story.policy import Rating

logger = logging.getLogger(__name__)

THREAD_NAME = "understudy-engine"
QUEUE_LIMIT = 64
"""Replies that wait or are being written at once; one more is asked to come back."""

FETCH_SECONDS = 0.005
"""How often a thread with nothing else to do looks whether a state has been brought."""

_Command = Callable[[EngineLoop], None]


@dataclass(frozen=True, slots=True)
class SharingSettings:
    """How the model is shared.

    `queue_limit` bounds the replies that wait or are being written; a step aims to take `step_seconds`;
    `memory_bytes` may hold states of sessions that lost their slot.
    """

    queue_limit: int = QUEUE_LIMIT
    step_seconds: float = STEP_SECONDS
    memory_bytes: int = 0


DEFAULT = SharingSettings()


class ThreadedEngine:
    """The Engine port over a Runner of this process. Starts its thread at once; `close` ends it and closes the runner.

    `shelf` keeps what finds no room in memory, and everything when the engine is closed; the engine's thread owns it.
    """

    def __init__(  # noqa: PLR0913 - what is shared, what it is called, how it is shared, and two walls
        self,
        runner: Runner,
        *,
        model: str,
        rating: Rating = Rating.UNRATED,
        fingerprint: str = "",
        sharing: SharingSettings = DEFAULT,
        shelf: Shelf | None = None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runner = runner
        self._ticks = ticks
        self._queue_limit = sharing.queue_limit
        self._capabilities = EngineCapabilities(model, runner.shape.context, rating, runner.adapters, fingerprint=fingerprint)
        self._tokens = PromptTokens(runner)
        self._loop = EngineLoop(
            runner, ticks, step_seconds=sharing.step_seconds, memory_bytes=sharing.memory_bytes, shelf=shelf
        )
        self._commands: SimpleQueue[_Command | None] = SimpleQueue()
        self._streams: dict[int, asyncio.Queue[Event]] = {}
        self._tickets = itertools.count(1)
        self._asks = itertools.count(1)
        self._asked: dict[int, SessionId] = {}
        self._forgetting: set[asyncio.Future[bool]] = set()
        self._listener: asyncio.AbstractEventLoop | None = None
        self._out_of_use = ""
        self._step_begun: float | None = None
        self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
        self._thread.start()

    async def capabilities(self) -> EngineCapabilities:
        """What it runs."""
        return self._capabilities

    async def count(self, segments: Sequence[Segment]) -> tuple[int, ...]:
        """The number of tokens of each segment. Texts counted lately cost next to nothing. Raises EngineUnavailable."""
        return tuple(len(part) for part in await self._parts(segments))

    async def tokenize(self, segments: Sequence[Segment]) -> tuple[tuple[int, ...], ...]:
        """The tokens of each segment, as `generate` would read them. Raises EngineUnavailable."""
        return await self._parts(segments)

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[StreamItem, None]:
        """Stream a reply. Raises EngineBusy, EngineUnavailable and PromptTooLong."""
        with self._asking(request.session) as asked:
            job = await self._job(request)
            self._refuse_forgotten(asked)
        stream = self._streams[job.ticket] = asyncio.Queue()
        self._listener = asyncio.get_running_loop()
        content: object = None
        try:
            # Asked after the stream is known: if the thread ends from here on, `_end_all` finds the stream.
            self._refuse_out_of_use()
            self._commands.put(lambda loop: loop.submit(job))
            while not isinstance(content, Finished):
                content = (await stream.get()).content
                if isinstance(content, EngineError):
                    raise content
                yield content
        finally:
            del self._streams[job.ticket]
            # A reply that came to its end is unknown to the loop by now: cancelling it changes nothing.
            self._commands.put(lambda loop: loop.cancel(job.ticket))

    async def warm(self, session: SessionId, segments: Sequence[Segment], adapter: str = "") -> None:
        """Read this prompt ahead of need. Never raises."""
        if self._out_of_use:
            return
        try:
            self._refuse_adapter(adapter)
            with self._asking(session) as asked:
                tokens, borders = joined(segments, await self._parts(segments))
                self._refuse_forgotten(asked)
        except EngineUnavailable as error:
            logger.info("the story was not read ahead: %s", error)
            return
        self._commands.put(lambda loop: loop.warm(WarmUp(session, Reading(tokens, borders, adapter))))

    async def forget(self, session: SessionId) -> None:
        """Drop all that is kept of this session, here and on the shelf. Raises EngineUnavailable when that cannot be known."""
        self._asked = {asked: each for asked, each in self._asked.items() if each != session}
        self._tokens.forget()
        self._listener = asyncio.get_running_loop()
        done = self._listener.create_future()
        self._forgetting.add(done)
        try:
            # Asked after `done` is known: if the thread ends from here on, `_end_all` finds it.
            self._refuse_out_of_use()
            self._commands.put(lambda loop: self._forget(loop, session, done))
            is_gone = await done
        finally:
            self._forgetting.discard(done)
        self._refuse_out_of_use()
        if not is_gone:
            raise EngineUnavailable("What the model has read of a story could not be erased from the disk; ask for it again.")

    def statistics(self) -> EngineStatistics:
        """What was read and written so far; may be a step behind."""
        return self._loop.statistics

    def seconds_since_step(self) -> float:
        """How long the step takes that the model is in; 0 when it is in none. On a hung device it never ends."""
        begun = self._step_begun
        return 0.0 if begun is None else self._ticks() - begun

    async def close(self) -> None:
        """End the thread, after the step it is in, and close the runner. Streams end with EngineUnavailable."""
        self._out_of_use = self._out_of_use or "The engine was closed."
        self._commands.put(None)
        await asyncio.to_thread(self._thread.join)

    @contextmanager
    def _asking(self, session: SessionId) -> Iterator[int]:
        """A number for what is asked for a session and not handed to the thread yet, so that forgetting finds it too."""
        asked = next(self._asks)
        self._asked[asked] = session
        try:
            yield asked
        finally:
            self._asked.pop(asked, None)

    def _refuse_forgotten(self, asked: int) -> None:
        if asked not in self._asked:
            raise StoryForgotten

    async def _job(self, request: GenerationRequest) -> Job:
        self._refuse_out_of_use()
        self._refuse_adapter(request.adapter)
        if len(self._streams) >= self._queue_limit:
            raise EngineBusy(math.ceil(self._loop.wait_seconds))
        prompt, borders = joined(request.segments, await self._parts(request.segments))
        room = self._capabilities.context - request.max_tokens
        if len(prompt) > room:
            raise PromptTooLong(len(prompt), max(room, 0))
        if not prompt:
            raise EngineUnavailable("The prompt is empty, so the model has nothing to go on from.")
        return Job(
            next(self._tickets),
            request.session,
            prompt,
            request.max_tokens,
            request.sampling,
            request.seed,
            request.stop,
            borders,
            request.community,
            request.adapter,
            None if request.deadline is None else self._ticks() + request.deadline,
            request.keeps,
        )

    def _refuse_adapter(self, adapter: str) -> None:
        if adapter and adapter not in self._runner.adapters:
            known = ", ".join(self._runner.adapters) or "none"
            raise EngineUnavailable(f'The engine has no adapter "{adapter}"; it has: {known}.')

    async def _parts(self, segments: Sequence[Segment]) -> tuple[tuple[int, ...], ...]:
        self._refuse_out_of_use()
        try:
            return await self._tokens.parts(segments)
        except RunnerFailed as failure:
            raise EngineUnavailable(f"The model cannot read the story: {failure}") from failure

    def _refuse_out_of_use(self) -> None:
        if self._out_of_use:
            raise EngineUnavailable(self._out_of_use)

    def _run(self) -> None:
        """The thread: take commands while there are any, step while there is work, wait for the next command otherwise."""
        try:
            while self._obey():
                self._step_begun = self._ticks()
                events = self._loop.step()
                self._step_begun = None
                self._tell(events)
        except Exception as failure:
            logger.exception("the engine broke down")
            self._out_of_use = f"The engine broke down and must be started again: {failure}"
        finally:
            self._end()

    def _obey(self) -> bool:
        """Do what was asked since the last step; False when that was to end."""
        while True:
            try:
                command = self._commands.get(not self._loop.has_work or self._loop.is_idle, self._patience)
            except Empty:
                return True
            if command is None:
                return False
            command(self._loop)

    @property
    def _patience(self) -> float | None:
        """How long to wait for a command when there is nothing to do: not for ever while a state is on its way."""
        return FETCH_SECONDS if self._loop.has_work else None

    def _end(self) -> None:
        try:
            self._loop.close()
        except Exception:
            logger.exception("what the model had read could not be kept")
        finally:
            self._runner.close()
            self._end_all()

    def _forget(self, loop: EngineLoop, session: SessionId, done: "asyncio.Future[bool]") -> None:
        """In the thread: forget, and tell `done` whether all is gone once that is known."""

        def tell(is_gone: bool) -> None:  # noqa: FBT001 - as the shelf tells it
            self._in_listener(lambda: None if done.done() else done.set_result(is_gone))

        self._tell(loop.forget(session, tell))

    def _tell(self, events: Sequence[Event]) -> None:
        if events:
            self._in_listener(lambda: self._deliver(events))

    def _deliver(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.ticket in self._streams:
                self._streams[event.ticket].put_nowait(event)

    def _end_all(self) -> None:
        sentence = self._out_of_use or "The engine was closed."

        def end() -> None:
            self._deliver([Event(ticket, EngineUnavailable(sentence)) for ticket in self._streams])
            for done in self._forgetting:
                if not done.done():
                    done.set_result(False)

        self._in_listener(end)

    def _in_listener(self, call: Callable[[], None]) -> None:
        if self._listener is None or self._listener.is_closed():
            return
        try:
            self._listener.call_soon_threadsafe(call)
        except RuntimeError:
            # The event loop closed between the question and the call: nobody listens any more.
            logger.debug("the event loop is gone", exc_info=True)
