"""The command line as a user calls it, and a model file as a user may bring one: real, and rated by nobody."""

from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.cli import main
from tests.models import DEMO_MODEL

Ended = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ended(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Ended:
    """Runs the command line in an empty folder; returns how it ended and what it said."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        code = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture(scope="session")
def unrated_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo model without the key that rates it."""
    path = tmp_path_factory.mktemp("models") / "my-own.gguf"
    path.write_bytes(DEMO_MODEL.read_bytes().replace(b"understudy.rating", b"understudy.nobody"))
    return path
