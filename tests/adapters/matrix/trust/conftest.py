"""What tests of trust share: a folder in memory, where a key store is made in a tenth of the time."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adapters.matrix.keeping import Folder
from tests.homeserver.people import Person
from tests.homeserver.server import MEMORY, Login, Synapse


@pytest.fixture
def memory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="understudy.", dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as name:
        yield Path(name)


@pytest.fixture
def owner(homeserver: Synapse) -> Login:
    """The bot's account, as its operator uses it in a browser: a device that has no keys."""
    return homeserver.register(homeserver.fresh_name("bot"))


@pytest.fixture
async def operator(owner: Login) -> AsyncIterator[Person]:
    async with Person(owner) as person:
        yield person


@pytest.fixture
def folder(memory: Path) -> Folder:
    return Folder(memory / "matrix")
