"""`understudy engine` as an operator runs it: where it serves, how it ends, and what it refuses to begin."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.cli.commands import LATER
from adapters.clock import SystemClock
from adapters.remote import RemoteEngine, RemoteSettings
from bot.ids import SessionId
from bot.ports.engine import Finished, GenerationRequest, Segment
from bot.sampling import LIMARP
from tests.adapters.cli.conftest import Ended
from tests.house.project import ROOT


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The engine's program, and the address that it prints."""
    command = [sys.executable, "-m", "bot", "engine", "--data", str(folder), *options]
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(  # noqa: S603 our own program
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout
            said = process.stdout.readline()
            assert said.startswith("The engine serves Understudy demo at "), said or process.communicate()[1]
            yield said.removeprefix("The engine serves Understudy demo at ").removesuffix(" (Ctrl-C ends it)\n"), process
        finally:
            process.kill()


async def _reply(address: str) -> Finished:
    engine = RemoteEngine(RemoteSettings(address), SystemClock())
    request = GenerationRequest(SessionId("one"), (Segment("Rain fell on the inn."),), 8, LIMARP, seed=5)
    try:
        *_, finished = [each async for each in engine.generate(request)]
    finally:
        await engine.close()
    assert isinstance(finished, Finished)
    return finished


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_asked_to_end_and_keeps_what_was_read(tmp_path: Path, asked: signal.Signals) -> None:
    with serving(tmp_path, "--port", "0") as (address, process):
        assert address.startswith("http://127.0.0.1:")
        assert asyncio.run(_reply(address)).usage.completion_tokens > 0
        process.send_signal(asked)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert "the engine ended action=engine_ended" in err
    assert list((tmp_path / "kv").glob("*.state"))


def test_it_serves_on_a_socket_that_only_its_owner_may_use(tmp_path: Path) -> None:
    with serving(tmp_path, "--socket", str(tmp_path / "engine")) as (address, _):
        assert address == f"unix:{tmp_path}/engine"
        assert (tmp_path / "engine").stat().st_mode & 0o777 == 0o600
        assert asyncio.run(_reply(address)).usage.completion_tokens > 0


def test_a_file_at_the_path_of_the_socket_stays(ended: Ended, tmp_path: Path) -> None:
    (tmp_path / "story.txt").write_text("kept")
    code, _, err = ended("engine", "--socket", tmp_path / "story.txt", "--data", tmp_path)
    assert code == 2
    assert err.startswith("error: ")
    assert "is no socket" in err
    assert (tmp_path / "story.txt").read_text() == "kept"


@pytest.mark.parametrize("host", ["", " ", "two words", "x" * 300, "ho\0st"])
def test_a_host_that_is_none_is_one_sentence(ended: Ended, tmp_path: Path, host: str) -> None:
    code, out, err = ended("engine", "--host", host, "--data", tmp_path)
    assert (code, out) == (2, "")
    assert err == "error: --host must be a name or an address, such as 127.0.0.1.\n"


def test_beyond_this_machine_it_serves_only_with_a_token(ended: Ended, tmp_path: Path) -> None:
    code, out, err = ended("engine", "--host", "0.0.0.0", "--data", tmp_path)  # noqa: S104  that it is refused is the point
    assert (code, out) == (2, "")
    assert err.startswith("error: Without a token the engine is for this machine only")


def test_an_engine_that_is_elsewhere_is_not_served_here(ended: Ended, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('[engine]\nurl = "http://gpu-host"\n')
    code, _, err = ended("engine", "--config", "my.toml")
    assert code == 2
    assert err == "error: The engine cannot be served here: [engine] url says that it is elsewhere; take that out.\n"


def test_a_model_that_cannot_be_used_is_one_sentence(ended: Ended, tmp_path: Path) -> None:
    (tmp_path / "my.gguf").write_bytes(b"<html>")
    code, out, err = ended("engine", "--model", "my.gguf", "--data", tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith("error: my.gguf is not a GGUF file.")
    assert err.count("\n") == 1


def test_a_port_that_is_taken_is_one_sentence(ended: Ended, tmp_path: Path) -> None:
    with serving(tmp_path / "one", "--port", "0") as (address, _):
        code, _, err = ended("engine", "--port", address.rsplit(":", 1)[1], "--data", tmp_path / "two")
    assert code == LATER
    assert "error: The engine cannot be served at 127.0.0.1, port" in err
