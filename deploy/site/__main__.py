"""Builds the site of the documents: `python -m deploy.site`. The pages are those of the repository, with links mended.

The site is build/site/public; zensical.toml beside this file says how it looks.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "site"
LINK = re.compile(r"(\[[^\]]*\])\(([^)\s:]+)\)")
TOP = ("ARCHITECTURE", "DECISIONS", "CHANGELOG", "CONTRIBUTING")


def pages() -> dict[Path, str]:
    """The documents of the site, by the name that each has in it."""
    found = {ROOT / "README.md": "index.md"}
    found |= {ROOT / f"{name}.md": f"{name.lower()}.md" for name in TOP}
    found |= {ROOT / "deploy" / "README.md": "run-book.md"}
    return found | {page: page.name for page in sorted((ROOT / "docs").glob("*.md"))}


def mended(page: Path, names: dict[Path, str]) -> str:
    """A page's text with its links as the site has them; what is no page of it is named and not linked."""

    def link(found: re.Match[str]) -> str:
        name, mark, heading = found[2].partition("#")
        target = (page.parent / name).resolve() if name else page
        return f"{found[1]}({names[target]}{mark}{heading})" if target in names else found[1].strip("[]")

    return LINK.sub(link, page.read_text(encoding="utf-8"))


def assemble(folder: Path) -> None:
    """Write pages and settings into a folder, in the place of what was there."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "pages").mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("zensical.toml"), folder)
    names = pages()
    for page, name in names.items():
        (folder / "pages" / name).write_text(mended(page, names), encoding="utf-8")


def build(folder: Path = WORK) -> Path:
    """Build the site in a folder; where it is. Raises subprocess.CalledProcessError where anything of it is wrong."""
    assemble(folder)
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    subprocess.run(command, cwd=folder, check=True)  # noqa: S603  of our own environment
    return folder / "public"


if __name__ == "__main__":
    print(build())  # noqa: T201  what the command is for
