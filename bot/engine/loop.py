"""The engine's loop without a clock or a thread: each `step` is one step of the runner. It knows tokens, not prompts.

In this first form one reply is written at a time, in order of arrival; a step is a list of stretches all the same, so
that writing several side by side changes only `_next_stretches`.

Rule 1. `slot.tokens` is what the runner has read into the slot, no more and no less.
Rule 2. A drawn token is read in the step after it was drawn; the last one of a reply never is.
Rule 3. Reading ahead (`warm`) happens only in a step that finds no reply to write.
"""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.engine.sequence import ReplySequence
from bot.engine.slots import Slot, SlotTable
from bot.errors import EngineUnavailable, RunnerFailed
from bot.ids import SessionId
from bot.ports.engine import Finished, TextDelta, Usage
from bot.ports.runner import Runner, Stretch
from bot.sampling import SamplingSettings

logger = logging.getLogger(__name__)

WARM_TOKENS = 64
"""Tokens read ahead in one step at most: a reply that arrives meanwhile waits no longer than this takes."""


@dataclass(frozen=True, slots=True)
class Job:
    """A reply to write. `ticket` is the caller's name for it."""

    ticket: int
    session: SessionId
    prompt: tuple[int, ...]
    max_tokens: int
    sampling: SamplingSettings
    seed: int
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the caller of a ticket must hear: text, the end, or the error that ended it."""

    ticket: int
    content: TextDelta | Finished | EngineUnavailable


@dataclass(frozen=True, slots=True)
class EngineStatistics:
    """Sums since the start.

    `prefilled_tokens` were read for replies, `warmed_tokens` ahead of need; `decode_tokens` are all that were handed to
    the runner, in `steps` steps.
    """

    prompt_tokens: int = 0
    cached_tokens: int = 0
    prefilled_tokens: int = 0
    warmed_tokens: int = 0
    completion_tokens: int = 0
    decode_tokens: int = 0
    steps: int = 0


@dataclass(slots=True)
class _Writing:
    """The reply that is being written: its job, its slot, what is still to read before the next draw."""

    job: Job
    slot: Slot
    sequence: ReplySequence
    cached: int
    unread: deque[int] = field(default_factory=deque)

    @property
    def usage(self) -> Usage:
        prompt = len(self.job.prompt)
        return Usage(prompt, self.cached, prompt - self.cached, self.sequence.drawn)


class EngineLoop:
    """Shares a runner among jobs. Not for several threads; every call but `step` only takes note and returns at once."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._slots = SlotTable(runner.shape.slots)
        self._waiting: deque[Job] = deque()
        self._writing: _Writing | None = None
        self._warming: dict[SessionId, tuple[int, ...]] = {}
        self.statistics = EngineStatistics()

    @property
    def has_work(self) -> bool:
        """Whether `step` would do anything."""
        return bool(self._writing or self._waiting or self._warming)

    def submit(self, job: Job) -> None:
        """Queue a reply. Its session's reading ahead is given up; what was read stays."""
        self._warming.pop(job.session, None)
        self._waiting.append(job)

    def cancel(self, ticket: int) -> None:
        """Write no more of this reply; its slot is free and keeps what was read. An unknown ticket is no error."""
        self._waiting = deque(job for job in self._waiting if job.ticket != ticket)
        if self._writing and self._writing.job.ticket == ticket:
            self._writing = None

    def warm(self, session: SessionId, tokens: Sequence[int]) -> None:
        """Read these tokens into the session's slot when nothing else is to do. Replaces an older call for the session."""
        if 0 < len(tokens) < self._runner.shape.context:
            self._warming[session] = tuple(tokens)

    def step(self) -> tuple[Event, ...]:
        """Do one step of the runner and tell what came of it.

        A step that fails ends the reply it was for with EngineUnavailable and clears its slot; the next one starts anew.
        Raises RunnerFailed when the runner cannot even clear a slot: it is of no more use then.
        """
        if self._writing is None and self._waiting:
            job = self._waiting.popleft()
            try:
                self._writing = self._start(job)
            except RunnerFailed as failure:
                return self._refuse(job, failure)
        if self._writing is not None:
            return self._write(self._writing)
        if self._warming:
            self._read_ahead()
        return ()

    def check_integrity(self) -> None:
        """Raise ValueError when the slots contradict each other."""
        self._slots.check_integrity(self._runner.shape.context)

    def _start(self, job: Job) -> _Writing:
        slot = self._slots.take(job.session)
        # The last token is always read again, because only reading it gives the numbers to draw from.
        cached = self._cut(slot, min(slot.prefix(job.prompt), len(job.prompt) - 1))
        self._runner.begin(slot.index, job.sampling, job.seed, job.prompt)
        self._count(prompt_tokens=len(job.prompt), cached_tokens=cached)
        return _Writing(job, slot, ReplySequence(job.max_tokens, job.stop), cached, deque(job.prompt[cached:]))

    def _cut(self, slot: Slot, length: int) -> int:
        """Cut the slot to `length` tokens; returns how many it holds then, which is none when the runner cannot cut."""
        if length < len(slot.tokens):
            kept = self._runner.keep(slot.index, length)
            del slot.tokens[length if kept else 0 :]
        return len(slot.tokens)

    def _write(self, writing: _Writing) -> tuple[Event, ...]:
        for_prompt = not writing.sequence.drawn
        stretch = self._next_stretch(writing)
        try:
            (token,) = self._run(stretch)
        except RunnerFailed as failure:
            return self._give_up(writing, failure)
        if for_prompt:
            self._count(prefilled_tokens=len(stretch.tokens))
        return () if token is None else self._take(writing, token)

    def _next_stretch(self, writing: _Writing) -> Stretch:
        size = min(len(writing.unread), self._runner.shape.batch)
        tokens = tuple(writing.unread.popleft() for _ in range(size))
        return Stretch(writing.slot.index, tokens, len(writing.slot.tokens), draws=not writing.unread)

    def _run(self, stretch: Stretch) -> tuple[int | None, ...]:
        drawn = self._runner.step((stretch,))
        self._slots[stretch.slot].tokens.extend(stretch.tokens)
        self._count(decode_tokens=len(stretch.tokens), steps=1)
        return drawn

    def _take(self, writing: _Writing, token: int) -> tuple[Event, ...]:
        sequence, ticket = writing.sequence, writing.job.ticket
        if self._runner.is_end(token):
            delta = sequence.end()
        else:
            self._count(completion_tokens=1)
            delta = sequence.accept(token, self._runner.piece(token))
            writing.unread.append(token)
        events = [Event(ticket, delta)] if delta else []
        if sequence.reason is not None:
            events.append(Event(ticket, Finished(sequence.reason, writing.usage, sequence.stop)))
            self._writing = None
        return tuple(events)

    def _refuse(self, job: Job, failure: RunnerFailed) -> tuple[Event, ...]:
        self._empty(self._slots.take(job.session))
        return (Event(job.ticket, EngineUnavailable(f"The model could not begin to write: {failure}")),)

    def _give_up(self, writing: _Writing, failure: RunnerFailed) -> tuple[Event, ...]:
        self._writing = None
        self._empty(writing.slot)
        return (Event(writing.job.ticket, EngineUnavailable(f"The model failed while it wrote: {failure}")),)

    def _empty(self, slot: Slot) -> None:
        self._runner.keep(slot.index, 0)
        self._slots.clear(slot)

    def _read_ahead(self) -> None:
        """Read the next stretch of the oldest prompt to warm; one that is read, or finds no slot of its own, is dropped."""
        session, tokens = next(iter(self._warming.items()))
        slot = self._slots.take_without_loss(session)
        if slot is None or slot.prefix(tokens) == len(tokens):
            del self._warming[session]
            return
        try:
            at = self._cut(slot, slot.prefix(tokens))
            ahead = tokens[at : at + min(WARM_TOKENS, self._runner.shape.batch)]
            self._run(Stretch(slot.index, ahead, at, draws=False))
        except RunnerFailed:
            logger.warning("reading ahead failed; the slot is cleared", exc_info=True)
            del self._warming[session]
            self._empty(slot)
        else:
            self._count(warmed_tokens=len(ahead))

    def _count(self, **more: int) -> None:
        sums = {name: getattr(self.statistics, name) + by for name, by in more.items()}
        self.statistics = replace(self.statistics, **sums)
