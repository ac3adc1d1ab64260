"""What tests of the adapters share: logging that is set up in a test is put back after it."""

import logging
from collections.abc import Iterator

import pytest

from adapters.logs import OURS


@pytest.fixture
def quiet_logs() -> Iterator[None]:
    """Logging as it was, after the test; pytest's own handlers are kept out of reach of the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)
