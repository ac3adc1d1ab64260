"""Reads card files in a process of its own and says what came of it: `python -m tests.cards.measured FILE | KIND COUNT SEED`.

The memory told is the most that the whole process ever held, Python and all that it has loaded included.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.cards.lorebooks import read_lorebook
from bot.cards.reading import read_card
from bot.cards.writing import write_json
from bot.errors import Refused
from tests.cards.mutations import mutated
from tests.house.project import ROOT

MOST_SECONDS = 1.0
MOST_MIB = 200


@dataclass(frozen=True, slots=True)
class Measured:
    """How many files were read and how many refused, the slowest one's processor time, the peak, and the last refusal."""

    read: int
    refused: int
    slowest: float
    peak_mib: float
    sentence: str


def in_a_child(*arguments: str) -> Measured:
    """What a fresh process finds. Raises when anything but a refusal came up in it."""
    command = [sys.executable, "-m", "tests.cards.measured", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 our own
    assert done.returncode == 0, done.stderr
    return Measured(**json.loads(done.stdout))


def measure(files: Iterator[bytes]) -> Measured:
    """Reads them one after the other, as a character and as a lorebook; what is read is written and read once more."""
    read, refused, slowest, sentence = 0, 0, 0.0, ""
    for data in files:
        start = time.process_time()
        try:
            card = read_card(data).card
        except Refused as refusal:
            card, refused, sentence = None, refused + 1, str(refusal)
        slowest = max(slowest, time.process_time() - start)
        if card is not None:
            read += 1
            assert read_card(write_json(card)).card == card
        slowest = max(slowest, _seconds_as_lorebook(data))
    return Measured(read, refused, slowest, _peak_mib(), sentence)


def _peak_mib() -> float:
    """From the kernel: what `resource` tells of a child begins with what its parent held."""
    [line] = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def _seconds_as_lorebook(data: bytes) -> float:
    start = time.process_time()
    with suppress(Refused):
        read_lorebook(data)
    return time.process_time() - start


def _files(arguments: list[str]) -> Iterator[bytes]:
    if len(arguments) == 1:
        yield Path(arguments[0]).read_bytes()
    else:
        kind, count, seed = arguments
        yield from mutated(kind, int(count), int(seed))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(measure(_files(sys.argv[1:])))))
