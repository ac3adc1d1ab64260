"""What tests of the adapters share: logging that is set up in a test is put back after it, and a hub on loopback."""

import logging
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest

from adapters import logs
from adapters.logs import OURS
from tests.fakes.hub import LoopbackHub


@pytest.fixture
def quiet_logs() -> Iterator[None]:
    """Logging as it was, after the test; pytest's own handlers are kept out of reach of the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    yield
    logs._hidden.clear()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture
def loopback_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoopbackHub]:
    """A hub that holds nothing yet and that our code takes for the hub. No token is known but what a test sets."""
    with LoopbackHub().running() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        monkeypatch.setenv("NO_PROXY", "*")
        monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
        for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        huggingface_hub.close_session()
        yield hub
        huggingface_hub.close_session()
