"""A story of 1,000 posts on the bundled model: what a turn costs, how much is re-read, and how full the window stays."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from adapters.clock import SystemClock
from adapters.llama.engine import open_engine
from bot.engine.threaded import ThreadedEngine
from bot.flow.lore import LoreTeller
from bot.flow.service import Service
from bot.flow.window import Reading, measure
from bot.prompt.build import build
from bot.prompt.format import FORMATS, PromptFormat
from bot.prompt.length import reply_budget
from bot.prompt.window import room
from bot.sampling import LIMARP
from bot.story.policy import Rating
from bot.story.session import Session, with_length
from bot.story.settings import Length
from storage.store import SqlStore, open_store
from tests.bench.watch import track
from tests.builders import HERE, a_post, a_session
from tests.fakes.courier import RecordingCourier
from tests.models import DEMO_MODEL

POSTS = 1_000
EARLY, LATE = range(30, 70), range(POSTS - 40, POSTS)
CONTEXT = 2048
LIMARP_FORMAT = FORMATS["limarp"]
MODES = {
    "modifier in the newest header only": (LIMARP_FORMAT, Length.SHORT),
    "modifiers kept in older headers": (replace(LIMARP_FORMAT, keeps_old_modifiers=True), Length.SHORT),
    "no modifier": (LIMARP_FORMAT, None),
}


@dataclass(slots=True)
class TimedStore:
    """A store that adds up the seconds that are spent in it."""

    real: SqlStore
    seconds: float = 0.0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.real, name)

        async def timed(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            try:
                return await method(*args, **kwargs)
            finally:
                self.seconds += time.perf_counter() - started

        return timed


@dataclass(slots=True)
class Played:
    """What 1,000 posts cost: seconds of store and prompt by post number, tokens, and how full the window was."""

    seconds: dict[int, float] = field(default_factory=dict)
    fill: list[float] = field(default_factory=list)
    new_tokens: int = 0
    in_the_way: list[int] = field(default_factory=list)


@asynccontextmanager
async def bot(
    folder: Path, fmt: PromptFormat, length: Length | None
) -> AsyncGenerator[tuple[Service, TimedStore, ThreadedEngine]]:
    """A bot on SQLite and the bundled model, with a story opened."""
    store = TimedStore(await open_store(f"sqlite+aiosqlite:///{folder / 'story.db'}"))
    engine = open_engine(DEMO_MODEL, context=CONTEXT, slots=1, threads=1, batch=512, gpu_layers=0, rating=Rating.GENERAL)
    courier = RecordingCourier()
    service = Service(store, engine, (courier,), SystemClock(), fmt, LIMARP)
    await service.start()
    await service.begin(with_length(a_session(), length))
    try:
        yield service, store, engine
    finally:
        await service.close()
        await engine.close()
        await store.real.close()


async def play(fmt: PromptFormat, length: Length | None, posts: int, label: str) -> tuple[Played, ThreadedEngine]:
    """Play this many posts (players' and replies together), measuring every turn."""
    played = Played()
    with tempfile.TemporaryDirectory() as folder:
        async with bot(Path(folder), fmt, length) as (service, store, engine):
            for number in track(range(2, posts + 1, 2), label):
                before = engine.statistics()
                session = await _post(service, store, number)
                started = time.perf_counter()
                build(session, fmt)
                played.seconds[number] = store.seconds + time.perf_counter() - started
                await _count(played, engine, session, fmt)
                played.in_the_way.append(engine.statistics().prefilled_tokens - before.prefilled_tokens)
                await _rest(engine)
            return played, engine


async def _post(service: Service, store: TimedStore, number: int) -> Session:
    store.seconds = 0.0
    post = a_post(f'"And what came after that?" Tobias asked, for the {number}th time.', f"e{number}")
    await service.receiver.receive(post)
    await service.receiver.settled(HERE)
    session = await store.real.session_at(HERE)
    assert session is not None
    return session


async def _rest(engine: ThreadedEngine) -> None:
    """Wait until what is read ahead has been read, as between two posts of people."""
    while engine._commands.qsize() or engine._loop.has_work:
        await asyncio.sleep(0.001)


async def _count(played: Played, engine: ThreadedEngine, session: Session, fmt: PromptFormat) -> None:
    """New tokens are the last reply, the post and their headers; the fill is the story's share of the room it has."""
    measured = await measure(Reading(None, engine, fmt, LoreTeller(engine)), build(session, fmt))  # type: ignore[arg-type]  # it stores nothing
    played.new_tokens += sum(measured.turns[-2:])
    budget = reply_budget(session.settings.length, measured.context)
    space = room(measured.context, measured.head, 0, budget)
    if session.window_start > 0:
        played.fill.append(sum(measured.turns) / space)


def run() -> list[tuple[str, str]]:
    """The table's rows."""
    rows: list[tuple[str, str]] = []
    for label, (fmt, length) in MODES.items():
        played, engine = asyncio.run(play(fmt, length, POSTS, label))
        counts = engine.statistics()
        early = statistics.median(played.seconds[n] for n in EARLY if n in played.seconds)
        late = statistics.median(played.seconds[n] for n in LATE if n in played.seconds)
        read = counts.prefilled_tokens + counts.warmed_tokens
        rows += [
            (f"story, {label}: store + prompt a turn at post 50", f"{early * 1e3:.2f} ms"),
            (f"story, {label}: the same at post 1,000", f"{late * 1e3:.2f} ms, {late / early:.2f} times"),
            (f"story, {label}: tokens read a turn / new tokens", f"{read / played.new_tokens:.2f}"),
            (
                f"story, {label}: the same with the tokens written",
                f"{(read + counts.completion_tokens) / played.new_tokens:.2f}",
            ),
            (f"story, {label}: least window fill", f"{min(played.fill):.2f}"),
            (
                f"story, {label}: tokens read while a player waits, median and most",
                f"{statistics.median(played.in_the_way):.0f} and {max(played.in_the_way)}",
            ),
        ]
    return rows


if __name__ == "__main__":
    for row in run():
        print(*row, sep=": ")  # noqa: T201 - a table for people
