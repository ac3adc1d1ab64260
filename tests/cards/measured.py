"""Reads card files in a process of its own and says what came of it: `python -m tests.cards.measured FILE | KIND COUNT SEED`.

The memory told is the most that the whole process ever held, Python and all that it has loaded included.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.cards.lorebooks import read_lorebook
from bot.cards.reading import read_card
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
    """Reads them one after the other, as a character and as a lorebook."""
    read, refused, slowest, sentence = 0, 0, 0.0, ""
    for data in files:
        start = time.process_time()
        try:
            read_card(data)
            read += 1
        except Refused as refusal:
            refused += 1
            sentence = str(refusal)
        slowest = max(slowest, time.process_time() - start)
        if data[:1] == b"{":
            start = time.process_time()
            _as_lorebook(data)
            slowest = max(slowest, time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(read, refused, slowest, peak, sentence)


def _as_lorebook(data: bytes) -> None:
    try:
        read_lorebook(data)
    except Refused:
        return


def _files(arguments: list[str]) -> Iterator[bytes]:
    if len(arguments) == 1:
        yield Path(arguments[0]).read_bytes()
    else:
        kind, count, seed = arguments
        yield from mutated(kind, int(count), int(seed))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(measure(_files(sys.argv[1:])))))
