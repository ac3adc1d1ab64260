"""What tests of trust share: a folder in memory, where a key store is made in a tenth of the time, and Element's own SDK."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.homeserver.element_sdk import ElementSdk, SdkMissingError
from tests.homeserver.server import MEMORY


@pytest.fixture
def memory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="understudy.", dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as name:
        yield Path(name)


@pytest.fixture(scope="session")
def element(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ElementSdk:
    """Element's SDK, installed once and kept with pytest's cache; without it the test is skipped."""
    cache: pytest.Cache | None = getattr(request.config, "cache", None)
    keep: Path = cache.mkdir("element-sdk") if cache else tmp_path_factory.mktemp("element-sdk")
    try:
        return ElementSdk.installed(keep)
    except SdkMissingError as missing:
        pytest.skip(str(missing))
