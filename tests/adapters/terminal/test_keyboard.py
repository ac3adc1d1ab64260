"""Lines come in whole, however the bytes arrive, and nobody waits for the keyboard."""

import asyncio
import os
from contextlib import aclosing

from adapters.terminal.keyboard import AHEAD, read_lines


async def test_lines_come_whole_with_the_last_one_unended() -> None:
    reading, writing = os.pipe()
    os.write(writing, "eins\r\nzwéi\n\ndr".encode())
    os.write(writing, "ei\xff".encode("latin-1"))
    os.close(writing)
    assert [line async for line in read_lines(reading)] == ["eins", "zwéi", "", "drei\ufffd"]
    os.close(reading)


async def test_more_lines_than_are_read_ahead_all_come() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"line\n" * (AHEAD * 3))
    os.close(writing)
    assert len([line async for line in read_lines(reading)]) == AHEAD * 3
    os.close(reading)


async def test_the_event_loop_runs_while_no_key_is_pressed() -> None:
    reading, writing = os.pipe()
    async with aclosing(read_lines(reading)) as lines:
        waiting = asyncio.ensure_future(anext(lines))
        for _ in range(3):
            await asyncio.sleep(0)
        assert not waiting.done()
        os.write(writing, b"now\n")
        assert await waiting == "now"
        os.close(writing)
    os.close(reading)
