"""The stores that the contract is tested on: the fake one, and the real one on both databases."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.ports.store import Store
from storage.store import open_store
from tests.builders import HERE
from tests.contracts.stories import ELSEWHERE, OTHER_PLATFORM
from tests.fakes.clock import FrozenClock
from tests.fakes.store import MemoryStore


class Reopening:
    """Opens one and the same memory again and again, as a restart does."""

    def __init__(self, open_one: Callable[[], Awaitable[Store]]) -> None:
        self._open_one = open_one
        self._opened: list[Store] = []

    async def __call__(self) -> Store:
        self._opened.append(await self._open_one())
        return self._opened[-1]

    async def close(self) -> None:
        for store in self._opened:
            await store.close()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("migrated_postgres"))
    return f"sqlite+aiosqlite:///{tmp_path}/stories.db" if request.param == "sqlite" else "memory"


@pytest.fixture
def clock() -> FrozenClock:
    """The clock by which the stores note when something was touched."""
    return FrozenClock()


@pytest.fixture
async def reopen(url: str, clock: FrozenClock) -> AsyncGenerator[Reopening, None]:
    memory = MemoryStore(clock.now)

    async def open_one() -> Store:
        if url == "memory":
            return memory
        store = await open_store(url, clock.now)
        # Where a store can be shared, work on a place is stored for its holder only: all that a test opens is one process.
        store.holder = "the test's"
        await store.beat()
        for place in (HERE, ELSEWHERE, OTHER_PLATFORM):
            await store.lease(place)
        return store

    reopening = Reopening(open_one)
    yield reopening
    await reopening.close()


@pytest.fixture
async def store(reopen: Reopening) -> Store:
    return await reopen()
