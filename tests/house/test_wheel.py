"""The wheel: what it holds, and that it plays outside the clone with nothing but what it was built of."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.house.project import PACKAGES, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder), cwd=ROOT)
    [built] = folder.glob("understudy-*.whl")
    return built


def test_it_holds_every_file_of_the_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    kept = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names == kept
    assert {
        "adapters/llama/models/understudy-demo.gguf",
        "adapters/config/example.toml",
        "adapters/scenes/lighthouse.toml",
        "adapters/scenes/characters/hester_vaunce.json",
    } <= names


def test_it_plays_outside_the_clone(wheel: Path, tmp_path: Path) -> None:
    environment, home = tmp_path / "environment", tmp_path / "home"
    home.mkdir()
    _run(sys.executable, "-m", "venv", str(environment), cwd=tmp_path)
    python = environment / "bin" / "python"
    site = Path(_run(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip())
    _run(str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel), cwd=tmp_path)
    # The dependencies are the ones that are here already: nothing is downloaded, and the clone itself is not on the path.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    said = _run(
        str(environment / "bin" / "understudy"),
        "play",
        cwd=tmp_path,
        home=home,
        typed='"Is there anything to eat?" Thomas asked.\n',
    )
    greeting, reply = said.split("Shut the door before the whole bay follows you.")
    assert "The knocking came again" in " ".join(greeting.split())
    assert len(reply.split()) > 3, said
    assert [path.name for path in home.rglob("understudy.db")] == ["understudy.db"]


def _run(*command: str, cwd: Path, home: Path | None = None, typed: str = "") -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home or cwd), "COLUMNS": "1000"}
    done = subprocess.run(command, cwd=cwd, env=environment, input=typed, capture_output=True, text=True, check=False)  # noqa: S603 our own
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
