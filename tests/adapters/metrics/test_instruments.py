"""The bot at a glance: every figure is there, whatever is away is said to be, and looking never fails or waits."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from adapters.metrics import Connection, Instruments, instruments
from adapters.metrics.catalogue import ALL, COUNTED, TIMED
from adapters.metrics.exposition import page, read
from adapters.remote.metrics import Metrics as EngineMetrics
from bot.engine.statistics import EngineStatistics
from bot.errors import StoreUnavailable
from bot.metrics import Metrics, Vitals
from bot.ports.overview import Inventory, SessionInBrief
from tests.builders import HERE
from tests.fakes.clock import FrozenClock

BRIEF = SessionInBrief(HERE, "Mira", 3, 1_700_000_000.0)
KEPT = Inventory(sessions=4, ended=1, events=2, wishes=3, newest=(BRIEF,))


async def whole(newest: int) -> Inventory:
    return KEPT if newest else Inventory(4, 1, 2, 3)


async def away(newest: int) -> Inventory:
    raise StoreUnavailable(f"The store is away, for {newest} too.")


async def no_engine() -> str:
    return ""


async def an_engine() -> str:
    return EngineMetrics(lambda: EngineStatistics(slots=4, slot_hits=7)).page().decode() + "elsewhere_total 3.0\n"


@asynccontextmanager
async def looking(
    inventory: Callable[[int], Awaitable[Inventory]] = whole,
    engine: Callable[[], Awaitable[str]] = no_engine,
    *,
    relays: bool = True,
) -> AsyncGenerator[tuple[Instruments, Metrics]]:
    metrics, vitals = Metrics(), Vitals(1, 2, 30.5)
    shown = Instruments(FrozenClock(), metrics, lambda: vitals, inventory, engine, relays=relays, version="1.2")
    try:
        yield shown, metrics
    finally:
        await shown.close()


async def values(shown: Instruments) -> dict[str, float]:
    text = (await shown.page()).decode()
    return {
        f"{each.figure.name} {' '.join(labels)}".strip(): value for each in read(text) for labels, value in each.values.items()
    }


async def test_every_figure_of_the_catalogue_is_on_the_page_with_its_meaning() -> None:
    async with looking() as (shown, metrics):
        for name, figure in COUNTED.items():
            metrics.count(name, "x" if figure.labels else "")
        for name, figure in TIMED.items():
            metrics.took(name, 1.0, "x" if figure.labels else "")
        shown.connections["discord"] = lambda: Connection(is_up=True, shards=2, heard=1.0)
        lines = (await shown.page()).decode().splitlines()
    for figure in ALL:
        assert f"# HELP {figure.name} {figure.help}" in lines
        assert f"# TYPE {figure.name} {figure.kind}" in lines


async def test_what_happened_and_what_is_stands_there() -> None:
    async with looking() as (shown, metrics):
        metrics.count("turns", "end", 2)
        metrics.count("turns", "broken")
        metrics.count("failures", by=3)
        shown.connections["matrix"] = lambda: Connection(
            is_up=False, trouble="The login is lost.", breaks=5, heard=1_699_999_990.0
        )
        found = await values(shown)
    assert found["understudy_turns_total end"] == 2
    assert found["understudy_turns_total broken"] == 1
    assert found["understudy_failures_total"] == 3
    assert found["understudy_turns_total failed"] == 0
    assert found["understudy_deliveries_total abandoned"] == 0
    assert found["understudy_empty_draws_total"] == 0
    assert (found["understudy_connected matrix"], found["understudy_connected store"]) == (0, 1)
    assert found["understudy_connection_breaks_total matrix"] == 5
    assert found["understudy_matrix_sync_age_seconds"] == 10
    assert (found["understudy_outbox_waiting"], found["understudy_inbox_waiting"]) == (3, 2)
    assert (found["understudy_sessions"], found["understudy_sessions_ended"]) == (4, 1)
    assert found["understudy_outbox_oldest_seconds"] == 30.5
    assert (found["understudy_replies_writing"], found["understudy_lanes_waiting"]) == (1, 2)
    assert found["understudy_info 1.2"] == 1
    assert "understudy_discord_shards_connected" not in found


async def test_an_engine_of_this_program_is_shown_along_with_it() -> None:
    async with looking(engine=an_engine) as (shown, _):
        found = await values(shown)
        assert (found["understudy_engine_slots"], found["understudy_engine_slot_hits_total"]) == (4, 7)
        assert "elsewhere_total" not in found
    async with looking(engine=an_engine, relays=False) as (shown, _):
        assert "understudy_engine_slots" not in await values(shown)
        assert (await shown.look()).engine["understudy_engine_slots"] == 4


async def test_a_store_that_is_away_is_said_to_be() -> None:
    async with looking(away) as (shown, _):
        found = await values(shown)
        assert found["understudy_connected store"] == 0
        assert "understudy_outbox_waiting" not in found
        assert await shown.parts() == {"store": False}
        sight = await shown.look()
        assert (sight.inventory, sight.connections["store"].is_up) == (None, False)


async def test_what_answers_late_is_asked_once_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instruments, "PATIENCE", 0.01)
    asked, go = 0, asyncio.Event()

    async def slow(newest: int) -> Inventory:
        nonlocal asked
        asked += 1
        await go.wait()
        return await whole(newest)

    async with looking(slow) as (shown, _):
        for _ in range(3):
            assert await shown.parts() == {"store": False}
        assert asked == 1
        monkeypatch.setattr(instruments, "PATIENCE", 5.0)
        go.set()
        assert await shown.parts() == {"store": True}
        assert asked == 1


@pytest.mark.parametrize(
    "text", ["understudy_engine_slots{", "\x00", "# HELP\n# TYPE understudy_engine_x counter\nnan nan nan nan"]
)
async def test_an_engine_that_answers_nonsense_is_no_harm(text: str) -> None:
    async def nonsense() -> str:
        return text

    async with looking(engine=nonsense) as (shown, _):
        assert "understudy_info 1.2" in await values(shown)


async def test_no_engine_can_fill_the_page() -> None:
    async def endless() -> str:
        figure = next(each for each in ALL if not each.labels and each.kind == "gauge")
        text = page([figure.now(1)]).decode()
        return "".join(text.replace(figure.name, f"understudy_engine_{number}") for number in range(1000))

    async with looking(engine=endless) as (shown, _):
        found = await values(shown)
    assert sum(name.startswith("understudy_engine_") for name in found) == instruments.MOST
