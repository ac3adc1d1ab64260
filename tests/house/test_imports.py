"""Who may import whom: the contracts of pyproject.toml, and one door per outside library."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.project import PACKAGES, ROOT, python_files, shown

PURE = {"regex", "sentencex"}
"""What the bot may import beside the standard library; each has its reason in DECISIONS.md."""

DOORS = {
    "llama_cpp": ("adapters/llama/",),
    "numpy": ("adapters/llama/",),
    "sqlalchemy": ("storage/",),
    "alembic": ("storage/",),
    "aiosqlite": ("storage/",),
    "asyncpg": ("storage/",),
    "aiohttp": (
        "adapters/web/",
        "adapters/network/",
        "adapters/remote/",
        "adapters/discord/",
        "adapters/matrix/",
        "adapters/faces.py",
        "adapters/traces.py",
    ),
    "discord": ("adapters/discord/",),
    "nio": ("adapters/matrix/",),
    "vodozemac": ("adapters/matrix/",),
    "Crypto": ("adapters/matrix/",),
    "PIL": ("adapters/discord/", "adapters/matrix/"),
    "prometheus_client": ("adapters/metrics/exposition.py",),
    "jinja2": ("adapters/web/", "adapters/llama/"),
    "markupsafe": ("adapters/web/", "adapters/markdown.py"),
    "markdown_it": ("adapters/markdown.py",),
    "pydantic": ("adapters/config", "storage/columns.py"),
    "pydantic_core": ("adapters/config",),
    "huggingface_hub": ("adapters/hub/",),
    "httpx2": ("adapters/hub/",),
    "platformdirs": ("adapters/config", "adapters/cli"),
    "click": ("adapters/cli",),
    "rich": ("adapters/cli", "adapters/terminal", "adapters/faces.py"),
}
"""Where each outside library may be imported, by the beginnings of paths."""


def test_the_contracts_hold() -> None:
    done = subprocess.run(  # noqa: S603 our own tool, of our own environment
        [Path(sys.executable).parent / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_bot_imports_only_pure_libraries() -> None:
    foreign = [
        f"{where} imports {library}"
        for where, library in _outside_imports("bot")
        if library not in PURE and where != "bot/__main__.py"
    ]
    assert not foreign


def test_nothing_imports_the_homeserver_of_the_tests() -> None:
    """It is AGPL: the tests run it as a process of its own."""
    importing = [where for where, library in _outside_imports(*PACKAGES, "tests", "deploy") if library == "synapse"]
    assert not importing


def test_every_outside_library_comes_in_through_its_one_door() -> None:
    strays = [
        f"{where} imports {library}"
        for where, library in _outside_imports(*PACKAGES)
        if library not in PURE and not where.startswith(DOORS.get(library, ())) and library != "adapters"
    ]
    assert not strays


@pytest.mark.parametrize("text", ["import llama_cpp", "from llama_cpp import llama_decode", "import numpy.typing as t"])
def test_an_import_of_any_form_is_seen(text: str) -> None:
    assert next(_imported(ast.parse(text))) in DOORS


def _outside_imports(*folders: str) -> Iterator[tuple[str, str]]:
    for path in python_files(*folders):
        for library in _imported(ast.parse(path.read_text(encoding="utf-8"))):
            if library not in sys.stdlib_module_names and library not in PACKAGES:
                yield shown(path), library


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (name.name.split(".")[0] for name in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.split(".")[0]
