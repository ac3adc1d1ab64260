"""Who may play what where, and which texts may join a story: ratings, places for adults, minors, the operator's block list.

Rule 1: it fails closed: what is unrated counts as adult, and a place that is not known to be for adults is for everybody.
Rule 2: a text that is refused leaves no words behind, only its id and the reason.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot import texts
from bot.errors import EngineError, Refused
from bot.flow.places import Places
from bot.ports.clock import Clock
from bot.ports.engine import Engine
from bot.posts import Command, Edited, Inbound, InboundPost
from bot.safety.blocklist import Blocklist
from bot.safety.concern import Concern, Reason
from bot.safety.judgement import Rules, judge
from bot.safety.watch import Watch
from bot.story.card import CharacterCard
from bot.story.lorebook import Lorebook
from bot.story.policy import Rating, is_adult, refusal
from bot.story.session import Session
from bot.story.turn import Role

CONTEXT = 400
"""Characters of the newest turn that a post is read after, so that an answer is understood."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Asks what the engine and the place are, and judges by it."""

    engine: Engine
    places: Places
    clock: Clock
    blocklist: Blocklist = field(default_factory=Blocklist)

    async def closed(self, session: Session) -> str | None:
        """Why nothing may be played in this session now, as a sentence for whoever asks; None when it may."""
        model = (await self.engine.capabilities()).rating
        limits = await self.places.limits(session.place)
        why = refusal(model=model, cast=_ratings(session), session=session.rating, adults_only=limits.adults_only)
        return why + texts.MODEL_RATED if why and is_adult(model) else why

    async def rules(self, session: Session) -> Rules:
        """What its texts are judged by. Minors are kept out wherever anything is adult: an unrated model writes as it likes.

        Raises EngineError when the engine cannot be asked.
        """
        return self._rules(session, (await self.engine.capabilities()).rating)

    def _rules(self, session: Session, model: Rating) -> Rules:
        adult = is_adult(model) or is_adult(session.rating) or any(is_adult(rating) for rating in _ratings(session))
        return Rules(
            minors=adult, adult=False, blocklist=self.blocklist, year=datetime.fromtimestamp(self.clock.now(), UTC).year
        )

    async def judge_at_once(self, session: Session, event: Inbound) -> Concern | None:
        """As `judge_event`, also while the engine is away: by what the session is alone then. It is judged again later."""
        try:
            rules = await self.rules(session)
        except EngineError:
            rules = self._rules(session, Rating.GENERAL)
        return self._judge(session, event, rules)

    async def judge_event(self, session: Session, event: Inbound) -> Concern | None:
        """What an event's words may not say here, if they say it. Raises EngineError."""
        return self._judge(session, event, await self.rules(session))

    @staticmethod
    def _judge(session: Session, event: Inbound, rules: Rules) -> Concern | None:
        before = session.last.text[-CONTEXT:] if session.last else ""
        return next((found for text in _words(event) if (found := judge(text, rules, before=before))), None)

    async def watch(self, session: Session) -> Callable[[], Watch] | None:
        """What judges a reply of this session as it is written, made anew for each draw; None where nothing is to be judged."""
        rules = await self.rules(session)
        finished = [turn for turn in session.turns if not turn.is_writing and turn.role is not Role.ASIDE]
        before = finished[-1].text[-CONTEXT:] if finished else ""
        return (lambda: Watch(rules, before)) if rules.minors or rules.blocklist.phrases else None

    async def check(self, session: Session, before: Session | None = None) -> None:
        """Raises Refused when a session may not be played as it stands: by its ratings, or by what was not in it `before`."""
        if (before is None or before.cast != session.cast) and (blocked := await self.closed(session)):
            raise Refused(blocked)
        known = set(_texts(before)) if before else set()
        rules = await self.rules(session)
        for what, text in _texts(session):
            if (what, text) not in known and (found := judge(text, rules)):
                raise Refused(sentence(found, f"The {what}"))
        if session.rating is Rating.GENERAL:
            self._keep_general(card for card in session.cast if before is None or card not in before.cast)

    async def check_story(self, session: Session) -> None:
        """Raises Refused when a story that was written elsewhere may not be played on here, as it stands, posts and all."""
        await self.check(session)
        rules = await self.rules(session)
        for turn in session.turns:
            await self.clock.sleep(0)  # A long story takes seconds: others go on meanwhile.
            if any(judge(variant.text, rules) for variant in turn.variants):
                raise Refused(texts.BAD_STORY.format(number=turn.number + 1))

    def _keep_general(self, cards: Iterable[CharacterCard]) -> None:
        plain = Rules(minors=False, adult=True, blocklist=self.blocklist)
        for card in cards:
            if any(judge(text, plain) for text in texts_of(card)):
                raise Refused(texts.ADULT_CARD.format(name=card.name))


def sentence(found: Concern, what: str) -> str:
    """Why a text was refused, without a word of it."""
    template = texts.BLOCKED if found.reason is Reason.BLOCKED else texts.MINOR
    return template.format(what=what, reason=found.reason.replace("_", " "))


def fault(found: Concern) -> str:
    """What a reply of the model did that it may not do, without a word of it."""
    if found.reason is Reason.BLOCKED:
        return "said something that the operator's list does not allow"
    return f"spoke of somebody who is, or may be, under 18 ({found.reason.replace('_', ' ')})"


def texts_of(card: CharacterCard) -> tuple[str, ...]:
    """All of a card's texts that the model or the players are shown."""
    own = (card.name, card.description, card.personality, card.scenario, card.greeting, card.examples)
    told = (card.system_prompt, card.post_history, card.nickname, *card.alternate_greetings)
    return (*own, *told, *(_entries(card.book) if card.book else ()))


def _entries(book: Lorebook) -> Iterable[str]:
    return (text for entry in book.entries for text in (entry.content, *entry.keys))


def _ratings(session: Session) -> tuple[Rating, ...]:
    return tuple(card.rating for card in session.cast)


def _words(event: Inbound) -> Iterable[str]:
    match event:
        case InboundPost():
            return (event.author_name, event.text)
        case Edited():
            return (event.text,)
        case Command():
            return tuple(value for value in event.values.values() if isinstance(value, str))
        case _:
            return ()


def _texts(session: Session) -> Iterable[tuple[str, str]]:
    for card in session.cast:
        yield from ((f"card of {card.name}", text) for text in texts_of(card))
    for persona in session.personas:
        yield from ((f"persona {persona.name}", text) for text in (persona.name, persona.description))
    yield "scenario", session.scenario
    memory = session.memory
    yield from (("author's note", memory.note), ("summary", memory.summary))
    yield from (("pinned facts", fact) for fact in memory.facts)
    yield from (("lore", text) for book in memory.lore for text in _entries(book))
