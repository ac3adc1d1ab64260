"""Whether a whole story may be played by the rules that hold now: looked through once for each of them, and remembered.

Rule: a verdict is worth as much as its rules. Whoever asks for the rules of a session tells them here first, so that what
joined a story while others held is looked through again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from bot import texts
from bot.flow.texts_of import in_order, limits_in, shown_ever, texts_in
from bot.ids import SessionId
from bot.ports.clock import Clock
from bot.ports.store import Store
from bot.safety.concern import Concern
from bot.safety.judgement import Rules, judge
from bot.story.session import Session
from bot.story.turn import Turn

REMEMBERED = 10_000
"""Sessions whose verdicts are remembered; beyond, all are looked through again."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a story may not be played by some rules, as a sentence, while it is at this `version`; None when it may, at any."""

    rules: Rules
    version: int
    why: str | None


@dataclass(slots=True)
class Vetting:
    """Looks stories through."""

    store: Store
    clock: Clock
    _verdicts: dict[SessionId, Verdict] = field(default_factory=dict)

    def hold(self, session: SessionId, rules: Rules) -> None:
        """These rules hold for a session from now on."""
        kept = self._verdicts.get(session)
        if kept is not None and kept.rules != rules:
            del self._verdicts[session]

    def doubt(self, session: SessionId) -> None:
        """A story has changed so that it must be looked through again."""
        self._verdicts.pop(session, None)

    def clear(self, session: Session, rules: Rules) -> None:
        """A story that is about to be stored was looked through elsewhere."""
        self._keep(session, Verdict(rules, session.version, None))

    async def refusal(self, session: Session, rules: Rules) -> str | None:
        """Why a stored story may not be played by these rules, with what opens it again; None when it may."""
        if not judges(rules):
            return None
        kept = self._verdicts.get(session.id)
        holds = kept is not None and kept.rules == rules and (kept.why is None or kept.version == session.version)
        if kept is None or not holds:
            kept = Verdict(rules, session.version, await self._look_through(session, rules))
            self._keep(session, kept)
        return kept.why

    async def first_around(self, session: Session, rules: Rules, known: frozenset[str]) -> tuple[str, Concern] | None:
        """What of a session beside its posts may not be there, and why; what is `known` is not judged again."""
        for what, text in texts_in(session):
            await self.clock.sleep(0)  # A card with its lore takes a while: others go on meanwhile.
            if text and text not in known and (found := judge(text, rules)):
                return what, found
        return next(((what, found) for what, text in limits_in(session) if (found := judge_limit(text, rules))), None)

    async def first_turn(self, turns: Iterable[Turn], rules: Rules) -> tuple[Turn, Concern] | None:
        """The first turn that may not be part of the story, in any of its variants, and why."""
        names = set[str]()
        for turn, before in in_order(turns):
            await self.clock.sleep(0)  # A long story takes seconds: others go on meanwhile.
            found = None if turn.name in names else judge(turn.name, rules)
            names.add(turn.name)
            found = found or next((said for text in shown_ever(turn) if (said := judge(text, rules, before=before))), None)
            if found:
                return turn, found
        return None

    async def _look_through(self, session: Session, rules: Rules) -> str | None:
        if around := await self.first_around(session, rules, frozenset()):
            return texts.UNFIT_TEXT.format(what=around[0], reason=in_words(around[1]))
        if bad := await self.first_turn(await self.store.turns(session.id), rules):
            return texts.UNFIT_POST.format(number=bad[0].number, reason=in_words(bad[1]))
        return None

    def _keep(self, session: Session, verdict: Verdict) -> None:
        if len(self._verdicts) >= REMEMBERED:
            self._verdicts.clear()
        self._verdicts[session.id] = verdict


def judges(rules: Rules) -> bool:
    """Whether these rules could find anything."""
    return rules.minors or rules.adult or bool(rules.blocklist.phrases)


def judge_limit(text: str, rules: Rules) -> Concern | None:
    """What of a line or a veil may not be said: no more than the operator's list, for it names what shall not happen."""
    return judge(text, Rules(minors=False, adult=False, blocklist=rules.blocklist))


def in_words(found: Concern) -> str:
    """A reason as it stands in a sentence."""
    return found.reason.replace("_", " ")
