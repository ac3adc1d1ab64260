"""The documents become a site: every page is in it, its links hold, and nothing of it comes from elsewhere."""

import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from deploy.site.__main__ import assemble, build, mended, pages

LOADED = re.compile(r'(?:src|href)="(https?://[^"]+)"[^>]*(?:stylesheet|script)|<script[^>]* src="(https?://[^"]+)"')


class Page(HTMLParser):
    """The links of a page, and what others may point at in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.names = {"", "top"}  # a browser knows these by itself (HTML, "select the indicated part")
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.names |= {value for name in ("id", "name") if (value := values.get(name))}
        self.links += [value for name in ("href", "src") if (value := values.get(name))]


def broken(public: Path) -> list[str]:
    """The links of a site that lead to no page of it, or to no place in one."""
    pages = {path: Page(path) for path in sorted(public.rglob("*.html"))}
    links = [(path, link) for path, page in pages.items() for link in page.links if not urlsplit(link).scheme]
    return [f"{path.relative_to(public)}: {link}" for path, link in links if not leads_somewhere(public, pages, path, link)]


def leads_somewhere(public: Path, pages: dict[Path, Page], path: Path, link: str) -> bool:
    parts = urlsplit(link)
    name = unquote(parts.path)
    found = path if not name else (public / name.lstrip("/") if name.startswith("/") else path.parent / name).resolve()
    target = found / "index.html" if found.is_dir() else found
    if target not in pages:
        return target.is_file() and not parts.fragment
    return unquote(parts.fragment) in pages[target].names


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
    assert broken(public) == []


def test_a_link_that_leads_nowhere_is_seen(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "index.html").write_text('<a href=".">Here</a><h2 id="name">', encoding="utf-8")
    right = '<a href="there/"></a><a href="/there/#name"></a><a href="#top"></a><a href="#here"></a><h1 id="here"></h1>'
    wrong = '<a href="gone/"></a><a href="there/#other"></a><a href="#gone"></a><img src="gone.png">'
    page = tmp_path / "index.html"
    page.write_text(f"{right}<a href='https://example.org/'></a>{wrong}", encoding="utf-8")
    assert broken(tmp_path) == [
        "index.html: gone/",
        "index.html: there/#other",
        "index.html: #gone",
        "index.html: gone.png",
    ]


def test_a_link_to_nowhere_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.site.__main__.mended", lambda _page, _names: "# A page\n\n[nowhere](nowhere.md)\n")
    with pytest.raises(subprocess.CalledProcessError):
        build(tmp_path)
