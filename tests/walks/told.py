"""What a story should hold after any acts of its players, kept beside it as a plain list, and whether it does.

Each text has a word of its own that nothing else has, so that wherever it is shown or read it is found.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from bot.chunking.chunker import cut
from bot.errors import EngineUnavailable
from bot.flow.service import Service
from bot.ids import AuthorId, ChannelKey, EventId, Place, Platform, SessionId
from bot.ports.store import Store
from bot.posts import ChannelLimits, Command, Inbound, InboundPost, Voice
from bot.prompt.build import build
from bot.prompt.format import FORMATS
from bot.story.persona import Persona
from bot.story.session import Session, with_length
from bot.story.settings import Length
from bot.story.table import Table
from bot.story.turn import Role, Turn
from tests.builders import TOBIAS, a_session
from tests.fakes.clock import FrozenClock
from tests.fakes.courier import TEST_PLATFORM, RecordingCourier
from tests.fakes.engine import ScriptedEngine, ScriptedReply

FORMAT = FORMATS["limarp"]
LIMITS = ChannelLimits(110, streams=True)
CONTEXT = 440
"""Of the scripted engine's tokens: a story of some exchanges leaves the window."""
ANN = Persona(AuthorId("author-2"), "Ann", "")
PLAYERS = (TOBIAS, ANN)
MARK = re.compile(r"w\d+w")
EXTRA = re.compile(r"[nf]\d+f")


@dataclass(frozen=True, slots=True)
class Told:
    """What a turn should be. `number` is learnt from the store and never changes."""

    role: Role
    texts: tuple[str, ...]
    selected: int = 0
    source: EventId | None = None
    number: int = -1

    @property
    def text(self) -> str:
        return self.texts[self.selected]

    def reading(self, text: str) -> "Told":
        return replace(self, texts=(*self.texts[: self.selected], text, *self.texts[self.selected + 1 :]))


@dataclass(slots=True)
class Tale:
    """What a place should hold. Replies before turn `shown_from` stand where they were shown first: in another place."""

    place: Place
    turns: list[Told]
    shown_from: int = 0
    note: str = ""
    facts: list[str] = field(default_factory=list)

    @property
    def last(self) -> int | None:
        """Where the newest turn stands that is no aside."""
        return next((at for at in reversed(range(len(self.turns))) if self.turns[at].role is not Role.ASIDE), None)

    @property
    def lacks_reply(self) -> bool:
        return self.last is not None and self.turns[self.last].role is Role.PLAYER

    def add(self, role: Role, text: str, source: EventId | None = None) -> None:
        self.turns.append(Told(role, (text,), source=source))


class Stage:
    """A whole bot in one place of a store that others use as well, its engine told before each step what to write."""

    def __init__(self, store: Store, name: str) -> None:
        self.store = store
        self.engine = ScriptedEngine((" Hm.",), context=CONTEXT)
        self.courier = RecordingCourier(channel_limits=LIMITS)
        self.clock = FrozenClock()
        self.here = Place(Platform(TEST_PLATFORM), ChannelKey(name))
        self.tales: list[Tale] = []
        self.ids: dict[Place, SessionId] = {}
        self._seeds = count(1)
        self._words = count(1)
        self._events = count(1)
        self.service = self._service()

    def _service(self) -> Service:
        seeds = self._seeds
        return Service(self.store, self.engine, (self.courier,), self.clock, FORMAT, roll=lambda: next(seeds))

    async def begin(self) -> None:
        await self.service.start()
        session = a_session(id=SessionId(self.here.channel), place=self.here, table=Table(owner=TOBIAS.author))
        begun = await self.service.begin(with_length(session, Length.UNLIMITED))
        self.tales.append(Tale(self.here, [Told(Role.CHARACTER, (begun.turns[0].text,))]))
        await self.settled()

    def words(self, sentences: int) -> str:
        """A text that nothing else has a word of, so many sentences long."""
        word = f"w{next(self._words)}w"
        return " ".join(f"They spoke of {word}, part {part}, by the fire." for part in range(sentences))

    def remark(self, kind: str) -> str:
        """A text for what is told beside the story."""
        return f"Remember {kind}{next(self._words)}f."

    def event(self) -> EventId:
        return EventId(f"{self.here.channel}/{next(self._events)}")

    def will_write(self, text: str, *, error_before: int | None = None) -> None:
        pieces = tuple(re.findall(r" \S+", f" {text}"))
        error = None if error_before is None else EngineUnavailable("The scripted engine broke.")
        self.engine.replies = [ScriptedReply(pieces, error=error, fails_before=error_before or 0)]

    async def receive(self, event: Inbound) -> None:
        await self.service.receiver.receive(event)
        await self.settled()

    async def post(self, tale: Tale, player: Persona, text: str) -> EventId:
        event = InboundPost(self.event(), tale.place, player.author, player.name, text)
        await self.receive(event)
        return event.event

    async def act(self, tale: Tale, name: str, **values: str | int) -> None:
        await self.receive(Command(self.event(), tale.place, TOBIAS.author, name, values, TOBIAS.name))

    async def restart(self) -> None:
        await self.service.close()
        self.service = self._service()
        await self.service.start()
        await self.settled()

    async def settled(self) -> None:
        for place in (self.here, *(tale.place for tale in self.tales)):
            await asyncio.wait_for(self.service.receiver.settled(place), 30)

    async def check(self, tale: Tale) -> None:
        """Whether store, page, prompt and screen hold what was told and nothing else."""
        session = await self.store.session_at(tale.place)
        assert session is not None
        turns = await self.store.turns(session.id)
        _check_story(tale, turns)
        page = await self.store.page(tale.place, limit=1_000)
        assert page.turns == turns
        assert session.turns == tuple(turn for turn in turns if turn.number >= session.window_start)
        self._check_prompt(session, tale)
        assert {each.message: each.post for each in page.shown} == self.courier.standing[tale.place]
        self._check_screen(tale, turns)

    def _check_prompt(self, session: Session, tale: Tale) -> None:
        prompt = build(session, FORMAT)
        text = "".join(segment.text for segment in prompt.segments)
        window = [turn for turn in session.turns if turn.role is not Role.ASIDE]
        assert [number for number, _ in prompt.turns] == [turn.number for turn in window]
        assert MARK.findall(text) == [mark for turn in window for mark in MARK.findall(turn.text)]
        for (_, segments), turn in zip(prompt.turns, window, strict=True):
            assert turn.text in "".join(segment.text for segment in segments)
        extras = [*tale.facts, *([tale.note] if tale.note and window else [])]
        assert sorted(EXTRA.findall(text)) == sorted(mark for extra in extras for mark in EXTRA.findall(extra))
        warmed = [segments for warm, segments in self.engine.warms if warm == session.id]
        assert not warmed or warmed[-1] == prompt.segments

    def _check_screen(self, tale: Tale, turns: Sequence[Turn]) -> None:
        standing = [post for post in self.courier.standing[tale.place].values() if post.speaker.voice is Voice.CHARACTER]
        ordered = sorted(standing, key=lambda post: (post.turn, post.position or 0))
        told = [(turn, position, text) for turn in turns for position, text in enumerate(turn.posts)]
        assert [(post.turn, post.position, post.text) for post in ordered] == [
            (turn.number, position, text) for turn, position, text in told
        ]
        for turn in turns:
            assert turn.posts in {(), tuple(chunk.text for chunk in cut(turn.text, LIMITS))}
        written_here = [turn for turn in turns if turn.role is Role.CHARACTER and turn.number >= tale.shown_from]
        assert all(turn.posts for turn in written_here)


def _check_story(tale: Tale, turns: Sequence[Turn]) -> None:
    held = [(turn.role, tuple(variant.text for variant in turn.variants), turn.selected) for turn in turns]
    assert held == [(told.role, told.texts, told.selected) for told in tale.turns]
    numbers = [turn.number for turn in turns]
    assert numbers == sorted(set(numbers))
    assert all(told.number in {-1, number} for told, number in zip(tale.turns, numbers, strict=True))
    tale.turns = [replace(told, number=number) for told, number in zip(tale.turns, numbers, strict=True)]
