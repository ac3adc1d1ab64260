"""A child process is started, watched and started again, however it dies, and never outlives whoever started it."""

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.clock import SystemClock
from adapters.supervisor import Supervisor, SupervisorRules
from bot.errors import ModelNotLoaded

CHILD = """
import os, pathlib, signal, sys, threading
folder = pathlib.Path(sys.argv[1])
runs = folder / "runs"
run = len(runs.read_text()) + 1 if runs.exists() else 1
runs.write_text("x" * run)
does = (folder / "does").read_text().split(",")
does = does[min(run, len(does)) - 1]
print("this is run", run, file=sys.stderr, flush=True)
if does == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if does.startswith("ends"):
    print("error: the file is no model.", file=sys.stderr, flush=True)
    sys.exit(int(does[4:]))
if does == "aborts":
    print("GGML_ASSERT failed", file=sys.stderr, flush=True)
    os.abort()
(folder / "greeting").write_text(sys.stdin.readline())
if does != "hangs":
    (folder / "ready").write_text(str(os.getpid()))
sys.stdin.read()
(folder / "orphan").write_text("ended")
"""
PARENT = """
import asyncio, pathlib, sys
from adapters.clock import SystemClock
from adapters.supervisor import Supervisor

async def main():
    async def ready():
        return (pathlib.Path(sys.argv[2]) / "ready").exists()
    supervisor = Supervisor(command=[sys.executable, "-c", *sys.argv[1:]], ready=ready, clock=SystemClock(), greeting=b"\\n")
    await supervisor.start()
    print(supervisor.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
RULES = SupervisorRules(ready=20, drain=20, first_pause=0.01, longest_pause=0.02)


class Watched:
    """A supervised child in a folder: what it does in each of its runs is written there, and so is what it did."""

    def __init__(self, folder: Path, does: str, rules: SupervisorRules) -> None:
        self.folder = folder
        (folder / "does").write_text(does)
        self.told: list[str] = []
        self.supervisor = Supervisor(
            command=[sys.executable, "-c", CHILD, str(folder)],
            ready=self.is_ready,
            clock=SystemClock(),
            rules=rules,
            greeting=b"hello\n",
            tell=self.told.append,
        )

    async def is_ready(self) -> bool:
        ready = self.folder / "ready"
        return ready.exists() and ready.read_text() == str(self.supervisor.pid)

    @property
    def runs(self) -> int:
        return len((self.folder / "runs").read_text())

    def die(self, how: signal.Signals = signal.SIGKILL) -> None:
        assert self.supervisor.pid
        os.kill(self.supervisor.pid, how)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0)


@asynccontextmanager
async def watched(folder: Path, does: str = "works", rules: SupervisorRules = RULES) -> AsyncIterator[Watched]:
    made = Watched(folder, does, rules)
    try:
        yield made
    finally:
        await made.supervisor.close()


def lines_of(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == level]


async def test_it_is_started_once_it_is_ready_and_greeted(tmp_path: Path) -> None:
    async with watched(tmp_path) as child:
        await child.supervisor.start()
        assert await child.is_ready()
        assert (tmp_path / "greeting").read_text() == "hello\n"
        assert child.told == ["this is run 1"]
    assert child.runs == 1


async def test_a_child_that_refuses_is_one_sentence_and_not_started_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with watched(tmp_path, "ends2") as child:
        with pytest.raises(ModelNotLoaded) as refused:
            await child.supervisor.start()
    assert str(refused.value) == "the file is no model."
    assert (child.runs, caplog.records) == (1, [])
    assert "error: " not in "".join(child.told)


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("ends3", "exit code 3"),
        ("aborts", "killed by SIGABRT"),
        pytest.param("hangs", "not ready in time", marks=pytest.mark.slow),
    ],
)
async def test_a_child_that_never_comes_up_is_one_sentence_with_its_last_words(tmp_path: Path, does: str, said: str) -> None:
    async with watched(tmp_path, does, SupervisorRules(ready=3.0 if does == "hangs" else 20)) as child:
        with pytest.raises(ModelNotLoaded, match=said) as failed:
            await child.supervisor.start()
        assert "this is run 1" in str(failed.value)
        assert child.supervisor.pid
        with pytest.raises(ProcessLookupError):
            os.kill(child.supervisor.pid, 0)


async def test_a_command_that_does_not_exist_is_one_sentence() -> None:
    async def ready() -> bool:
        return True

    supervisor = Supervisor(command=["/no/such/program"], ready=ready, clock=SystemClock())
    with pytest.raises(ModelNotLoaded, match=r"could not be started: .*No such file"):
        await supervisor.start()
    await supervisor.close()


async def test_a_killed_child_is_started_again_and_each_death_is_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with watched(tmp_path) as child:
        await child.supervisor.start()
        for deaths in (1, 2, 3):
            child.die()
            await child.until(lambda deaths=deaths: len(lines_of(caplog, logging.WARNING)) == deaths)  # type: ignore[misc]  # bound at once
            assert await child.is_ready()
        assert child.supervisor.restarts == 3
    died = lines_of(caplog, logging.ERROR)
    assert len(died) == 3
    assert all("(killed by SIGKILL) and is started again in 0.0" in line for line in died)
    assert died[1].endswith("its last words: this is run 2")


@pytest.mark.slow
async def test_after_it_ran_once_nothing_makes_it_give_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rules = SupervisorRules(ready=5.0, first_pause=0.01, longest_pause=0.02)
    async with watched(tmp_path, "works,ends2,aborts,hangs,ends0,works", rules) as child:
        await child.supervisor.start()
        child.die()
        await child.until(lambda: bool(lines_of(caplog, logging.WARNING)))
        assert await child.is_ready()
        assert child.runs == 6
    endings = ["SIGKILL", "exit code 2", "SIGABRT", "not ready in time", "exit code 0"]
    died = lines_of(caplog, logging.ERROR)
    assert [ending in line for ending, line in zip(endings, died, strict=True)] == [True] * 5
    assert "error: the file is no model." in died[1]


async def test_a_child_that_will_not_end_is_killed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with watched(tmp_path, "stubborn", SupervisorRules(ready=20, drain=0.1)) as child:
        await child.supervisor.start()
        pid = child.supervisor.pid
        assert pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert lines_of(caplog, logging.WARNING) == ["the child process did not end in 0.1 seconds and is killed"]


async def test_a_child_that_ends_when_it_is_asked_is_not_started_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with watched(tmp_path) as child:
        await child.supervisor.start()
    await child.supervisor.close()
    assert (child.runs, caplog.records) == (1, [])


async def test_a_start_that_is_given_up_leaves_no_child(tmp_path: Path) -> None:
    async with watched(tmp_path, "hangs") as child:
        starting = asyncio.create_task(child.supervisor.start())
        await child.until((tmp_path / "greeting").exists)
        pid = child.supervisor.pid
        assert pid
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_a_child_does_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / "does").write_text("works")
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, CHILD, str(tmp_path), stdout=PIPE)
    assert parent.stdout
    assert int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(20):
        while not (tmp_path / "orphan").exists():
            await asyncio.sleep(0)


class Hasty:
    """A clock whose sleepers never wait; it notes how long they wanted to."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def ticks(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_pauses_grow_until_it_ran_well_for_a_while(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with watched(tmp_path, rules=SupervisorRules(first_pause=1, longest_pause=3, well=60)) as child:
        clock = child.supervisor.clock = Hasty()
        child.supervisor.draw = lambda: 1.0
        await child.supervisor.start()
        for deaths, ran in enumerate((1, 1, 59, 60, 1), 1):
            clock.time += ran
            child.die()
            await child.until(lambda deaths=deaths: len(lines_of(caplog, logging.WARNING)) == deaths)  # type: ignore[misc]  # bound at once
    assert clock.slept == [1, 2, 3, 1, 2]


@pytest.mark.parametrize(
    ("deaths", "draw", "seconds"), [(1, 0.0, 0.125), (1, 1.0, 0.25), (3, 1.0, 1.0), (20, 1.0, 30.0), (10_000, 0.0, 15.0)]
)
def test_a_pause_doubles_is_bounded_and_partly_drawn(deaths: int, draw: float, seconds: float) -> None:
    assert SupervisorRules().pause(deaths, draw) == pytest.approx(seconds)


async def yes() -> bool:
    return True


def supervised(says: str, tell: Callable[[str], None] = lambda _: None, **settings: float) -> Supervisor:
    """Of a program of one line, which needs not be ready for anything."""
    rules = SupervisorRules(first_pause=0.01, longest_pause=0.02, **settings)
    return Supervisor(command=[sys.executable, "-c", says], ready=yes, clock=SystemClock(), rules=rules, tell=tell)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0)


async def test_a_child_is_heard_out_where_nobody_reads_our_own_log(tmp_path: Path) -> None:
    def tell(_: str) -> None:
        raise BrokenPipeError

    says = "import pathlib, sys; [print('x' * 99, file=sys.stderr, flush=True) for _ in range(2_000)]; "
    says += f"pathlib.Path({str(tmp_path / 'said')!r}).touch(); sys.stdin.read()"
    supervisor = supervised(says, tell)
    await supervisor.start()
    await until((tmp_path / "said").exists)
    await supervisor.close()
    assert supervisor.restarts == 0


GRANDCHILD = """
import subprocess, sys
print(subprocess.Popen(["sleep", "60"], start_new_session=True).pid, file=sys.stderr, flush=True)
sys.stdin.read()
"""


@asynccontextmanager
async def with_a_grandchild() -> AsyncIterator[tuple[Supervisor, list[str]]]:
    """A child that started something which holds its streams and outlives it."""
    told: list[str] = []
    supervisor = supervised(GRANDCHILD, told.append, drain=20)
    try:
        await supervisor.start()
        await until(lambda: bool(told))
        yield supervisor, told
    finally:
        await supervisor.close()
        for pid in told:
            os.kill(int(pid), signal.SIGKILL)


@pytest.mark.slow
async def test_a_death_is_noticed_though_something_still_holds_the_childs_streams() -> None:
    async with with_a_grandchild() as (supervisor, told):
        assert supervisor.pid
        os.kill(supervisor.pid, signal.SIGKILL)
        await until(lambda: len(told) == 2)
        assert supervisor.restarts == 1


@pytest.mark.slow
async def test_closing_does_not_wait_for_what_the_child_left_behind() -> None:
    async with with_a_grandchild() as (supervisor, _):
        async with asyncio.timeout(10):
            await supervisor.close()


async def test_a_death_by_a_signal_without_a_name_is_told_by_its_number(caplog: pytest.LogCaptureFixture) -> None:
    supervisor = supervised("import sys; sys.stdin.read()")
    await supervisor.start()
    assert supervisor.pid
    os.kill(supervisor.pid, signal.SIGRTMIN + 6)
    await until(lambda: supervisor.restarts == 1)
    await supervisor.close()
    assert f"(killed by signal {signal.SIGRTMIN + 6})" in lines_of(caplog, logging.ERROR)[0]


async def test_a_defect_in_the_watching_does_not_end_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    draws = iter([0.0])
    async with watched(tmp_path) as child:
        child.supervisor.draw = lambda: 1 / next(draws, 1.0)
        await child.supervisor.start()
        child.die()
        await child.until(lambda: bool(lines_of(caplog, logging.WARNING)))
        assert await child.is_ready()
    assert lines_of(caplog, logging.ERROR)[0] == "a defect in starting the engine's process again; it is tried once more"


async def test_lines_of_any_length_and_kind_are_passed_on() -> None:
    told: list[str] = []

    async def ready() -> bool:
        return bool(told) and told[-1] == "end"

    says = "import sys; e = sys.stderr.buffer; e.write(b'\\xff' * 100_000 + b'\\nend\\n'); e.flush(); sys.stdin.read()"
    supervisor = Supervisor(command=[sys.executable, "-c", says], ready=ready, clock=SystemClock(), tell=told.append)
    await supervisor.start()
    await supervisor.close()
    assert "".join(told) == "\N{REPLACEMENT CHARACTER}" * 100_000 + "end"
