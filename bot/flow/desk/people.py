"""Answers on who somebody is, what is kept of them, and what they complain of."""

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace

from bot.chunking.chunker import cut
from bot.errors import ChannelGone, Refused, StaleSession
from bot.flow.desk.answer import Answer, Question
from bot.flow.forgetting import Forgetter
from bot.flow.places import Places
from bot.flow.wishes import wishes_for
from bot.ids import Place
from bot.ports.clock import Clock
from bot.ports.privacy import ForgottenStory, PlayerData
from bot.ports.reports import Report
from bot.ports.store import Change, Store, Wish
from bot.story.session import with_turn

log = logging.getLogger(__name__)

TRIES = 20
"""How often a story that moves on meanwhile is read anew."""

CONTEXT_TURNS = 6
"""How many of the newest turns a report brings to the operator."""

ENGINE_AWAY = " The model cannot be reached now: what it has read of you goes as soon as it is back."


@dataclass(slots=True)
class PeopleDesk:
    """Shows, exports and forgets players; takes reports. `keeps` says in words how long things are kept."""

    store: Store
    forgetter: Forgetter
    places: Places
    clock: Clock
    wake: Callable[[Place], None]
    keeps: str

    @property
    def clerks(self) -> dict[str, Callable[[Question], Awaitable[Answer]]]:
        """What is answered here."""
        return {
            "persona show": self._show_persona,
            "persona default": self._keep_persona,
            "privacy show": self._show,
            "privacy export": self._export,
            "privacy forget": self._forget,
            "report": self._report,
        }

    async def _show_persona(self, question: Question) -> Answer:
        author = question.command.author
        session = await self.store.session_at(question.command.place)
        here = session.persona_of(author) if session else None
        usual = await self.store.default_persona(author)
        shown = [
            f"{where} you are **{each.name}**. {each.description}"
            for where, each in (("Here", here), ("By default", usual))
            if each
        ]
        return Answer("\n\n".join(shown) or "You play nobody yet; persona set says who you are.")

    async def _keep_persona(self, question: Question) -> Answer:
        session = await self.store.session_at(question.command.place)
        persona = session.persona_of(question.command.author) if session else None
        if persona is None:
            raise Refused("You play nobody here; use persona set first.")
        await self.store.keep_default_persona(persona)
        return Answer(f"You begin other stories as {persona.name}.")

    async def _show(self, question: Question) -> Answer:
        data = await self.store.words_of(question.command.author)
        turns = sum(len(story.turns) for story in data.stories)
        counts = [
            f"{turns} posts in {len(data.stories)} stories",
            f"{len(data.cards)} characters in the library",
            f"{len(data.reports)} reports",
            "a persona by default" if data.persona else "no persona by default",
        ]
        end = "privacy export gives you all of it as a file, privacy forget deletes it."
        return Answer(f"Kept of you: {', '.join(counts)}. {self.keeps} {end}")

    async def _export(self, question: Question) -> Answer:
        data = await self.store.words_of(question.command.author)
        return Answer("Everything that is kept of you.", _as_json(data), "understudy-my-data.json", "application/json")

    async def _forget(self, question: Question) -> Answer:
        forgotten = await self.store.forget(question.command.author)
        for story in forgotten.stories:
            await self._show_gaps_at_last(story)
        is_gone = await self.forgetter.forget(forgotten.sessions, again=True)
        left = f" {forgotten.leftovers}" if forgotten.leftovers else ""
        left += "" if is_gone else ENGINE_AWAY
        return Answer(f"Everything of yours is deleted, in {len(forgotten.stories)} stories.{left}")

    async def _show_gaps_at_last(self, story: ForgottenStory) -> None:
        """As `_show_gaps`, also where somebody plays on meanwhile."""
        for _ in range(TRIES):
            try:
                await self._show_gaps(story)
            except StaleSession:
                continue
            return
        log.warning("a place may still show what was forgotten", extra={"action": "show_gaps_later", "place": story.place})

    async def _show_gaps(self, story: ForgottenStory) -> None:
        """Have the place show what the story holds by now."""
        try:
            limits = await self.places.limits(story.place)
        except (ChannelGone, KeyError):
            return
        session = await self.store.widened(story.place, 0)
        if session is None or session.id != story.session:
            return
        after, wishes = session, list[Wish]()
        for turn in session.turns:
            if turn.number in story.turns and turn.posts:
                posts = tuple(chunk.text for chunk in cut(turn.text, limits))
                wishes += wishes_for(session, turn, posts)
                after = with_turn(after, replace(turn, posts=posts))
        await self.store.save(Change(session, after, tuple(wishes), beside=True))
        self.wake(story.place)

    async def _report(self, question: Question) -> Answer:
        command = question.command
        session = await self.store.session_at(command.place)
        turns = session.turns[-CONTEXT_TURNS:] if session else ()
        context = "\n\n".join(f"{turn.name}: {turn.text}" for turn in turns)
        reason = question.text("reason")
        number = await self.store.keep_report(Report(command.place, command.author, reason, context, self.clock.now()))
        log.warning("a player reported something: report %d", number, extra={"action": "report", "place": command.place})
        return Answer(f"The operator is told: report number {number}.")


def _as_json(data: PlayerData) -> bytes:
    plain = asdict(replace(data, cards=()))
    plain["cards"] = [json.loads(each.card.source) if each.card.source else {"name": each.card.name} for each in data.cards]
    return json.dumps(plain, ensure_ascii=False, indent=2, default=str).encode()
