"""Killed with no warning at every station of the walk and at random crossings, started again: nothing lost, nothing doubled.

The store is SQLite on disk, the model is real, and the platform is a file that outlives the process.
"""

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.story.turn import Role
from storage.store import open_store
from tests.builders import HERE
from tests.walks.file_courier import FileCourier
from tests.walks.stations import STATIONS

KILLED = -9
SEEDS = range(6)
AT_STATIONS = [(station, before, True) for station in STATIONS for before in (True, False)]
# Only around a sending does it matter whether the platform knows keys.
WITHOUT_KEYS = [(station, before, False) for station in ("attempt:2", "send:2") for before in (True, False)]


def run(folder: Path, **wanted: Any) -> int:
    command = [sys.executable, "-m", "tests.walks.actor", json.dumps({"folder": str(folder), **wanted})]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)  # noqa: S603 - our own program
    assert done.returncode in {0, KILLED}, done.stderr
    return done.returncode


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("opened")
    assert run(folder, act="open") == 0
    return folder


@pytest.fixture
def folder(opened: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(opened, tmp_path / "story"))


async def assert_whole(folder: Path, act: str) -> None:
    """The story holds the exchange once, finished, and the platform shows exactly what the story holds."""
    store = await open_store(f"sqlite+aiosqlite:///{folder / 'story.db'}")
    try:
        session = await store.session_at(HERE)
        assert session is not None
        turns = (await store.page(HERE)).turns
        assert await store.waiting() == ()
        assert await store.outstanding() == ()
    finally:
        await store.close()
    assert session.writing is None
    players = [turn.text for turn in turns if turn.role is Role.PLAYER]
    assert len(players) == len(set(players)) == (2 if act == "post" else 1)
    replies = [turn for turn in turns if turn.role is Role.CHARACTER]
    assert len(replies) == len(players) + 1
    assert len(replies[-1].variants) == (2 if act == "retry" else 1)
    courier = FileCourier(folder / "platform.jsonl", 0)
    assert list(courier.standing().values()) == [post for turn in replies for post in turn.posts]
    sent = [line["key"] for line in courier.lines() if line["verb"] == "send"]
    assert len(sent) == len(set(sent))


@pytest.mark.slow
@pytest.mark.parametrize(("station", "before", "knows_keys"), AT_STATIONS + WITHOUT_KEYS)
async def test_a_bot_killed_at_a_station_goes_on_as_if_nothing_had_happened(
    folder: Path, station: str, *, before: bool, knows_keys: bool
) -> None:
    died = run(folder, act="post", station=station, before=before, knows_keys=knows_keys)
    assert died == KILLED, f"the walk never came to {station}"
    assert run(folder, act="post", knows_keys=knows_keys) == 0
    await assert_whole(folder, "post")


@pytest.mark.slow
@pytest.mark.parametrize("act", ["post", "retry", "continue"])
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_bot_killed_again_and_again_at_random_crossings_loses_and_doubles_nothing(
    folder: Path, seed: int, act: str
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test's dice
    for _ in range(3):
        crossing = chance.randrange(1, 80)
        print(f"seed {seed}: killed at crossing {crossing}")  # noqa: T201 - shown when the test fails
        run(folder, act=act, crossing=crossing, knows_keys=False)
    assert run(folder, act=act, knows_keys=False) == 0
    await assert_whole(folder, act)


async def test_a_bot_killed_after_a_post_was_sent_but_not_noted_sends_it_once(folder: Path) -> None:
    assert run(folder, act="post", station="send:2", knows_keys=False) == KILLED
    assert run(folder, act="post", knows_keys=False) == 0
    await assert_whole(folder, "post")
