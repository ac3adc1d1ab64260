"""What an engine holds of sessions that rest: what fits its memory, by bytes, and nothing else for each of them."""

from collections import Counter
from contextlib import aclosing

import pytest

from bot.engine.fairness import Accounts
from bot.engine.threaded import SharingSettings, ThreadedEngine
from bot.errors import EngineBusy, EngineUnavailable
from bot.ids import SessionId
from bot.ports.engine import Segment
from tests.engine.test_threaded import a_request, written
from tests.fakes.runner import CountingRunner
from tests.gauges import take

FAKES = "tests."
BY_BYTES = "bot.engine.memory.StateMemory._states"
BY_COUNT = "bot.engine.tokens.PromptTokens._known"
SESSIONS = 60


async def played(engine: ThreadedEngine, session: str) -> None:
    """A reply, another that is left in the middle, and a story that is read ahead."""
    prompt = (Segment(f"A door of {session} stands open."),)
    await written(engine.generate(a_request(session, 4, prompt)))
    async with aclosing(engine.generate(a_request(session, 60, prompt))) as stream:
        await anext(stream)
    await engine.warm(SessionId(session), (*prompt, Segment(" It rains.")))


def gathered() -> Counter[str]:
    return Counter({name: length for name, length in take().gathered.items() if not name.startswith(FAKES)})


@pytest.mark.slow
async def test_sessions_that_rest_do_not_add_up() -> None:
    engine = ThreadedEngine(CountingRunner(context=256), model="counting", sharing=SharingSettings(memory_bytes=20_000))
    try:
        for number in range(20):
            await played(engine, f"early-{number}")
        before = gathered()
        for number in range(SESSIONS):
            await played(engine, f"late-{number}")
            await engine.forget(SessionId(f"late-{number // 2}"))
        grown = gathered() - before
    finally:
        await engine.close()
    assert grown.pop(BY_COUNT, 0) <= 3 * SESSIONS
    assert grown.pop(BY_BYTES, 0) < SESSIONS / 2
    assert [name for name, by in grown.items() if name.startswith("bot.engine") and by > SESSIONS / 10] == []


@pytest.mark.slow
async def test_who_is_refused_leaves_nothing() -> None:
    engine = ThreadedEngine(CountingRunner(), model="counting", sharing=SharingSettings(queue_limit=0))
    try:
        before = gathered()
        for number in range(SESSIONS):
            try:
                await written(engine.generate(a_request(f"mira-{number}")))
            except (EngineBusy, EngineUnavailable):
                continue
        grown = gathered() - before
    finally:
        await engine.close()
    assert {name: by for name, by in grown.items() if name.startswith("bot.engine")}.keys() <= {BY_COUNT}


def test_an_account_that_rests_and_is_not_ahead_is_closed() -> None:
    accounts = Accounts()
    for number in range(SESSIONS):
        name = f"session-{number}"
        accounts.enter(name)
        accounts.charge(name, 10)
        accounts.leave(name)
    assert (accounts._done, accounts._busy) == ({}, {})
