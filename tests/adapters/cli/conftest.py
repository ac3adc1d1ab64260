"""A model file as a user may bring one: real, and rated by nobody."""

from pathlib import Path

import pytest

from tests.models import DEMO_MODEL


@pytest.fixture(scope="session")
def unrated_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo model without the key that rates it."""
    path = tmp_path_factory.mktemp("models") / "my-own.gguf"
    path.write_bytes(DEMO_MODEL.read_bytes().replace(b"understudy.rating", b"understudy.nobody"))
    return path
