"""The documents become a site: every page is in it, its links hold, and nothing of it comes from elsewhere."""

import re
import subprocess
from pathlib import Path

import pytest

from deploy.site.__main__ import assemble, build, mended, pages

LOADED = re.compile(r'(?:src|href)="(https?://[^"]+)"[^>]*(?:stylesheet|script)|<script[^>]* src="(https?://[^"]+)"')


def test_every_page_is_in_the_navigation(tmp_path: Path) -> None:
    assemble(tmp_path)
    settings = (tmp_path / "zensical.toml").read_text(encoding="utf-8")
    assert set(re.findall(r'= "([a-z-]+\.md)"', settings)) == set(pages().values())


def test_links_lead_to_pages_of_the_site_or_are_names_only(tmp_path: Path) -> None:
    here, other = tmp_path / "here.md", tmp_path / "docs" / "other.md"
    other.parent.mkdir()
    other.write_text("# Other\n", encoding="utf-8")
    here.write_text("[a](docs/other.md#x) [b](LICENSE) [c](https://example.org) [d](#here)", encoding="utf-8")
    names = {here: "index.md", other: "other.md"}
    assert mended(here, names) == "[a](other.md#x) b [c](https://example.org) [d](index.md#here)"


def test_the_site_is_built_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    public = build(tmp_path)
    html = [page.read_text(encoding="utf-8") for page in public.rglob("*.html")]
    assert len(html) > len(pages())
    assert [found for page in html for found in LOADED.findall(page)] == []


def test_a_link_to_nowhere_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.site.__main__.mended", lambda _page, _names: "# A page\n\n[nowhere](nowhere.md)\n")
    with pytest.raises(subprocess.CalledProcessError):
        build(tmp_path)
