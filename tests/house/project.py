"""Where the project's own files are, for the tests of the house. It reads no file's content."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bot", "adapters", "storage")
FOLDERS = (*PACKAGES, "tests", "deploy")
WRITTEN = (*FOLDERS, "docs")
"""The folders that hold texts: those with code, and the one with nothing else."""
TEXT_ENDINGS = {
    ".py",
    ".md",
    ".toml",
    ".lock",
    ".sh",
    ".cmake",
    ".css",
    ".js",
    ".html",
    ".jinja",
    ".yaml",
    ".yml",
    ".txt",
    ".ini",
}


def python_files(*folders: str) -> Iterator[Path]:
    """Every Python file below these folders of the project."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def text_files() -> Iterator[Path]:
    """Every text file that the project keeps."""
    yield from sorted(path for path in ROOT.iterdir() if path.is_file() and _is_text(path))
    yield ROOT / ".ci" / "run"
    for folder in WRITTEN:
        yield from sorted(path for path in (ROOT / folder).rglob("*") if path.is_file() and _is_text(path))


def shown(path: Path) -> str:
    """A path as a reader of a failure knows it."""
    return path.relative_to(ROOT).as_posix()


def _is_text(path: Path) -> bool:
    return "__pycache__" not in path.parts and (path.suffix in TEXT_ENDINGS or path.name in {"Makefile", ".gitignore"})
