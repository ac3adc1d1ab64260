"""Who may play what where, and which texts may join a story: ratings, places for adults, minors, the operator's block list.

Rule 1: it fails closed: what is unrated counts as adult, and a place that is not known to be for adults is for everybody.
Rule 2: a text that is refused leaves no words behind, only its id and the reason.
Rule 3: taking away is always possible. Where it brings two posts together that may not stand so, the story is not played
on until one of them goes too.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot import texts
from bot.errors import EngineError, Refused, TextRefused
from bot.flow.places import Places
from bot.flow.texts_of import LIMITS, around, end_of, in_order, shown, text_before, texts_in, texts_of, words_of
from bot.flow.vetting import Vetting, in_words, judge_limit, judges
from bot.flow.wishes import notice
from bot.ids import EventId, Place
from bot.ports.clock import Clock
from bot.ports.engine import Engine
from bot.ports.store import Change, Store
from bot.posts import Command, Inbound
from bot.safety.blocklist import Blocklist
from bot.safety.concern import Concern, Reason
from bot.safety.judgement import Rules, judge
from bot.safety.watch import Watch
from bot.story.card import CharacterCard
from bot.story.policy import Rating, is_adult, refusal
from bot.story.session import Session
from bot.story.turn import Turn

AT_ONCE = 1.0
"""Seconds for the engine to say what it runs before a post is stored."""

MENDING = frozenset(
    {"edit", "persona set", "persona clear", "character remove", "scenario", "note", "unpin", "lore remove", "summary edit"}
    | {"lines remove", "veils remove"}
)
"""Commands that can take out what keeps a story from being played. What they bring in is judged like all else."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Asks what the engine and the place are, and judges by it."""

    engine: Engine
    places: Places
    clock: Clock
    store: Store
    blocklist: Blocklist = field(default_factory=Blocklist)
    _vetting: Vetting = field(init=False)
    _said: dict[str, Rating] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_vetting", Vetting(self.store, self.clock))

    async def closed(self, session: Session, event: Inbound | None = None) -> str | None:
        """Why nothing may be played in this session now (or not this, by `event`), as a sentence for whoever asks.

        None when it may. The first time, and whenever other rules hold, the whole story is looked through.
        """
        barred = await self.barred(session)
        mends = isinstance(event, Command) and event.name in MENDING
        return barred if barred or mends else await self._vetting.refusal(session, await self.rules(session))

    async def barred(self, session: Session) -> str | None:
        """Why nothing of this session may be played in its place at all, whatever it says: its ratings, and who comes in there.

        Raises EngineError and ChannelGone.
        """
        model = (await self.engine.capabilities()).rating
        limits = await self.places.limits(session.place)
        why = refusal(model=model, cast=_ratings(session), session=session.rating, adults_only=limits.adults_only)
        return why + texts.MODEL_RATED if why and is_adult(model) else why

    async def rules(self, session: Session) -> Rules:
        """What its texts are judged by. Minors are kept out wherever anything is adult: an unrated model writes as it likes.

        Raises EngineError when the engine cannot be asked.
        """
        self._said["rating"] = (await self.engine.capabilities()).rating
        rules = self._rules(session, self._said["rating"])
        self._vetting.hold(session.id, rules)
        return rules

    def _rules(self, session: Session, model: Rating) -> Rules:
        adult = is_adult(model) or is_adult(session.rating) or any(is_adult(rating) for rating in _ratings(session))
        return Rules(minors=adult, adult=False, blocklist=self.blocklist, year=self._year())

    def _year(self) -> int:
        return datetime.fromtimestamp(self.clock.now(), UTC).year

    async def judge_at_once(self, session: Session, event: Inbound) -> Concern | None:
        """As `judge_event`, but an engine that does not answer at once is not waited for: it counts as what it said last.

        What is taken in by that is judged again later.
        """
        try:
            async with asyncio.timeout(AT_ONCE):
                rules = await self.rules(session)
        except (EngineError, TimeoutError):
            rules = self._rules(session, self._said.get("rating", Rating.GENERAL))
        return self._judge(session, event, rules)

    async def judge_event(self, session: Session, event: Inbound) -> Concern | None:
        """What an event's words may not say here, if they say it. Raises EngineError."""
        return self._judge(session, event, await self.rules(session))

    @staticmethod
    def _judge(session: Session, event: Inbound, rules: Rules) -> Concern | None:
        words = words_of(session, event)
        if isinstance(event, Command) and event.name in LIMITS:
            return next((found for text in words if (found := judge_limit(text, rules))), None)
        before = text_before(session, event)
        return next((found for text in words if (found := judge(text, rules, before=before))), None)

    async def put_away(self, event: EventId, place: Place, reason: str) -> bool:
        """Keep no more of a refused event than its id and the reason. False when it was handled otherwise: it came again."""
        if await self.store.refuse(event, place, reason):
            return True
        return any(each.event == event for each in await self.store.refusals(place))

    async def watch(self, session: Session) -> Callable[[], Watch] | None:
        """What judges a reply of this session as it is written, made anew for each draw; None where nothing is to be judged."""
        rules = await self.rules(session)
        before = end_of(session.turns)
        return (lambda: Watch(rules, before)) if judges(rules) else None

    async def check(self, session: Session, before: Session | None = None) -> None:
        """Raises Refused when a session may not be played as it stands: by its ratings, or by what was not in it `before`."""
        if (before is None or before.cast != session.cast) and (blocked := await self.barred(session)):
            raise Refused(blocked)
        rules = await self.rules(session)
        if judges(rules) and (before is None or _all_around(before) != _all_around(session)):
            known = frozenset(text for _, text in texts_in(before)) if before else frozenset[str]()
            if bad := await self._vetting.first_around(session, rules, known):
                raise text_refused(bad[1], f"The {bad[0]}")
        if session.rating is Rating.GENERAL:
            self._keep_general(card for card in session.cast if before is None or card not in before.cast)

    async def checked(self, change: Change) -> Change:
        """A change of a stored session as it may be stored, all that is new in it judged, each post beside its neighbours.

        Raises Refused (TextRefused for words). What only takes away is never refused: the place is told instead that the
        story is not played on for now.
        """
        before, after = change.before or change.after, change.after
        await self.check(after, before)
        rules = await self.rules(after)
        kept = {turn.number for turn in after.turns}
        gone = {turn.number for turn in before.turns} - kept
        for turn, lead, is_new in _reads_otherwise(before, after) if judges(rules) else ():
            found = await self._judge_turn(after.place, turn, lead, rules, gone)
            if found and (is_new or not gone):
                raise text_refused(found, "A post" if is_new else f"The edit, read together with post number {turn.number},")
            if found:
                self._vetting.doubt(after.id)
                told = texts.UNFIT_POST.format(number=turn.number, reason=in_words(found))
                return replace(change, wishes=(*change.wishes, notice(after, told, f"unfit/{after.version}")))
        return change

    async def _judge_turn(self, place: Place, turn: Turn, lead: str, rules: Rules, gone: Iterable[int]) -> Concern | None:
        before = lead or await self._older(place, turn.number, gone)
        found = judge(turn.name, rules)
        return found or next((said for text in shown(turn) if (said := judge(text, rules, before=before))), None)

    async def _older(self, place: Place, number: int, gone: Iterable[int]) -> str:
        """The words before a turn that stand outside of what was read of the story."""
        while number > 0:
            page = await self.store.page(place, before=number)
            if lead := end_of(turn for turn in page.turns if turn.number not in gone):
                return lead
            number = page.turns[0].number if page.turns and page.has_older else 0
        return ""

    async def check_story(self, session: Session) -> None:
        """Raises Refused when a story that is about to be stored may not be played on here, as it stands, posts and all."""
        await self.check(session)
        rules = await self.rules(session)
        if not judges(rules):
            return
        if bad := await self._vetting.first_turn(session.turns, rules):
            raise TextRefused(texts.BAD_STORY.format(number=bad[0].number + 1), bad[1].reason)
        self._vetting.clear(session, rules)

    async def check_card(self, card: CharacterCard) -> None:
        """Raises Refused: a card that is not rated general may be played in adult stories, where no minors are."""
        rules = Rules(minors=is_adult(card.rating), adult=False, blocklist=self.blocklist, year=self._year())
        for text in texts_of(card) if judges(rules) else ():
            await self.clock.sleep(0)  # Others go on meanwhile.
            if found := judge(text, rules):
                raise text_refused(found, "The card")

    def _keep_general(self, cards: Iterable[CharacterCard]) -> None:
        plain = Rules(minors=False, adult=True, blocklist=self.blocklist)
        for card in cards:
            if any(judge(text, plain) for text in texts_of(card)):
                raise Refused(texts.ADULT_CARD.format(name=card.name))


def sentence(found: Concern, what: str) -> str:
    """Why a text was refused, without a word of it."""
    template = texts.BLOCKED if found.reason is Reason.BLOCKED else texts.MINOR
    return template.format(what=what, reason=in_words(found))


def text_refused(found: Concern, what: str) -> TextRefused:
    """The error that says so."""
    return TextRefused(sentence(found, what), found.reason)


def fault(found: Concern) -> str:
    """What a reply of the model did that it may not do, without a word of it."""
    if found.reason is Reason.BLOCKED:
        return "said something that the operator's list does not allow"
    return f"spoke of somebody who is, or may be, under 18 ({in_words(found)})"


def _reads_otherwise(before: Session, after: Session) -> Iterator[tuple[Turn, str, bool]]:
    """The turns that say something new or follow something new, with the words before them, and whether they are new."""
    were = {turn.number: (lead, turn) for turn, lead in in_order(before.turns)}
    for turn, lead in in_order(after.turns):
        was = were.get(turn.number)
        is_new = was is None or (was[1].name, shown(was[1])) != (turn.name, shown(turn))
        if not turn.is_writing and (is_new or was is None or was[0] != lead):
            yield turn, lead, is_new


def _all_around(session: Session) -> tuple[object, ...]:
    return (*around(session), session.table.lines, session.table.veils)


def _ratings(session: Session) -> tuple[Rating, ...]:
    return tuple(card.rating for card in session.cast)
