"""What a lane does with one event: read the session once, decide, store the outcome, then write what stands open.

Rule 1: an event and its outcome are stored in one transaction, so it is answered once however often this begins.
Rule 2: storing and writing are tried again separately: a lost store never makes the same post join the story twice.
Rule 3: as long as the engine has not told what it runs, the age gate cannot be asked: events wait, stored as they came.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from bot import texts
from bot.commands.spec import Who
from bot.errors import (
    AlreadyHandled,
    ChannelGone,
    EngineError,
    LeaseLost,
    Refused,
    StaleSession,
    StoreUnavailable,
    TextRefused,
)
from bot.flow.acts import Scene, carry_out
from bot.flow.decide import Amend, Ignore, RunCommand, Standing, circle, decide
from bot.flow.errands import ERRANDS, Errands
from bot.flow.fates import Fates
from bot.flow.forgetting import Forgetter
from bot.flow.gate import Gate, text_refused
from bot.flow.joining import Joining
from bot.flow.places import Places
from bot.flow.stop import Stop
from bot.flow.take_turn import Writer
from bot.flow.turnstile import Turnstile
from bot.flow.walks import Walks
from bot.flow.wishes import notice, notice_without_session
from bot.ids import AuthorId, Place
from bot.lately import Lately
from bot.metrics import Metrics
from bot.ports.clock import Clock
from bot.ports.store import Change, Store
from bot.posts import Command, Deleted, Edited, Inbound, InboundPost, OutboundPost
from bot.story.acts import extend, retry
from bot.story.losing import loses_words
from bot.story.persona import Persona
from bot.story.session import Session
from bot.story.settings import TurnPolicy
from bot.story.turn import Role, Turn

log = logging.getLogger(__name__)

STORE_PATIENCE = 1.0
ENGINE_PATIENCE = 5.0
"""Seconds between tries while the store, or the engine that was never reached, is unavailable."""

REASONS = 2_000
"""Of how many places it is known why the newest event was ignored there."""


@dataclass(slots=True)
class Handler:
    """Handles the events of all places; called by their lanes, one call at a time per place.

    `stuck` are the places whose open reply could not be resumed for a defect: to try it again and again would not help.
    """

    store: Store
    forgetter: Forgetter
    places: Places
    gate: Gate
    errands: Errands
    operators: Collection[AuthorId]
    clock: Clock
    metrics: Metrics
    writer: Writer
    joining: Joining
    wake: Callable[[Place], None]
    fates: Fates
    walks: Walks
    turnstile: Turnstile
    reasons: Lately[Place, str] = field(default_factory=lambda: Lately(REASONS))
    _is_ending: bool = False
    stuck: set[Place] = field(default_factory=set)
    _writing: dict[Place, Stop] = field(default_factory=dict)
    _broken: dict[Place, Turn] = field(default_factory=dict)
    _coming: dict[Place, list[Edited | Deleted]] = field(default_factory=dict)

    def expect(self, event: Inbound) -> None:
        """An event waits in its lane: no reply is written to what it changes."""
        if isinstance(event, Edited | Deleted):
            self._coming.setdefault(event.place, []).append(event)

    def _came(self, event: Inbound) -> None:
        """What waited for its lane has come to it."""
        coming = self._coming.get(event.place, [])
        if event in coming:
            coming.remove(event)
            if not coming:
                del self._coming[event.place]

    async def _moves_on(self, place: Place) -> bool:
        """Whether what waits in a lane changes the story, so that what is written now would not fit it."""
        for each in self._coming.get(place, ()):
            if await self._concerns_story(each):
                return True
        return False

    async def handle(self, event: Inbound) -> None:
        """Store what an event changes, and write the reply that it opens. A failure is logged and told. Raises LeaseLost."""
        self._came(event)
        self.walks.taken(event)
        await self.fates.taken(event)
        try:
            await self._patiently(lambda: self._store_outcome(event))
            self.walks.decided(event.place)
            await self._patiently(lambda: self._reopen(event.place))
            await self._patiently(lambda: self._write_open_reply(event.place))
        except LeaseLost:
            raise
        except Exception:
            # A defect met in one place must neither end its lane nor come back at every start.
            log.exception("an event could not be handled", extra={"action": "fail", "event": event.event})
            self.metrics.count("failures")
            await self._tell_failure(event)
        finally:
            self.walks.left(event.place)

    async def resume(self, place: Place) -> None:
        """Write on the reply that an earlier run left half-written. Raises LeaseLost only."""
        try:
            await self._patiently(lambda: self._write_open_reply(place))
        except LeaseLost:
            raise
        except Exception:
            self.stuck.add(place)
            log.exception("a reply could not be resumed", extra={"action": "fail", "place": place})
            self.metrics.count("failures")

    @property
    def writing(self) -> int:
        """How many replies are being written."""
        return len(self._writing)

    def is_writing(self, place: Place) -> bool:
        """Whether a reply is being written in a place."""
        return place in self._writing

    def begin_nothing_more(self) -> None:
        """Write no further reply, and nothing behind those that are being written: the program ends."""
        self._is_ending = True
        for stop in self._writing.values():
            stop.is_last = True

    def has_words(self, place: Place) -> bool:
        """Whether the model writes a reply in a place now: it does not wait for its turn, and has not come to its end."""
        stop = self._writing.get(place)
        return stop is not None and stop.has_words

    def stop_writing(self, place: Place) -> bool:
        """Stop the reply that is being written in a place; False when none is."""
        stop = self._writing.get(place)
        if stop is None or stop.is_set:
            return False
        stop.set()
        return True

    async def drop_stale(self, event: Edited | Deleted) -> None:
        """The story moves on under the reply that is being written, if one is: it is taken back."""
        stop = self._writing.get(event.place)
        session = await self.store.session_at(event.place) if stop is not None else None
        if stop is None or session is None or (isinstance(event, Edited) and event.author in session.table.removed):
            return
        if await self._concerns_story(event):
            stop.set(stale=True)

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except (StoreUnavailable, StaleSession) as error:
                log.warning("the store could not be used; trying again", exc_info=error, extra={"action": "wait_for_store"})
                await self.clock.sleep(STORE_PATIENCE)
            except EngineError as error:
                log.warning("the engine cannot be asked; trying again: %s", error, extra={"action": "wait_for_engine"})
                await self.clock.sleep(ENGINE_PATIENCE)
            else:
                return

    async def _store_outcome(self, event: Inbound) -> None:
        try:
            await self._decide_and_store(event)
        except AlreadyHandled:
            # It came again, or its outcome was stored and only the answer was lost: the reply may still have to be written.
            log.info("an event was handled before", extra={"action": "drop", "event": event.event})

    async def _decide_and_store(self, event: Inbound) -> None:
        session = await self.store.session_at(event.place)
        if session is not None and session.writing is not None:
            changes = isinstance(event, Edited | Deleted) and await self._concerns_story(event)
            session = await self._write(session, stale=changes or await self._moves_on(event.place))
        if session is not None and (found := await self.gate.judge_event(session, event)):
            await self._refuse(session, event, text_refused(found, "A post"))
            return
        try:
            await self._carry_out(session, event)
        except TextRefused as refused:
            if session is not None:
                await self._refuse(session, event, refused)

    async def _carry_out(self, session: Session | None, event: Inbound) -> None:
        decision = decide(session, event, await self._standing(session, event))
        match decision:
            case Ignore():
                await self._ignore(session, event, decision)
            case RunCommand():
                await self._run(decision)
            case Amend():
                await self._amend(decision)
            case _:
                await self._take_in(decision.session, decision.post)

    async def _refuse(self, session: Session, event: Inbound, refused: TextRefused) -> None:
        """Words that may not join the story after all: they are gone, and the place is told."""
        if not await self.gate.put_away(event.event, event.place, refused.reason):
            raise AlreadyHandled(f"The event {event.event} is in the story.")
        self.metrics.count("refused_posts", refused.reason)
        await self.fates.ignored(event)
        await self.store.save(Change(session, session, (notice(session, str(refused), event.event),)))
        self.wake(event.place)

    async def _standing(self, session: Session | None, event: Inbound) -> Standing:
        if session is None or isinstance(event, Edited | Deleted):
            return Standing()
        who = circle(session, event, self.operators) if isinstance(event, Command) else Who.ANYONE
        return Standing(await self.gate.closed(session, event), who)

    async def _run(self, decision: RunCommand) -> None:
        command, number = decision.command, decision.command.values.get("turn")
        session = await self._reaching(decision.session, number) if isinstance(number, int) else decision.session
        try:
            scene = Scene(session, command, await self.places.limits(command.place), self.joining, decision.who)
            change = await self.errands.run(scene) if command.name in ERRANDS else carry_out(scene)
            change = await self.gate.checked(change)
        except TextRefused:
            raise
        except (Refused, ChannelGone) as refused:
            await self._ignore(decision.session, command, Ignore("the act makes no sense now", str(refused)))
            return
        saved = await self._save(change)
        if saved.writing is None:
            await self.writer.read_ahead(saved)

    async def _reaching(self, session: Session, number: int) -> Session:
        """The session with its turns from this number on, where they go further back than its window."""
        if not 0 <= number < session.window_start:
            return session
        return await self.store.widened(session.place, number) or session

    async def _amend(self, decision: Amend) -> None:
        """A player's post reads otherwise now, or is gone: the story follows.

        What was answered by a reply that was taken back for it is answered anew, where that may be.
        """
        event = decision.event
        turns = await self._made_of(event)
        if not turns:
            await self._ignore(decision.session, event, Ignore("the post is no part of the story"))
            return
        session = await self._reaching(decision.session, turns[0].number)
        after = self.joining.amended(session, turns, event.text if isinstance(event, Edited) else None)
        broken = self._broken.get(event.place)
        lacks_answer = after.last in turns_of(after, turns) and after.settings.turns is TurnPolicy.EVERY_POST
        rests = after.locked or after.table.paused or bool(await self.gate.closed(after))
        if not rests and (broken is not None or lacks_answer) and not await self._held(session, event):
            after = self._answered_anew(after, broken)
        saved = await self._save(await self.gate.checked(Change(session, after, handled=event.event)))
        self._broken.pop(event.place, None)
        if saved.writing is None:
            await self.writer.read_ahead(saved)

    async def _held(self, session: Session, event: Edited | Deleted) -> str:
        """Why an edited post is not answered anew: that costs as much as a post. What is deleted nobody asks for."""
        return await self.turnstile.held(session, event) if isinstance(event, Edited) else ""

    async def _reopen(self, place: Place) -> None:
        """What was taken back for a change that came to nothing (refused, not theirs, handled before) is written after all."""
        broken = self._broken.get(place)
        if broken is None or self._coming.get(place):
            return
        session = await self.store.session_at(place)
        rests = session is None or session.writing is not None or session.locked or session.table.paused
        if session is not None and not rests and (after := self._answered_anew(session, broken)) is not session:
            await self.store.save(Change(session, after))
        self._broken.pop(place, None)

    def _answered_anew(self, session: Session, broken: Turn | None) -> Session:
        """The session with a reply opened in the place of one that was taken back, unless what it answered is gone."""
        last = session.last
        if last is not None and last.role is Role.PLAYER:
            return self.joining.answered(session)
        if last is None or broken is None or last.number != broken.number:
            return session
        return extend(session, self.joining.roll()) if broken.variant.begun else retry(session, self.joining.roll())

    async def _concerns_story(self, event: Edited | Deleted) -> bool:
        """Whether what changed is read by the model, so that what is written now does not fit any more."""
        return any(turn.role is not Role.ASIDE for turn in await self._made_of(event))

    async def _made_of(self, event: Edited | Deleted) -> tuple[Turn, ...]:
        """The turns that were made of a player's post: the story in it, and the talk in it."""
        number = await self.store.turn_of(event.place, event.post)
        if number is None:
            return ()
        # Talk stands right before the story of the same post.
        session = await self.store.widened(event.place, max(0, number - 1))
        return tuple(turn for turn in session.turns if event.post in turn.sources) if session else ()

    async def _take_in(self, session: Session, post: InboundPost) -> None:
        persona = session.persona_of(post.author) or await self.store.default_persona(post.author)
        try:
            persona = persona or Persona(post.author, post.author_name)
            joined = self.joining.join(session, persona, post)
            if joined.change.after.writing is not None and (held := await self.turnstile.held(session, post)):
                joined = self.joining.join(session, persona, post, held)
        except Refused as refused:
            await self._ignore(session, post, Ignore("it asks for what cannot be done", f"{refused}{texts.NOT_TAKEN}"))
            return
        self.reasons[session.place] = joined.unanswered
        saved = await self._save(await self.gate.checked(joined.change))
        if saved.writing is None:
            await self.writer.read_ahead(saved)

    async def _save(self, change: Change) -> Session:
        loses = change.before is not None and loses_words(change.before, change.after)
        saved = await self.store.save(replace(change, loses_words=loses))
        if change.wishes:
            self.wake(saved.place)
        if loses:
            # What the model has read of them would else be kept with the story's place in it, on disk too.
            await self.forgetter.forget((saved.id,))
        return saved

    async def _ignore(self, session: Session | None, event: Inbound, why: Ignore) -> None:
        self.reasons[event.place] = why.reason
        await self.fates.ignored(event)
        log.info("an event was ignored: %s", why.reason, extra={"action": "ignore", "event": event.event})
        said: tuple[OutboundPost, ...] = ()
        if why.notice and session is None:
            said = (notice_without_session(event.place, why.notice, event.event),)
        elif why.notice and session is not None:
            said = (notice(session, why.notice, event.event),)
        await self.store.dismiss(event.place, event.event, said)
        self.wake(event.place)

    async def _write_open_reply(self, place: Place) -> None:
        if self._is_ending:
            return
        session = await self.store.session_at(place)
        if session is not None and session.writing is not None:
            await self._write(session, stale=await self._moves_on(place))

    async def _write(self, session: Session, *, stale: bool = False) -> Session:
        stop, open_turn = Stop(), session.writing
        if stale:
            stop.set(stale=True)
        self._writing[session.place] = stop
        try:
            written = await self.writer.write(session, stop)
        finally:
            del self._writing[session.place]
        if stop.is_stale and open_turn is not None:
            self._broken[session.place] = open_turn
        else:
            await self.fates.answered(written)
        return written if stop.is_last else await self.errands.sum_up_what_left(written)

    async def _tell_failure(self, event: Inbound) -> None:
        said = notice_without_session(event.place, texts.INTERNAL.format(event=event.event), event.event)
        try:
            await self.store.dismiss(event.place, event.event, (said,))
        except Exception:
            log.exception("the failure could not be stored", extra={"action": "fail", "event": event.event})
        else:
            self.wake(event.place)


def turns_of(session: Session, turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """These turns as the session has them now, without those that it has no longer."""
    numbers = {turn.number for turn in turns}
    return tuple(turn for turn in session.turns if turn.number in numbers)
