"""A day of 10,000 replies in 300 places leaves nothing behind: memory stays flat, and no file, task or thread is left over."""

import asyncio
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.gauges import Reading, take
from tests.house.project import ROOT
from tests.walks.flat import Soak, complaints
from tests.walks.soak import PLACES, TURNS

QUIET = Reading(100 * 2**20, 90 * 2**20, {"socket": 20}, 4, {"talk": 10}, {"bot.flow.lanes.Lanes._lanes": 3}, {"Place": 700})


async def lived(turns: int, places: int, folder: Path) -> Soak:
    """A day in a process of its own: this one's memory holds all that other tests left."""
    command = (sys.executable, "-m", "tests.walks.soak", str(turns), str(places))
    bare = {"HOME": str(folder), "TMPDIR": str(folder), "PATH": os.environ["PATH"]}
    with (folder / "errors").open("wb") as errors:
        child = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=errors, env=bare
        )
        out, _ = await child.communicate()
    assert child.returncode == 0, (folder / "errors").read_text()[-2000:]
    return Soak.read(json.loads(out))


@pytest.mark.slow
@pytest.mark.timeout(2400)
async def test_a_day_leaves_nothing_behind(tmp_path: Path) -> None:
    soak = await lived(TURNS, PLACES, tmp_path)
    assert (soak.turns >= TURNS, soak.places) == (True, PLACES)
    assert soak.faults > 100, "the platform made trouble"
    assert not complaints(soak), "\n".join(complaints(soak))


def a_day(**late: object) -> Soak:
    end = replace(QUIET, **late)  # type: ignore[arg-type]  # by name
    return Soak(TURNS, PLACES, 24.0, early=[QUIET] * 5, late=[end] * 5)


def test_a_day_that_ends_as_it_began_is_no_cause_to_complain() -> None:
    assert complaints(a_day(resident=104 * 2**20, tasks={"talk": 9}, files={"socket": 21})) == []


def test_memory_that_grows_is_named_by_what_grew() -> None:
    [said] = complaints(a_day(resident=106 * 2**20, gathered={"bot.flow.lanes.Lanes._lanes": 203}, kinds={"Place": 900}))
    assert said.startswith("memory grew from 100.0 to 106.0 MiB")
    assert "bot.flow.lanes.Lanes._lanes (+200), Place (+200)" in said


@pytest.mark.parametrize(
    ("what", "left", "named"),
    [("files", {"socket": 20, "log": 10}, ": log (+10)"), ("threads", 30, ""), ("tasks", {"talk": 30}, ": talk (+20)")],
)
def test_what_is_left_open_is_named(what: str, left: object, named: str) -> None:
    [said] = complaints(a_day(**{what: left}))
    assert said.endswith(f"{what} after the first while, and 30 at the end{named}")


def test_what_holds_more_than_the_places_there_are_is_named() -> None:
    assert complaints(a_day(gathered={"bot.flow.lanes.Lanes._lanes": 304})) == [
        "bot.flow.lanes.Lanes._lanes grew from 3 to 304 entries"
    ]


def test_a_day_that_fails_or_ends_too_early_is_no_proof() -> None:
    assert len(complaints(replace(a_day(), hours=23.5, failures=1))) == 2


@pytest.mark.slow
async def test_a_reading_sees_tasks_and_what_our_objects_gather() -> None:
    before = take()
    soak = Soak(done={"post": 1, "edit": 2})
    task = asyncio.create_task(asyncio.sleep(60))
    after = take()
    task.cancel()
    name = "tests.walks.flat.Soak.done"
    assert (after.gathered[name] - before.gathered.get(name, 0), after.tasks["sleep"]) == (len(soak.done), 1)
    assert after.resident >= after.own > 10 * 2**20
