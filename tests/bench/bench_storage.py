"""What storing one turn costs early and late in a story, on SQLite with its file on this disk."""

import asyncio
import shutil
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from bot.ids import EventId, MessageId, PostKey
from bot.ports.store import Change
from bot.posts import OutboundPost, Speaker, Voice
from bot.story import acts as story
from bot.story.session import Session, with_turn, with_window
from bot.story.turn import VariantState
from storage.dialects import SYNCHRONOUS, Database
from storage.store import SqlStore, open_store
from tests.builders import HERE, TOBIAS, a_post, a_session

EARLY, LATE = 50, 1000
HIGHEST_RATIO = 1.2
EXCHANGES = 20
ROUNDS = 5
# The window swings between these lengths; the exchanges measured cover whole swings, so that early and late are alike.
LONGEST_WINDOW, SHORTEST_WINDOW = 40, 20
POST = "The rain had not let up since noon, and the road to the inn was a river of mud and broken reeds. " * 5
REPLY_IDS = tuple(range(1000, 1300))


def run() -> list[tuple[str, str]]:
    """Name and figure of each measurement."""
    return asyncio.run(_measure_all())


async def _measure_all() -> list[tuple[str, str]]:
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for posts in (EARLY, LATE):
            await _grow(folder / f"{posts}.db", posts - EXCHANGES)
        for synchronous in dict.fromkeys((SYNCHRONOUS, "NORMAL")):
            early, late = await _compare(folder, synchronous)
            rows.append((f"storage of a turn at post {EARLY}, synchronous={synchronous}", f"{early * 1000:.1f} ms"))
            rows.append((f"storage of a turn at post {LATE}, synchronous={synchronous}", f"{late * 1000:.1f} ms"))
            rows.append((f"ratio, synchronous={synchronous} (at most {HIGHEST_RATIO})", f"{late / early:.2f}"))
    return rows


async def _compare(folder: Path, synchronous: str) -> tuple[float, float]:
    """The median of an early and of a late turn, in seconds; rounds alternate, so that a busy machine slows both."""
    seconds: dict[int, list[float]] = {EARLY: [], LATE: []}
    for _ in range(ROUNDS):
        for posts, taken in seconds.items():
            copy = shutil.copy(folder / f"{posts}.db", folder / "copy.db")
            store = SqlStore(Database(f"sqlite+aiosqlite:///{copy}", synchronous=synchronous))
            await store.session_at(HERE)  # the first statement of a connection opens the file
            taken.extend([await _exchange(store) for _ in range(EXCHANGES)])
            await store.close()
    return statistics.median(seconds[EARLY]), statistics.median(seconds[LATE])


async def _grow(path: Path, posts: int) -> None:
    """A story of this many posts, written to a new file."""
    store = await open_store(f"sqlite+aiosqlite:///{path}")
    session = a_session()
    for seed in range(posts // 2):
        session = _replied(story.open_reply(story.add_post(session, TOBIAS, POST), seed), POST * 3, VariantState.WHOLE)
    session = await store.save(Change(None, session))
    await store.save(Change(session, with_window(session, session.next_number - SHORTEST_WINDOW)))
    await store.close()


async def _exchange(store: SqlStore) -> float:
    """The seconds of one post and its reply of three posts: all steps that the walk stores, and their delivery."""
    began = time.perf_counter()
    session = await store.session_at(HERE)
    if session is None:
        raise RuntimeError("the story is not where it was put")
    number = session.next_number
    await store.receive(a_post(POST, event=f"event-{number}"))
    if len(session.turns) >= LONGEST_WINDOW:
        session = await _saved(store, session, with_window(session, number - SHORTEST_WINDOW))
    opened = story.open_reply(story.add_post(session, TOBIAS, POST), seed=number)
    session = await store.save(Change(session, opened, handled=EventId(f"event-{number}")))
    for position in range(3):
        state = VariantState.WHOLE if position == 2 else VariantState.WRITING
        session = await _saved(store, session, _replied(session, POST * (position + 1), state), position)
        await _deliver(store)
    return time.perf_counter() - began


async def _saved(store: SqlStore, before: Session, after: Session, position: int | None = None) -> Session:
    if position is None:
        return await store.save(Change(before, after))
    turn = after.turns[-1]
    key = PostKey(f"{after.id}/{turn.number}/{position}")
    post = OutboundPost(key, HERE, turn.number, position, 0, Speaker(Voice.CHARACTER, "Mira"), POST)
    return await store.save(Change(before, after, (post,)))


async def _deliver(store: SqlStore) -> None:
    while delivery := await store.claim(HERE, now=0.0):
        await store.attempt(delivery.id)
        await store.settle(delivery.id, MessageId(f"message-{delivery.id}"))


def _replied(session: Session, text: str, state: VariantState) -> Session:
    turn = session.turns[-1]
    variant = replace(turn.variant, text=text, state=state, token_ids=REPLY_IDS)
    return with_turn(session, replace(turn.with_variant(variant), posts=(POST,) * (len(text) // len(POST))))


if __name__ == "__main__":
    for label, figure in run():
        print(f"{label:60} {figure}")  # noqa: T201  a benchmark's output
