"""Lines from a file descriptor without ever holding up the event loop. It knows nothing of stories."""

import asyncio
import codecs
import os
import threading
from collections.abc import AsyncGenerator, Callable, Iterator

AHEAD = 16
"""How many lines are read before they are asked for."""

CHUNK = 65536


async def read_lines(descriptor: int) -> AsyncGenerator[str, None]:
    """The lines of a descriptor, without their line ends, until it ends. Bytes that are no UTF-8 become U+FFFD."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    room = threading.Semaphore(AHEAD)

    def hand_over(line: str | None) -> None:
        room.acquire()
        loop.call_soon_threadsafe(lines.put_nowait, line)

    # A thread of its own: one of a pool would hold up the end of the program until the next key is pressed. It reads
    # the bare descriptor, for Python's own streams lock themselves and may not be left while the program ends.
    threading.Thread(target=_pump, args=(descriptor, hand_over), name="keyboard", daemon=True).start()
    while (line := await lines.get()) is not None:
        room.release()
        yield line


def _pump(descriptor: int, hand_over: Callable[[str | None], None]) -> None:
    try:
        for line in _lines(descriptor):
            hand_over(line)
        hand_over(None)
    except RuntimeError:
        # The loop has ended: nobody asks for lines any more.
        return


def _lines(descriptor: int) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    while data := _read(descriptor):
        *whole, rest = (rest + decoder.decode(data)).split("\n")
        for line in whole:
            yield line.removesuffix("\r")
    rest += decoder.decode(b"", final=True)
    if rest:
        yield rest


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, CHUNK)
    except OSError:
        # A terminal that was closed under us is an end like any other.
        return b""
