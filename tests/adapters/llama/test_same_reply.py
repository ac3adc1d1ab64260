"""The same story and seed give the same reply, on llama.cpp, through the whole engine: whoever else is served, and whenever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.llama.engine import open_engine
from adapters.shelf import DiskShelf
from bot.engine.threaded import SharingSettings, ThreadedEngine
from bot.ids import SessionId
from bot.ports.engine import Finished, GenerationRequest, Segment, TextDelta
from bot.sampling import LIMARP
from tests.adapters.llama.weights import write_model
from tests.models import DEMO_MODEL

PLENTY = 10**9
TURNS = 6
TOKENS = 40
"""Of a reply. A last digit that differs rarely moves a drawn token; the logits themselves have tests of their own."""


def a_story(name: str, turns: int = TURNS) -> tuple[Segment, ...]:
    """A story of some turns, ready for a reply, as prompts are built: every turn opens a part."""
    parts = [Segment("### Instruction:\nPlay the role of Mira.\n\n", trusted=True, opens=True)]
    for turn in range(turns):
        parts += [
            Segment("### Input:\n", trusted=True, opens=True),
            Segment(f"{name}: So it rained on day {turn} in the harbour, and I sat there with my hat on, said {name}.\n\n"),
            Segment("### Response:\n", trusted=True, opens=True),
            Segment(f"Mira: “It rains every day,” she said, and counted {turn * 7} coins into the drawer, one by one.\n\n"),
        ]
    return (*parts, Segment("### Response: (length = medium)\n", trusted=True, opens=True), Segment("Mira:"))


@asynccontextmanager
async def an_engine(
    model: Path, *, slots: int = 8, folder: Path | None = None, exact: bool | None = None
) -> AsyncIterator[ThreadedEngine]:
    engine = open_engine(
        model,
        context=2048,
        slots=slots,
        threads=1,
        chunk=32,
        gpu_layers=0,
        exact=exact,
        sharing=SharingSettings(step_seconds=0.02, memory_bytes=PLENTY),
        shelf=DiskShelf(folder, PLENTY) if folder else None,
    )
    try:
        yield engine
    finally:
        await engine.close()


async def the_reply(engine: ThreadedEngine, name: str = "Tobias", tokens: int = TOKENS) -> tuple[str, int]:
    """What Mira answers in this player's story, and how many tokens of it were found in the cache."""
    text, cached = "", -1
    async for item in engine.generate(GenerationRequest(SessionId(name), a_story(name), tokens, LIMARP, seed=7)):
        text += item.text if isinstance(item, TextDelta) else ""
        cached = item.usage.cached_tokens if isinstance(item, Finished) else cached
    return text, cached


OTHERS = ("Anna", "Bela", "Carla", "Dario", "Edda", "Falk", "Gerda")


async def alone(model: Path, *, exact: bool | None = None) -> str:
    async with an_engine(model, exact=exact) as engine:
        return (await the_reply(engine))[0]


async def among_seven(model: Path, *, exact: bool | None = None) -> str:
    async with an_engine(model, exact=exact) as engine:
        others = [asyncio.ensure_future(the_reply(engine, name, TOKENS + 9 * place)) for place, name in enumerate(OTHERS)]
        while engine.statistics().writing < len(OTHERS):
            await asyncio.sleep(0)
        text, _ = await the_reply(engine)
        await asyncio.gather(*others)
        return text


async def after_losing_its_slot(model: Path, *, exact: bool | None = None) -> str:
    async with an_engine(model, slots=2, exact=exact) as engine:
        await engine.warm(SessionId("Tobias"), a_story("Tobias")[:-2])
        while engine.statistics().warmed_tokens < sum(await engine.count(a_story("Tobias")[:-2])):
            await asyncio.sleep(0)
        await asyncio.gather(*(the_reply(engine, name, 8) for name in OTHERS[:3]))
        text, cached = await the_reply(engine)
        assert cached == sum(await engine.count(a_story("Tobias")[:-2]))
        return text


async def after_a_restart(model: Path, folder: Path, *, exact: bool | None = None) -> str:
    async with an_engine(model, folder=folder, exact=exact) as engine:
        await the_reply(engine)
    async with an_engine(model, folder=folder, exact=exact) as engine:
        text, cached = await the_reply(engine)
        assert cached > 0
        return text


async def a_second_time(model: Path, *, exact: bool | None = None) -> str:
    async with an_engine(model, exact=exact) as engine:
        await the_reply(engine)
        text, cached = await the_reply(engine)
        assert cached > 0
        return text


@pytest.mark.slow
async def test_the_same_story_and_seed_give_the_same_reply_wherever_it_is_read_from(tmp_path: Path) -> None:
    wanted = await alone(DEMO_MODEL)
    assert len(wanted) > TOKENS
    assert await a_second_time(DEMO_MODEL) == wanted
    assert await among_seven(DEMO_MODEL) == wanted
    assert await after_losing_its_slot(DEMO_MODEL) == wanted
    assert await after_a_restart(DEMO_MODEL, tmp_path) == wanted


@pytest.mark.slow
async def test_with_k_quants_it_does_so_where_exactness_is_asked_for(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model.gguf", "Q4_K_M")
    wanted = await alone(model, exact=True)
    assert await a_second_time(model, exact=True) == wanted
    assert await among_seven(model, exact=True) == wanted
    assert await after_losing_its_slot(model, exact=True) == wanted
    assert await after_a_restart(model, tmp_path / "kept", exact=True) == wanted
