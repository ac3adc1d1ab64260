"""Which part of the story the model reads next, and reading it ahead of need. It decides nothing about posts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.errors import PromptTooLong
from bot.flow.lore import LoreTeller
from bot.ports.engine import Engine, Segment
from bot.ports.store import Change, Store
from bot.prompt.build import Prompt, build
from bot.prompt.format import PromptFormat
from bot.prompt.length import LengthTable, reply_budget
from bot.prompt.window import plan, plan_ahead, room
from bot.story.session import Session, with_window
from bot.story.turn import Role


@dataclass(frozen=True, slots=True)
class Reading:
    """What is needed to read a story: where it is stored, who counts its tokens, and the prompt format.

    `lengths` are what is known of models' replies, by the models' fingerprints.
    """

    store: Store
    engine: Engine
    prompt_format: PromptFormat
    lore: LoreTeller
    lengths: Mapping[str, LengthTable] = field(default_factory=dict)

    async def prompt(self, session: Session) -> Prompt:
        """The prompt of a session, with the lore that its story touches."""
        return build(session, self.prompt_format, await self.lore.told(session))


@dataclass(frozen=True, slots=True)
class Measured:
    """A prompt with its tokens counted: head, each turn, tail, and the context they must fit; and the model's own lengths."""

    prompt: Prompt
    head: int
    turns: tuple[int, ...]
    tail: int
    context: int
    lengths: LengthTable | None = None


async def fit(reading: Reading, session: Session) -> tuple[Session, Prompt, int]:
    """The session with its window moved, if it must be, its prompt, and the tokens that the reply may take.

    Raises PromptTooLong when even the newest turn alone does not fit.
    """
    length = session.writing.variant.length if session.writing else session.settings.length
    measured = await measure(reading, await reading.prompt(session))
    budget = reply_budget(length, measured.context, measured.lengths)
    space = room(measured.context, measured.head, measured.tail, budget)
    drop = plan(measured.turns, space)
    if measured.turns and measured.turns[-1] > space:
        raise PromptTooLong(measured.head + measured.turns[-1] + measured.tail, measured.context - budget)
    if drop == 0:
        return session, measured.prompt, budget
    session = await _move(reading, session, measured.prompt, drop)
    return session, await reading.prompt(session), budget


async def prepare_next(reading: Reading, session: Session) -> Session:
    """After a turn: move the window now if the next turn would not fit, and have the engine read the story while it rests."""
    prompt = await reading.prompt(session)
    if prompt.turns:
        measured = await measure(reading, prompt)
        budget = reply_budget(session.settings.length, measured.context, measured.lengths)
        space = room(measured.context, measured.head, 0, budget)
        drop = min(plan_ahead(measured.turns, space), _last_post(session, prompt))
        if drop:
            session = await _move(reading, session, prompt, drop)
            prompt = await reading.prompt(session)
    await reading.engine.warm(session.id, prompt.segments, session.settings.adapter)
    return session


def _last_post(session: Session, prompt: Prompt) -> int:
    """The index of the newest player's turn in a prompt: it stays, or a retry would find nothing to answer."""
    posts = {turn.number for turn in session.turns if turn.role is Role.PLAYER}
    return max((index for index, (number, _) in enumerate(prompt.turns) if number in posts), default=0)


async def measure(reading: Reading, prompt: Prompt) -> Measured:
    """Count the tokens of a prompt, part by part, in one call."""
    parts: tuple[tuple[Segment, ...], ...] = (prompt.head, *(segments for _, segments in prompt.turns), prompt.tail)
    counts = iter(await reading.engine.count([segment for part in parts for segment in part]))
    head, *turns, tail = (sum(next(counts) for _ in part) for part in parts)
    told = await reading.engine.capabilities()
    return Measured(prompt, head, tuple(turns), tail, told.context, reading.lengths.get(told.fingerprint))


async def _move(reading: Reading, session: Session, prompt: Prompt, drop: int) -> Session:
    start, _ = prompt.turns[drop]
    return await reading.store.save(Change(session, with_window(session, start)))
