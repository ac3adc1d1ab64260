"""Writing one reply: prompt, engine, and what comes of it. It knows the walls alone.

Rule 1: the turn was stored as "being written" before this begins, and every post is stored before it can be delivered.
Rule 2: only waiting for the engine may be interrupted; a step that stores something always runs to its end.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar

from bot import texts
from bot.errors import ChannelGone, EngineBusy, EngineError, PromptTooLong, StoreError
from bot.flow.gate import Gate
from bot.flow.lateness import told_when_late
from bot.flow.places import Places
from bot.flow.reply import Ending, Reply
from bot.flow.scribe import Scribe
from bot.flow.stop import Stop
from bot.flow.walks import Station, Walks
from bot.flow.window import Reading, fit, prepare_next
from bot.ids import Place
from bot.metrics import Metrics
from bot.ports.clock import Clock
from bot.ports.engine import Engine, Finished, FinishReason, GenerationRequest, StreamItem, Usage, Waiting
from bot.ports.store import Change, Store
from bot.posts import Draft, Speaker, Voice
from bot.prompt.guard import foreign_lines, is_impersonation, stop_texts
from bot.prompt.length import shorter
from bot.sampling import SamplingSettings
from bot.story.acts import give_up
from bot.story.session import Session
from bot.story.turn import VariantState

Result = TypeVar("Result")

log = logging.getLogger(__name__)

DRAWS = 3
"""How often a reply is drawn again, with the next seed, when the model ends it before the first word."""

LITTLE = 160
"""Characters below which a reply that ended in a player's line is asked for once more, shorter."""

PATIENCE = 3
"""How often a busy engine is asked again before the players are told."""


@dataclass(frozen=True, slots=True)
class Writer:
    """What the writing of any reply needs: the walls, how stories are read, the sampler settings, a reply's seconds at most."""

    store: Store
    engine: Engine
    places: Places
    gate: Gate
    clock: Clock
    reading: Reading
    sampling: SamplingSettings
    metrics: Metrics
    wake: Callable[[Place], None]
    walks: Walks
    deadline: float | None = None

    async def write(self, session: Session, stop: Stop) -> Session:
        """Write the turn of the session that is open, to its end, until `stop` is set, or until it cannot be written on.

        Whatever fails, the turn is closed and the place is told. Raises StoreError only.
        """
        turn = session.writing
        if turn is None:
            return session
        try:
            limits = await self.places.limits(session.place)
        except ChannelGone:
            log.warning("a reply has no place to go to", extra={"action": "give_up_turn", "place": session.place})
            return await self.store.save(Change(session, give_up(session)))
        async with told_when_late(self.places, session.place, turn) as heard:
            watch = await self.gate.watch(session)
            scribe = Scribe(turn.variant, limits, foreign_lines(session, self.reading.prompt_format), watch)
            reply = Reply(session, scribe, self.store, self.wake, heard, self.walks.open(session, turn.number))
            try:
                outcome = await self._write(reply, stop)
                self.metrics.count("turns", outcome)
                self.walks.finish(reply.walk, outcome)
            finally:
                stop.has_words = False
                await self.places.resting(session.place, turn.number)
        return reply.session if stop.is_last else await self.read_ahead(reply.session)

    async def read_ahead(self, session: Session) -> Session:
        """Have the engine read the story while it rests. A failure of the engine is no matter here."""
        try:
            return await prepare_next(self.reading, session)
        except EngineError as error:
            log.info("the story was not read ahead: %s", error, extra={"action": "skip_warming", "place": session.place})
            return session

    async def _write(self, reply: Reply, stop: Stop) -> str:
        """Write it, and say in a word what came of it."""
        try:
            if not stop.is_stale and (blocked := await self.gate.closed(reply.session)):
                await reply.break_off(blocked)
                return "closed"
            finished = None if stop.is_stale else await self._draw(reply, stop)
            if stop.is_stale:
                await reply.take_back()
                return "taken_back"
        except PromptTooLong as error:
            await reply.break_off(texts.POST_TOO_LONG.format(tokens=error.tokens, limit=error.limit))
            return "too_long"
        except EngineError as error:
            log.warning("a reply broke off: %s", error, extra={"action": "break_turn", "place": reply.session.place})
            await reply.break_off(self._told(error))
            return "broken"
        except StoreError:
            raise
        except Exception:
            # Left open, the turn would be met, and would fail, again at every later post of this place.
            log.exception("a reply could not be written", extra={"action": "break_turn", "place": reply.session.place})
            self.metrics.count("failures")
            await reply.break_off(texts.DEFECT)
            return "failed"
        await self._finish(reply, finished)
        return self._outcome(reply, finished)

    def _told(self, error: EngineError) -> str:
        if not isinstance(error, EngineBusy):
            return str(error)
        self.metrics.count("limited", "engine_queue")
        return texts.queue_full(error.seconds)

    async def _draw(self, reply: Reply, stop: Stop) -> Finished | None:
        """The reply, drawn anew where the model ended it before its first word; None when it was stopped."""
        seed, busy, draws, shortened = reply.turn.variant.seed, 0, 0, False
        while True:
            try:
                finished = await self._stream(reply, await self._request(reply, seed + draws), stop)
            except EngineBusy as error:
                busy += 1
                if busy > PATIENCE:
                    raise
                await self._show_draft(reply, texts.waits_for_queue(error.seconds))
                await _race(self.clock.sleep(error.seconds), stop)
                if stop.is_set:
                    return None
                continue
            draws += 1
            if spoke_for_player(reply, finished) and not stop.is_set:
                await reply.count_impersonation()
                if not shortened and not reply.scribe.posts and self._is_little(reply):
                    shortened = True
                    await reply.begin_again(shorter(reply.turn.variant.length))
                    continue
            if stop.is_set or reply.scribe.concern or reply.scribe.text.strip() or draws == DRAWS:
                return finished
            reply.scribe.start_over()
            self.metrics.count("empty_draws")

    @staticmethod
    def _is_little(reply: Reply) -> bool:
        """Whether so little was written that it is better asked for again. A reply that is written on keeps what it has."""
        return not reply.scribe.variant.text and len(reply.scribe.text.strip()) < LITTLE

    async def _request(self, reply: Reply, seed: int) -> GenerationRequest:
        reply.session, prompt, budget = await fit(self.reading, reply.session)
        return GenerationRequest(
            session=reply.session.id,
            segments=prompt.segments,
            max_tokens=budget,
            sampling=self.sampling,
            seed=seed,
            stop=stop_texts(reply.session, self.reading.prompt_format),
            community=reply.scribe.limits.community,
            adapter=reply.session.settings.adapter,
            deadline=self.deadline,
        )

    async def _stream(self, reply: Reply, request: GenerationRequest, stop: Stop) -> Finished | None:
        await self._show_draft(reply)
        streamed = 0
        async with aclosing(until(self.engine.generate(request), stop)) as stream:
            async for event in stream:
                reply.heard()
                if isinstance(event, Finished):
                    self._count_tokens(reply, event.usage)
                    reply.spent += max(0, event.usage.prefilled_tokens + event.usage.completion_tokens - streamed)
                    return event
                if isinstance(event, Waiting):
                    await self._show_draft(reply, texts.in_line(event.position, event.seconds))
                    continue
                # Counted as they come: who stops a reply before its end has had them all the same.
                tokens = len(event.token_ids) or 1
                streamed, reply.spent = streamed + tokens, reply.spent + tokens
                stop.has_words = True
                self.walks.passes(reply.walk, Station.FIRST_TOKEN)
                if reply.scribe.feed(event):
                    await reply.keep()
                if reply.scribe.concern:
                    self.metrics.count("refused_replies", reply.scribe.concern.reason)
                    break
                if reply.scribe.is_over:
                    break
                await self._show_draft(reply)
        return None

    async def _show_draft(self, reply: Reply, waiting: str = "") -> None:
        speaker = Speaker(Voice.CHARACTER, reply.turn.name)
        draft = Draft(reply.turn.number, speaker, reply.scribe.tail, len(reply.scribe.posts), waiting)
        await self.places.writing(reply.session.place, draft)

    async def _finish(self, reply: Reply, finished: Finished | None) -> None:
        if finished is None and not reply.scribe.is_over:
            await reply.finish(Ending(VariantState.STOPPED, cut_short=True))
            return
        cut_short = finished is None or finished.reason is not FinishReason.END
        is_cut = finished is not None and finished.reason in {FinishReason.LENGTH, FinishReason.DEADLINE}
        words = {"silent": texts.SILENT, "unchanged": texts.NOTHING_TO_ADD}
        await reply.finish(Ending(VariantState.WHOLE, cut_short=cut_short, is_cut=is_cut, **words))

    def _count_tokens(self, reply: Reply, usage: Usage) -> None:
        reply.walk.used(usage)
        for kind, tokens in (
            ("prompt", usage.prompt_tokens),
            ("cached", usage.cached_tokens),
            ("read", usage.prefilled_tokens),
            ("written", usage.completion_tokens),
        ):
            self.metrics.count("tokens", kind, tokens)

    def _outcome(self, reply: Reply, finished: Finished | None) -> str:
        """How a reply ended that was written, in a word; what the guard stopped is noted."""
        guard = ""
        if reply.scribe.is_over:
            guard = "player" if reply.scribe.is_impersonation else "header"
        elif finished is not None and finished.reason is FinishReason.STOP:
            guard = "player" if is_impersonation(finished.stop, reply.session) else "header"
        if guard:
            reply.walk.facts["guard"] = guard
            self.metrics.count("guard_stops", guard)
        if reply.scribe.concern:
            return "refused"
        if finished is None:
            return "guarded" if guard else "stopped"
        return finished.reason.value


def spoke_for_player(reply: Reply, finished: Finished | None) -> bool:
    """Whether a reply ended because the model began to speak for a player."""
    if finished is not None:
        return finished.reason is FinishReason.STOP and is_impersonation(finished.stop, reply.session)
    return reply.scribe.is_impersonation


async def until(stream: AsyncGenerator[StreamItem, None], stop: Stop) -> AsyncGenerator[StreamItem, None]:
    """The same stream, ended early (and closed) once `stop` is set, also while it is waited for."""
    try:
        while not stop.is_set:
            following = await _race(anext(stream), stop)
            if following.cancelled() or isinstance(following.exception(), StopAsyncIteration):
                return
            yield following.result()
    finally:
        await stream.aclose()


async def _race(work: Awaitable[Result], stop: Stop) -> asyncio.Future[Result]:
    """The work, done, or cancelled because `stop` was set first. It has let go of everything either way."""
    following = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(stop.signal.wait())
    both: list[asyncio.Future[Any]] = [following, stopped]
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
        if not following.done():
            following.cancel()
            await asyncio.wait([following])
    return following
