"""The one word for all that a saved state depends on. It opens the files; it knows no context and no tokens.

A model file is not read whole, which would take a minute for a large one: it counts by its size, the time of its last
change, its first and its last MiB, and blocks spread evenly between. The beginning holds all facts, shapes and the
vocabulary; the blocks tell two trainings or two quantisations of one shape apart, which differ nearly everywhere; the time
tells of a file that was changed in a few places only. A copy of a file has another time: states of it are read anew, once.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

MIB = 1 << 20
BLOCKS = 32
BLOCK = 64 << 10

FORMAT = 1
"""Ours: raised when states that were saved before can no longer be used for a reason that no other fact shows."""


def identity(facts: Iterable[object]) -> str:
    """One word for these facts, which must tell themselves apart by how they are written."""
    return _digest("\0".join(map(str, (FORMAT, *facts))).encode())


def fingerprint(path: Path) -> str:
    """One word for what is in a file now. Never depends on where it is or how it is called. Raises OSError."""
    state = path.stat()
    return _sampled(path, state.st_size, f"{state.st_size} {state.st_mtime_ns}")


def content(path: Path) -> str:
    """One word for a model, equal for all copies of its file, whatever their times. Raises OSError.

    It names what was measured with the model, which a change in a few places of the file would hardly show.
    """
    size = path.stat().st_size
    return _sampled(path, size, str(size))


def _sampled(path: Path, whole: int, facts: str) -> str:
    hashed = hashlib.blake2b(facts.encode(), digest_size=16)
    with path.open("rb") as file:
        for start, size in _samples(whole):
            file.seek(start)
            hashed.update(file.read(size))
    return hashed.hexdigest()


def _samples(size: int) -> Iterable[tuple[int, int]]:
    yield 0, MIB
    for number in range(1, BLOCKS + 1):
        yield size * number // (BLOCKS + 1), BLOCK
    yield max(size - MIB, 0), MIB


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
