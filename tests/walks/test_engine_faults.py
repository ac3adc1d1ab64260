"""The engine's process dies under load, its files are spoilt, its model is replaced: nothing is lost, doubled, or wrong."""

import logging
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.config import Config, defaults
from adapters.engines import engine_in_child
from bot.ids import SessionId
from bot.ports.engine import Engine, Finished, GenerationRequest, Segment, TextDelta
from bot.sampling import LIMARP
from tests.models import DEMO_MODEL
from tests.walks.under_fire import under_fire

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

KILLS = 12
DIED = "the engine's process ended (killed by SIGKILL)"


async def test_an_engine_killed_again_and_again_under_load_loses_and_doubles_no_turn(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outcome = await under_fire(tmp_path, KILLS, seed=1)
    assert outcome.kills == KILLS
    assert outcome.whole > 0
    died = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(died) == KILLS
    assert all(line.startswith(DIED) for line in died)


STORY = tuple(Segment(f"Rain fell on the inn for the {night}th night, and nobody came.\n", opens=True) for night in range(20))


async def reply(engine: Engine) -> tuple[str, int]:
    """The text of a reply to the story, and how many tokens of the prompt were not read anew."""
    items = [each async for each in engine.generate(GenerationRequest(SessionId("one"), STORY, 24, LIMARP, seed=5))]
    assert isinstance(items[-1], Finished)
    return "".join(each.text for each in items if isinstance(each, TextDelta)), items[-1].usage.cached_tokens


def configured(folder: Path, model: Path) -> Config:
    config = defaults({})
    chosen = replace(config.model, path=str(model), rating="general", context=1024, slots=1, threads=1)
    return replace(config, model=chosen, storage=replace(config.storage, directory=str(folder)))


def another_of_the_same_shape(model: Path) -> None:
    """The file with slightly other weights in its second half, and with its size and its date as they were."""
    stat = model.stat()
    raw = bytearray(model.read_bytes())
    for at in range(len(raw) // 2, len(raw), 31):
        raw[at] ^= 1
    model.write_bytes(raw)
    os.utime(model, ns=(stat.st_atime_ns, stat.st_mtime_ns))


async def test_nothing_is_restored_into_another_model_of_the_same_shape(tmp_path: Path) -> None:
    model = Path(shutil.copy2(DEMO_MODEL, tmp_path / "model.gguf"))
    async with engine_in_child(configured(tmp_path / "data", model)) as (engine, _):
        first, _ = await reply(engine)
    another_of_the_same_shape(model)
    async with engine_in_child(configured(tmp_path / "data", model)) as (engine, _):
        replaced, cached = await reply(engine)
    async with engine_in_child(configured(tmp_path / "empty", model)) as (engine, _):
        anew, _ = await reply(engine)
    assert cached == 0
    assert replaced == anew != first


@pytest.mark.parametrize("how", ["cut", "emptied", "flipped in its tokens", "flipped in its state", "swapped"])
async def test_a_spoilt_file_of_the_cache_costs_reading_time_and_nothing_else(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    config = configured(tmp_path, DEMO_MODEL)
    async with engine_in_child(config) as (engine, _):
        wanted, _ = await reply(engine)
    [file] = files(tmp_path)
    raw = file.read_bytes()
    spoilt = {
        "cut": raw[: len(raw) // 3],
        "emptied": b"",
        "flipped in its tokens": raw[:400] + bytes([raw[400] ^ 4]) + raw[401:],
        "flipped in its state": raw[:-5000] + bytes([raw[-5000] ^ 4]) + raw[-4999:],
        "swapped": raw[::-1],
    }
    file.write_bytes(spoilt[how])
    async with engine_in_child(config) as (engine, _):
        assert await reply(engine) == (wanted, 0)
    async with engine_in_child(config) as (engine, _):
        text, cached = await reply(engine)
    assert text == wanted
    assert cached > 0
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def files(folder: Path) -> list[Path]:
    return list((folder / "kv").glob("*.state"))
