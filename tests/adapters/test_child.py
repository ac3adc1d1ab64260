"""The engine's child process, alone: what it leaves behind when whoever started it is gone."""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from adapters.config import Errand
from tests.adapters.test_engines import configured


async def started(folder: Path) -> tuple[asyncio.subprocess.Process, asyncio.StreamWriter, Path]:
    """A child that was told what to serve, the end of its parent, and the socket, alone in a folder of its own."""
    socket = folder / "place" / "engine"
    socket.parent.mkdir()
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", "adapters.child", str(socket), stdin=PIPE)
    assert child.stdin
    child.stdin.write(Errand(config=configured(folder), log_level=logging.WARNING).line)
    await child.stdin.drain()
    return child, child.stdin, socket


async def is_at_work(socket: Path) -> None:
    async with asyncio.timeout(60):
        while not os.access(socket, os.W_OK):
            await asyncio.sleep(0)


@pytest.mark.parametrize("when", ["at work", "at its start"])
async def test_a_child_whose_parent_is_gone_leaves_nothing_behind(tmp_path: Path, when: str) -> None:
    child, parent, socket = await started(tmp_path)
    if when == "at work":
        await is_at_work(socket)
    parent.close()
    assert await child.wait() == 0
    assert not socket.parent.exists()


async def test_a_child_that_ends_before_its_parent_leaves_the_place_for_the_next(tmp_path: Path) -> None:
    child, _, socket = await started(tmp_path)
    await is_at_work(socket)
    child.terminate()
    assert await child.wait() == 0
    assert socket.parent.exists()
