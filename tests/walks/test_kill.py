"""Killed with no warning at every station of the walk and at random crossings, started again: nothing lost, nothing doubled.

The store is SQLite on disk, the model is real, and the platform is a file that outlives the process.
"""

import json
import random
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bot.story.turn import Role
from storage.store import open_store
from tests.builders import HERE
from tests.walks.actor import EDITED, READY
from tests.walks.file_courier import FileCourier
from tests.walks.stations import STATIONS

KILLED = -9
SEEDS = range(6)
AT_STATIONS = [(station, before, True) for station in STATIONS for before in (True, False)]
# Only around a sending does it matter whether the platform knows keys.
WITHOUT_KEYS = [(station, before, False) for station in ("attempt:2", "send:2") for before in (True, False)]


def run(folder: Path, **wanted: Any) -> int:
    done = subprocess.run(_command(folder, wanted), capture_output=True, text=True, timeout=90, check=False)  # noqa: S603 - our own program
    assert done.returncode in {0, KILLED}, done.stderr
    return done.returncode


def run_for(seconds: float, folder: Path, **wanted: Any) -> int:
    """Run, and kill it so many seconds after it began its work, if it still runs then."""
    with subprocess.Popen(_command(folder, wanted), stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
        assert process.stdout is not None
        assert process.stdout.readline().strip() == READY
        with suppress(subprocess.TimeoutExpired):
            return process.wait(seconds)
        process.kill()
    return process.returncode


def _command(folder: Path, wanted: dict[str, Any]) -> list[str]:
    return [sys.executable, "-m", "tests.walks.actor", json.dumps({"folder": str(folder), **wanted})]


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
    assert len(players) == len(set(players)) == {"post": 2, "undo": 0}.get(act, 1)
    replies = [turn for turn in turns if turn.role is Role.CHARACTER]
    assert len(replies) == len(players) + 1
    assert len(replies[-1].variants) == (2 if act in {"retry", "swipe_left"} else 1)
    assert replies[-1].selected == (1 if act == "retry" else 0)
    assert (replies[-1].text == EDITED.strip()) == (act == "edit")
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
@pytest.mark.parametrize("act", ["post", "retry", "continue", "swipe_left", "edit", "undo"])
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_bot_killed_again_and_again_at_random_crossings_loses_and_doubles_nothing(
    folder: Path, seed: int, act: str
) -> None:
    if act == "swipe_left":
        assert run(folder, act="retry") == 0
    chance = random.Random(seed)  # noqa: S311 - a test's dice
    ends = list[int]()
    for first_then_any in (10, 80, 80):
        crossing = chance.randrange(1, first_then_any)
        ends.append(run(folder, act=act, crossing=crossing, knows_keys=False))
        print(f"seed {seed}: crossing {crossing}, ended with {ends[-1]}")  # noqa: T201 - shown when the test fails
    assert ends[0] == KILLED
    assert run(folder, act=act, knows_keys=False) == 0
    await assert_whole(folder, act)


@pytest.mark.slow
@pytest.mark.parametrize("act", ["post", "retry"])
@pytest.mark.parametrize("seed", range(4))
async def test_a_bot_killed_by_the_clock_loses_and_doubles_nothing(folder: Path, seed: int, act: str) -> None:
    chance = random.Random(f"{act} {seed}")  # noqa: S311 - a test's dice
    ends = list[int]()
    for _ in range(3):
        seconds = chance.uniform(0.0, 0.6)
        ends.append(run_for(seconds, folder, act=act))
        print(f"seed {seed}: after {seconds:.3f} s, ended with {ends[-1]}")  # noqa: T201 - shown when the test fails
    assert KILLED in ends
    assert run(folder, act=act) == 0
    await assert_whole(folder, act)


async def test_a_bot_killed_after_a_post_was_sent_but_not_noted_sends_it_once(folder: Path) -> None:
    assert run(folder, act="post", station="send:2", knows_keys=False) == KILLED
    assert run(folder, act="post", knows_keys=False) == 0
    await assert_whole(folder, "post")
