"""Plays scenes on an engine as the bot does: its prompt, its window, its guards. It prints and sums up nothing."""

import re
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from bot.errors import EngineBusy
from bot.flow.lore import LoreTeller
from bot.flow.window import Reading, measure
from bot.ids import SessionId
from bot.ports.clock import Clock
from bot.ports.engine import Engine, Finished, FinishReason, GenerationRequest, Segment, TextDelta
from bot.prompt.build import build
from bot.prompt.format import PromptFormat
from bot.prompt.guard import clean, foreign_lines, is_impersonation, stop_texts
from bot.prompt.window import plan, room
from bot.sampling import SamplingSettings
from bot.story import acts as story
from bot.story.persona import Persona
from bot.story.session import Session, with_length, with_turn, with_window
from bot.story.settings import Length
from bot.story.turn import VariantState
from tests.bench.model_scenes import Scene
from tests.bench.replies import Ending, Reply

SHARE_OF_CONTEXT = 2
"""What a measured reply may take of the context: more than in play, so that few are cut and their lengths known."""

Posts = Sequence[tuple[Persona, str]]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to name the personas of several players: what it does to the story before it begins, and to what they post."""

    name: str
    opened: Callable[[Session], Session]
    posted: Callable[[Session, Posts], Session]


def _unchanged(session: Session) -> Session:
    return session


def _each_by_itself(session: Session, posts: Posts) -> Session:
    for persona, text in posts:
        session = story.add_post(session, persona, text)
    return session


def _merged(session: Session, posts: Posts) -> Session:
    (first, text), *others = posts
    lines = [text, *(f"{persona.name}: {more}" for persona, more in others)]
    return story.add_post(session, first, "\n\n".join(lines))


def _with_header(session: Session) -> Session:
    *names, last = (persona.name for persona in session.personas)
    present = f"{', '.join(names)} and {last}" if names else last
    header = f"Present in this scene: {session.character.name}; and, played by others, {present}."
    return replace(session, scenario=f"{header} {session.scenario}")


OWN_TURNS = Way("own turns", _unchanged, _each_by_itself)
"""Each post in a turn of its own, as `Name: text`."""

MERGED = Way("merged", _unchanged, _merged)
"""The posts before a reply in one turn, a paragraph `Name: text` for each."""

HEADER = Way("scene header", _with_header, _each_by_itself)
"""Own turns, and a line in the head of the prompt that names everybody in the scene."""

WAYS = (OWN_TURNS, MERGED, HEADER)


@dataclass(frozen=True, slots=True)
class Play:
    """One scene to be played from its beginning, with one modifier, one way of naming and one seed."""

    scene: Scene
    length: Length | None
    way: Way
    seed: int

    @property
    def opening(self) -> Session:
        """The story with its greeting. Every play is a session of its own to the engine."""
        name = SessionId(f"{self.scene.name}/{self.way.name}/{self.length}/{self.seed}")
        session = with_length(replace(self.scene.session, id=name), self.length)
        return story.greet(self.way.opened(session))


@dataclass(frozen=True, slots=True)
class Theatre:
    """What every scene is played on. No reply is begun after the moment `until`, and none goes on beyond it."""

    engine: Engine
    prompt_format: PromptFormat
    sampling: SamplingSettings
    clock: Clock
    until: float
    rounds: int = 99

    async def play(self, play: Play, note: Callable[[Reply], None]) -> None:
        """Play a scene, round by round. Raises EngineErrors. A reply that time cut off is not noted."""
        session = play.opening
        for number, posts in enumerate(play.scene.rounds[: self.rounds]):
            if self.clock.ticks() >= self.until:
                break
            personas = session.personas
            session = play.way.posted(session, [(personas[who], text) for who, text in posts])
            session = story.open_reply(session, play.seed + number)
            session, reply = await self._reply(session, play)
            if reply is None:
                break
            note(reply)
        await self.engine.forget(session.id)

    async def _reply(self, session: Session, play: Play) -> tuple[Session, Reply | None]:
        """The session with its open reply written, and the reply; None when time cut it off."""
        session, request = await self._request(session)
        try:
            text, ending = await self._written(session, request)
        except EngineBusy:
            # Its time was over before its first step.
            return session, None
        if ending is None:
            return session, None
        kept = clean(text, cut=ending is not Ending.OWN)
        # The first segment gets what begins a prompt, so the reply is counted as the second.
        _, tokens = await self.engine.count((Segment(""), Segment(f" {kept}" if kept else "")))
        if not kept and ending is Ending.OWN:
            ending = Ending.EMPTY
        reply = Reply(play.scene.name, play.way.name, play.length, kept, tokens if kept else 0, ending)
        turn = session.turns[-1]
        if not kept:
            return story.give_up(session), reply
        done = turn.with_variant(replace(turn.variant, text=kept, state=VariantState.WHOLE))
        return with_turn(session, done), reply

    async def _request(self, session: Session) -> tuple[Session, GenerationRequest]:
        """The session in a window that leaves room for the reply, and what to ask for."""
        reading = Reading(None, self.engine, self.prompt_format, LoreTeller(self.engine))  # type: ignore[arg-type]  # measuring stores nothing
        measured = await measure(reading, build(session, self.prompt_format))
        most = measured.context // SHARE_OF_CONTEXT
        drop = plan(measured.turns, room(measured.context, measured.head, measured.tail, most))
        if drop:
            session = with_window(session, measured.prompt.turns[drop][0])
        request = GenerationRequest(
            session=session.id,
            segments=build(session, self.prompt_format).segments,
            max_tokens=most,
            sampling=self.sampling,
            seed=session.turns[-1].variant.seed,
            stop=stop_texts(session, self.prompt_format),
            deadline=max(self.until - self.clock.ticks(), 0.001),
        )
        return session, request

    async def _written(self, session: Session, request: GenerationRequest) -> tuple[str, Ending | None]:
        """The reply's text up to where the guards end it, and its ending; None when time cut it off."""
        foreign = foreign_lines(session, self.prompt_format)
        text = ""
        async with aclosing(self.engine.generate(request)) as stream:
            async for item in stream:
                if isinstance(item, Finished):
                    return text, self._ending(item, session)
                line = text.rfind("\n") + 1
                text += item.text if isinstance(item, TextDelta) else ""
                text = text if line else text.lstrip()
                if found := foreign.search(text, line):
                    return text[: found.start()], self._foreign(found)
        return text, None

    def _foreign(self, found: re.Match[str]) -> Ending:
        line = found.group().strip()
        return Ending.HEADER if line.startswith(self.prompt_format.header_starts or ("\0",)) else Ending.PLAYER

    def _ending(self, finished: Finished, session: Session) -> Ending | None:
        if finished.reason is FinishReason.DEADLINE:
            return None
        if finished.reason is FinishReason.LENGTH:
            return Ending.CUT
        if finished.reason is FinishReason.STOP and is_impersonation(finished.stop, session):
            return Ending.PLAYER
        headers = {f"\n{start}" for start in self.prompt_format.header_starts}
        return Ending.HEADER if finished.stop in headers else Ending.OWN
