"""The engine's loop without a thread: each `step` is one step of the runner, shared by all. It knows tokens, not prompts.

Rule 1. Every reply that is being written draws one token in every step of its adapter, however long a prompt is that is
        read beside it: a prompt is read in stretches, as many in a step as its measured pace allows, one at least.
Rule 2. A drawn token is read in the step after it was drawn; the last one of a reply never is.
Rule 3. A step is of one adapter. Adapters with something to do take turns.
Rule 4. Reading ahead (`warm`) happens only in a step that finds no reply to write, and costs no other session its slot.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from bot.engine.fairness import FairShares
from bot.engine.job import Event, Job, WarmUp
from bot.engine.pace import Pace
from bot.engine.placing import Placing
from bot.engine.queue import Line
from bot.engine.statistics import EngineStatistics
from bot.engine.writing import Writing
from bot.errors import EngineBusy, EngineUnavailable, RunnerFailed, StoryForgotten
from bot.ids import SessionId
from bot.ports.engine import Finished, FinishReason, Waiting
from bot.ports.runner import Runner, Stretch
from bot.ports.shelf import Shelf

logger = logging.getLogger(__name__)

STEP_SECONDS = 0.2
BUSY_SECONDS = 10.0
"""How long to stay away from a full line when nothing is known of the pace yet."""


class EngineLoop:
    """Shares a runner among jobs. Not for several threads; every call but `step` only takes note and returns at once.

    `ticks` tells the seconds of a clock that never jumps; a step aims to take `step_seconds`. `memory_bytes` is for states
    of sessions that lost their slot, and `shelf` for those that find no room there. `wait_seconds` is about how long a new
    reply would wait for its slot, as of the last step.
    """

    def __init__(
        self,
        runner: Runner,
        ticks: Callable[[], float],
        *,
        step_seconds: float = STEP_SECONDS,
        memory_bytes: int = 0,
        shelf: Shelf | None = None,
    ) -> None:
        self._runner = runner
        self._ticks = ticks
        self._placing = Placing(runner, memory_bytes, shelf)
        self._shares = FairShares()
        self._line = Line(self._shares)
        self._pace = Pace(step_seconds)
        self._writing: dict[int, Writing] = {}
        self._warming: dict[SessionId, WarmUp] = {}
        self._last_adapter = ""
        self._changed = False
        self._sums = EngineStatistics(slots=runner.shape.slots)
        self.wait_seconds = BUSY_SECONDS

    @property
    def has_work(self) -> bool:
        """Whether `step` would do anything, now or once a state has been brought."""
        return bool(self._writing or len(self._line) or self._warming)

    @property
    def is_idle(self) -> bool:
        """Whether all that there is to do waits for a state to be brought."""
        return not self._writing and self._placing.memory.is_coming

    @property
    def statistics(self) -> EngineStatistics:
        """What happened so far, and what is at this moment."""
        ram, disk = self._placing.memory.statistics()
        placing = {"evictions": self._placing.evictions, "slot_hits": self._placing.hits}
        now = {"waiting": len(self._line), "writing": len(self._writing), **placing}
        return replace(self._sums, **now, ram=ram, disk=disk)

    def submit(self, job: Job) -> None:
        """Queue a reply. Its session's reading ahead is given up; what was read stays."""
        self._warming.pop(job.session, None)
        self._count(requests=1)
        self._shares.enter(job)
        self._line.add(job)
        self._changed = True

    def cancel(self, ticket: int) -> None:
        """Write no more of this reply; its slot is free and keeps what was read. An unknown ticket is no error."""
        writing = self._writing.get(ticket)
        job = self._line.remove(ticket)
        if writing is not None:
            self._drop(writing)
        elif job is not None:
            self._leave(job)
        self._count(cancelled=int(job is not None or writing is not None))

    def warm(self, wanted: WarmUp) -> None:
        """Read these tokens into the session's slot when nothing else is to do. Replaces an older call for the session."""
        if 0 < len(wanted.reading.tokens) < self._runner.shape.context:
            self._warming[wanted.session] = wanted

    def forget(self, session: SessionId, done: Callable[[bool], None]) -> tuple[Event, ...]:
        """Drop all that is held and kept of a session; its replies end with StoryForgotten.

        `done` hears, perhaps later and from another thread, whether nothing is left. Raises RunnerFailed as `step` does.
        """
        self._warming.pop(session, None)
        ended = [job.ticket for job in self._line.of(session)]
        ended += [each.job.ticket for each in self._writing.values() if each.job.session == session]
        for ticket in ended:
            self.cancel(ticket)
        self._placing.forget(session, done)
        return tuple(Event(ticket, StoryForgotten()) for ticket in ended)

    def step(self) -> tuple[Event, ...]:
        """Do one step of the runner and tell what came of it.

        A step that fails ends the replies that it was for with EngineUnavailable and clears their slots; the next ones
        start anew. Raises RunnerFailed when the runner cannot even clear a slot: it is of no more use then.
        """
        self._placing.memory.receive(self._line.sessions() | self._warming.keys())
        self._fetch()
        events = [*self._expire(), *self._admit()]
        adapter, group = self._group()
        if group:
            events += self._work(adapter, group)
        elif self._warming:
            self._read_ahead()
        return (*events, *self._news())

    def close(self) -> None:
        """Save what the slots hold, and return when everything that is kept is written down."""
        self._placing.close()

    def check_integrity(self) -> None:
        """Raise ValueError when the slots contradict each other or what is being written."""
        self._placing.slots.check_integrity(self._runner.shape.context)
        strays = [each.slot.index for each in self._writing.values() if each.slot.session != each.job.session]
        if strays:
            raise ValueError(f"slots {strays} are being written by others than their sessions")

    # Who is served.

    def _expire(self) -> Iterator[Event]:
        now = self._ticks()
        for job in self._line.overdue(now):
            self._line.remove(job.ticket)
            self._leave(job)
            self._count(refused=1)
            yield Event(job.ticket, EngineBusy(self.wait_seconds))
        for writing in [each for each in self._writing.values() if each.job.deadline is not None and each.job.deadline <= now]:
            yield from self._finish(writing, FinishReason.DEADLINE)

    def _admit(self) -> Iterator[Event]:
        """Give slots to the jobs whose turn it is, as long as there are any."""
        while len(self._writing) < len(self._placing.slots) and (job := self._line.next(self._is_ready)):
            self._line.remove(job.ticket)
            self._changed = True
            try:
                self._writing[job.ticket] = self._start(job)
            except RunnerFailed as failure:
                self._leave(job)
                self._count(failed=1)
                yield self._gave_up(job, failure)

    def _fetch(self) -> None:
        """Send for what the next in line left on the shelf: for no more than could have a slot, as it takes memory here."""
        for job in self._line.first(len(self._placing.slots)):
            if self._placing.slots.of(job.session) is None:
                self._placing.memory.send_for(job.session)

    def _is_ready(self, job: Job) -> bool:
        """Whether a job could start now: its session is not being written for, and what it left is not on the shelf."""
        if self._placing.slots.of(job.session) is None and self._placing.memory.is_away(job.session):
            return False
        return all(each.job.session != job.session for each in self._writing.values())

    def _start(self, job: Job) -> Writing:
        slot = self._placing.place(job.session, {each.slot.index for each in self._writing.values()})
        if slot is None:
            raise RunnerFailed("no slot is free")
        try:
            ends = self._placing.prepare(slot, job.reading, draws=True)
            self._runner.begin(slot.index, job.sampling, job.seed, job.prompt)
        except RunnerFailed:
            self._placing.empty(slot)
            raise
        cached = len(slot.tokens)
        self._count(prompt_tokens=len(job.prompt), cached_tokens=cached)
        return Writing(job, slot, deque(ends), cached)

    def _group(self) -> tuple[str, list[Writing]]:
        """The replies of the adapter whose step this is."""
        adapters = sorted({each.job.adapter for each in self._writing.values()})
        if not adapters:
            return "", []
        adapter = next((each for each in adapters if each > self._last_adapter), adapters[0])
        self._last_adapter = adapter
        return adapter, [each for each in self._writing.values() if each.job.adapter == adapter]

    # What a step holds.

    def _work(self, adapter: str, group: list[Writing]) -> Iterator[Event]:
        writers = [each for each in group if not each.is_reading]
        others = [each for each in self._writing.values() if each.job.adapter != adapter]
        self._placing.gather({each.slot.index for each in writers}, {each.slot.index for each in others})
        stretches = [(each, each.next_write()) for each in writers]
        stretches += self._reads([each for each in group if each.is_reading], len(writers))
        begun = self._ticks()
        try:
            drawn = self._runner.step([stretch for _, stretch in stretches], adapter)
        except RunnerFailed as failure:
            yield from self._give_up([each for each in group if any(each is one for one, _ in stretches)], failure)
            return
        self._measure(len(writers), [stretch for _, stretch in stretches[len(writers) :]], self._ticks() - begun)
        for (writing, stretch), token in zip(stretches, drawn, strict=True):
            writing.slot.extend(stretch.tokens)
            self._shares.charge(writing.job, len(stretch.tokens))
            if token is not None:
                yield from self._take(writing, token)

    def _reads(self, readers: list[Writing], writers: int) -> list[tuple[Writing, Stretch]]:
        """The stretches of prompts for this step: who has least left to read goes first, and is read to the end.

        By turns, all who came together would wait for the last of them.
        """
        shape = self._runner.shape
        room = self._pace.room(writers, shape.chunk, shape.batch - writers)
        found: list[tuple[Writing, Stretch]] = []
        for reader in sorted(readers, key=lambda each: (each.left, self._shares.rank(each.job))):
            start = len(reader.slot.tokens)
            while reader.is_reading and reader.ends[0] - start <= room:
                stretch = reader.next_read(start)
                found.append((reader, stretch))
                start += len(stretch.tokens)
                room -= len(stretch.tokens)
        return found

    def _measure(self, written: int, reads: list[Stretch], seconds: float) -> None:
        read = sum(len(stretch.tokens) for stretch in reads)
        self._pace.take(written=written, read=read, seconds=seconds)
        self._count(prefilled_tokens=read, decode_tokens=read + written, steps=1, step_seconds=seconds)

    # What came of it.

    def _take(self, writing: Writing, token: int) -> Iterator[Event]:
        sequence, ticket = writing.sequence, writing.job.ticket
        if self._runner.is_end(token):
            delta = sequence.end()
        else:
            self._count(completion_tokens=1)
            delta = sequence.accept(token, self._runner.piece(token))
            writing.drawn = token
        if delta:
            yield Event(ticket, delta)
        if sequence.reason is not None:
            yield from self._finish(writing, sequence.reason)

    def _finish(self, writing: Writing, reason: FinishReason) -> Iterator[Event]:
        if reason is FinishReason.DEADLINE and (rest := writing.sequence.end()):
            yield Event(writing.job.ticket, rest)
        usage = writing.usage
        self._drop(writing)
        self._count(finished=1)
        if reason is not FinishReason.DEADLINE:
            self._pace.take_reply(writing.sequence.drawn)
        yield Event(writing.job.ticket, Finished(reason, usage, writing.sequence.stop))

    def _give_up(self, failed: list[Writing], failure: RunnerFailed) -> Iterator[Event]:
        for writing in failed:
            self._drop(writing)
            self._count(failed=1)
            self._placing.empty(writing.slot)
            yield self._gave_up(writing.job, failure)

    @staticmethod
    def _gave_up(job: Job, failure: RunnerFailed) -> Event:
        return Event(job.ticket, EngineUnavailable(f"The model failed while it wrote: {failure}"))

    def _drop(self, writing: Writing) -> None:
        del self._writing[writing.job.ticket]
        self._leave(writing.job)
        if not writing.job.keeps:
            self._placing.empty(writing.slot)

    def _leave(self, job: Job) -> None:
        self._shares.leave(job)
        self._changed = True
        if job.session not in self._line.sessions():
            self._placing.memory.give_back(job.session)

    def _news(self) -> Iterator[Event]:
        """Where everyone in line stands, to whom that is new."""
        if self._changed:
            self._changed = False
            self.wait_seconds = self._wait_at(len(self._line) + 1) or BUSY_SECONDS
            for ticket, place in self._line.moved(max(self._pace.reply_tokens(), 1.0)):
                yield Event(ticket, Waiting(place, self._wait_at(place)))

    def _wait_at(self, place: int) -> float | None:
        """About how long it takes until the slot of this place in line is free; None as long as that cannot be told."""
        slots = len(self._placing.slots)
        rows = max(len(self._writing), 1)
        whole = self._pace.reply_seconds(0, rows)
        if whole is None:
            return None
        mean = self._pace.reply_tokens()
        left = sorted(
            self._pace.reply_seconds(each.left, rows) or 0.0
            if each.is_reading
            else whole * max(mean - each.sequence.drawn, 0.0) / max(mean, 1.0)
            for each in self._writing.values()
        )
        rounds, index = divmod(place - 1, slots)
        return (left[min(index, len(left) - 1)] if left else 0.0) + rounds * whole

    # Reading ahead.

    def _read_ahead(self) -> None:
        """Read the next stretches of the oldest prompt to warm; one that is read, or finds no slot of its own, is dropped."""
        session, wanted = next(iter(self._warming.items()))
        slots, memory = self._placing.slots, self._placing.memory
        if slots.of(session) is None and slots.empty() is not None:
            memory.send_for(session)
            if memory.is_away(session):
                # The others need not wait for it.
                self._warming[session] = self._warming.pop(session)
                return
        slot = self._placing.place_without_loss(session)
        if slot is None:
            del self._warming[session]
            memory.give_back(session)
            return
        try:
            self._read_some(wanted, slot.index)
        except RunnerFailed:
            logger.warning("reading ahead failed; the slot is cleared", exc_info=True)
            self._warming.pop(session, None)
            self._placing.empty(slot)

    def _read_some(self, wanted: WarmUp, index: int) -> None:
        slot, shape = self._placing.slots[index], self._runner.shape
        ends = deque(self._placing.prepare(slot, wanted.reading, draws=False))
        room = self._pace.room(0, shape.chunk, shape.batch)
        stretches: list[Stretch] = []
        at = len(slot.tokens)
        while ends and ends[0] - at <= room:
            room -= ends[0] - at
            stretches.append(Stretch(index, wanted.reading.tokens[at : ends[0]], at, draws=False))
            at = ends.popleft()
        if not ends:
            del self._warming[wanted.session]
        if stretches:
            self._run_ahead(index, stretches, wanted.reading.adapter)

    def _run_ahead(self, index: int, stretches: list[Stretch], adapter: str) -> None:
        begun = self._ticks()
        self._runner.step(stretches, adapter)
        seconds, read = self._ticks() - begun, sum(len(stretch.tokens) for stretch in stretches)
        for stretch in stretches:
            self._placing.slots[index].extend(stretch.tokens)
        self._pace.take(written=0, read=read, seconds=seconds)
        self._count(warmed_tokens=read, decode_tokens=read, steps=1, step_seconds=seconds)

    def _count(self, **more: float) -> None:
        sums = {name: getattr(self._sums, name) + by for name, by in more.items()}
        self._sums = replace(self._sums, **sums)
