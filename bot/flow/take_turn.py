"""Writing one reply: prompt, engine, scribe, posts into the store as they become sure. It knows the walls alone.

Rule 1: the turn was stored as "being written" before this begins, and every post is stored before it can be delivered.
Rule 2: only waiting for the engine may be interrupted; a step that stores something always runs to its end.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Literal

from bot import texts
from bot.chunking.chunker import cut
from bot.errors import EngineBusy, EngineError, PromptTooLong
from bot.flow.places import Places
from bot.flow.scribe import Scribe
from bot.flow.window import Reading, fit, prepare_next
from bot.flow.wishes import notice, wishes_for
from bot.ids import Place
from bot.metrics import Metrics
from bot.ports.clock import Clock
from bot.ports.engine import Engine, Finished, FinishReason, GenerationRequest, TextDelta
from bot.ports.store import Change, Store, Wish
from bot.posts import Draft, Speaker, Voice
from bot.prompt.format import PromptFormat
from bot.prompt.guard import is_impersonation, stop_texts
from bot.sampling import SamplingSettings
from bot.story.session import Session, give_up, with_turn
from bot.story.turn import Variant, VariantState

log = logging.getLogger(__name__)

DRAWS = 3
"""How often a reply is drawn again, with the next seed, when the model ends it before the first word."""

PATIENCE = 3
"""How often a busy engine is asked again before the players are told."""


@dataclass(frozen=True, slots=True)
class Writer:
    """What the writing of any reply needs: the walls, the prompt format and the sampler settings."""

    store: Store
    engine: Engine
    places: Places
    clock: Clock
    prompt_format: PromptFormat
    sampling: SamplingSettings
    metrics: Metrics
    wake: Callable[[Place], None]

    async def write(self, session: Session, stop: asyncio.Event) -> Session:
        """Write the turn of the session that is open, to its end, until `stop` is set, or until the engine fails."""
        started = self.clock.ticks()
        limits = await self.places.limits(session.place)
        turn = session.turns[-1]
        scribe = Scribe(turn.variant, limits)
        try:
            session, finished = await self._draw(session, scribe, stop)
        except PromptTooLong as error:
            trouble = texts.POST_TOO_LONG.format(tokens=error.tokens, limit=error.limit)
            session = await self._break_off(session, scribe, trouble, trouble)
        except EngineError as error:
            log.warning("the engine failed", exc_info=error, extra={"action": "break_turn", "place": session.place})
            session = await self._break_off(
                session, scribe, texts.BROKEN.format(reason=error), texts.NOTHING_WRITTEN.format(reason=error)
            )
        else:
            session = await self._finish(session, scribe, finished)
            self._report(session, finished, self.clock.ticks() - started)
        await self.places.resting(session.place, turn.number)
        return await prepare_next(self._reading(), session)

    async def _draw(self, session: Session, scribe: Scribe, stop: asyncio.Event) -> tuple[Session, Finished | None]:
        seed = session.turns[-1].variant.seed
        finished: Finished | None = None
        busy = 0
        for attempt in range(DRAWS + PATIENCE):
            session, request = await self._request(session, seed + attempt)
            try:
                session, finished = await self._stream(session, scribe, request, stop)
            except EngineBusy as error:
                busy += 1
                if busy == PATIENCE:
                    raise
                await self.clock.sleep(error.seconds)
                continue
            if scribe.text.strip() or stop.is_set() or attempt - busy + 1 == DRAWS:
                break
            self.metrics.count("empty_draws")
        return session, finished

    async def _request(self, session: Session, seed: int) -> tuple[Session, GenerationRequest]:
        session, prompt, budget = await fit(self._reading(), session)
        return session, GenerationRequest(
            session=session.id,
            segments=prompt.segments,
            max_tokens=budget,
            sampling=self.sampling,
            seed=seed,
            stop=stop_texts(session, self.prompt_format),
        )

    async def _stream(
        self, session: Session, scribe: Scribe, request: GenerationRequest, stop: asyncio.Event
    ) -> tuple[Session, Finished | None]:
        speaker = Speaker(Voice.CHARACTER, session.turns[-1].name)
        number = session.turns[-1].number
        await self.places.writing(session.place, Draft(number, speaker, scribe.tail, len(scribe.posts)))
        async with aclosing(until(self.engine.generate(request), stop)) as stream:
            async for event in stream:
                if isinstance(event, Finished):
                    return session, event
                if scribe.feed(event):
                    session = await self._keep(session, scribe)
                await self.places.writing(session.place, Draft(number, speaker, scribe.tail, len(scribe.posts)))
        return session, None

    async def _keep(self, session: Session, scribe: Scribe) -> Session:
        """Store the posts that have become sure, so that they can leave while the rest is written."""
        turn = session.turns[-1]
        variant = replace(turn.variant, text=scribe.kept, token_ids=())
        posts = (*scribe.posts, *turn.posts[len(scribe.posts) :])
        after = with_turn(session, replace(turn.with_variant(variant), posts=posts))
        return await self._save(session, after, wishes_for(session, turn, posts))

    async def _finish(self, session: Session, scribe: Scribe, finished: Finished | None) -> Session:
        cut = finished is None or finished.reason is not FinishReason.END
        state = VariantState.STOPPED if finished is None else VariantState.WHOLE
        text, ids = scribe.finish(cut=cut)
        if not text:
            return await self._give_up(session, scribe, "" if finished is None else texts.SILENT)
        extras: tuple[Wish, ...] = ()
        if finished is not None and text == scribe.variant.text:
            extras = (self._notice(session, texts.NOTHING_TO_ADD),)
        return await self._close(session, scribe, Variant(text, state, ids), extras)

    async def _break_off(self, session: Session, scribe: Scribe, kept: str, nothing: str) -> Session:
        self.metrics.count("broken_turns")
        text, ids = scribe.finish(cut=True)
        if not text:
            return await self._give_up(session, scribe, nothing)
        variant = Variant(text, VariantState.BROKEN, ids)
        return await self._close(session, scribe, variant, (self._notice(session, kept),))

    async def _give_up(self, session: Session, scribe: Scribe, sentence: str) -> Session:
        """Nothing was written: what the story falls back to is shown, which need not be what was shown before."""
        turn, after = session.turns[-1], give_up(session)
        wishes: tuple[Wish, ...] = (self._notice(session, sentence),) if sentence else ()
        if after.last is not None and after.last.number == turn.number:
            posts = tuple(chunk.text for chunk in cut(after.last.text, scribe.limits))
            wishes = (*wishes_for(session, after.last, posts), *wishes)
            after = with_turn(after, replace(after.last, posts=posts))
        return await self._save(session, after, wishes)

    async def _close(self, session: Session, scribe: Scribe, written: Variant, extras: tuple[Wish, ...]) -> Session:
        turn = session.turns[-1]
        variant = replace(turn.variant, text=written.text, state=written.state, token_ids=written.token_ids)
        after = with_turn(session, replace(turn.with_variant(variant), posts=tuple(scribe.posts)))
        return await self._save(session, after, (*wishes_for(session, turn, scribe.posts), *extras))

    async def _save(self, before: Session, after: Session, wishes: tuple[Wish, ...]) -> Session:
        saved = await self.store.save(Change(before, after, wishes))
        if wishes:
            self.wake(saved.place)
        return saved

    def _notice(self, session: Session, text: str) -> Wish:
        return notice(session, text, f"{session.turns[-1].number}/{session.version}")

    def _reading(self) -> Reading:
        return Reading(self.store, self.engine, self.prompt_format)

    def _report(self, session: Session, finished: Finished | None, seconds: float) -> None:
        self.metrics.count("turns", "stopped" if finished is None else finished.reason.value)
        facts: dict[str, object] = {"action": "turn", "place": session.place, "seconds": round(seconds, 3)}
        if finished is not None:
            facts |= {"reason": finished.reason.value, "usage": finished.usage}
            if finished.reason is FinishReason.STOP:
                impersonation = is_impersonation(finished.stop, session)
                self.metrics.count("guard_stops", "player" if impersonation else "header")
        log.info("a turn was written", extra=facts)


async def until(
    stream: AsyncGenerator[TextDelta | Finished, None], stop: asyncio.Event
) -> AsyncGenerator[TextDelta | Finished, None]:
    """The same stream, ended early (and closed) once `stop` is set, also while it is waited for."""
    stopped = asyncio.ensure_future(stop.wait())
    try:
        while not stop.is_set():
            following = asyncio.ensure_future(anext(stream))
            await _first_of(following, stopped)
            if following.cancelled() or isinstance(following.exception(), StopAsyncIteration):
                return
            yield following.result()
    finally:
        stopped.cancel()
        await stream.aclose()


async def _first_of(following: asyncio.Future[TextDelta | Finished], stopped: asyncio.Future[Literal[True]]) -> None:
    try:
        waited: list[asyncio.Future[Any]] = [following, stopped]
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    finally:
        # The engine's stream must have let go of its step before it is closed, or closing it fails.
        if not following.done():
            following.cancel()
            await asyncio.wait([following])
