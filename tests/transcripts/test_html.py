"""A book as a page: one file that asks for nothing, in which whatever people wrote is text."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from bot.transcripts.book import Chapter, Post, book_of
from bot.transcripts.html import to_html
from tests.transcripts.books import CREATED, HOSTILE, a_book, a_story, told

TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "p", "div", "section"),
    *("main", "nav", "ol", "li", "a", "em", "strong", "s", "span", "code", "pre", "br", "blockquote"),
}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "dir", "id", "href", "role", "tabindex"}


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def seen(page: str) -> _Seen:
    parser = _Seen()
    parser.feed(page)
    return parser


def test_a_post_is_shown_with_its_marks_under_its_speaker() -> None:
    page = to_html(book_of(a_story(), told(), CREATED))

    assert '<p class="who">Mira</p>\n<p>&quot;We close at <em>ten</em>,&quot; she said.</p>' in page
    assert (
        '<p class="break" role="separator">\u2042</p>\n<blockquote><p>Closed</p></blockquote>\n<p><code>key</code></p>' in page
    )
    assert '<p class="dice">Tobias rolled 1d20 (7) = 7 (sleep)</p>' in page


def test_a_speaker_is_named_once_for_posts_in_a_row() -> None:
    assert to_html(book_of(a_story(), told(), CREATED)).count('<p class="who">Tobias</p>') == 1


def test_spoilers_open_without_a_script() -> None:
    assert '<p>It was <span class="spoiler" tabindex="0">the <em>cook</em></span>.</p>' in to_html(
        a_book(Post("Mira", "It was ||the *cook*||."))
    )


@pytest.mark.parametrize(
    "text", [HOSTILE, f"*{HOSTILE}*", f"||{HOSTILE}||", f"`{HOSTILE}`", f"```\n{HOSTILE}\n```", f"> {HOSTILE}"]
)
def test_whatever_people_wrote_is_text(text: str) -> None:
    post = Post(text, text, rolls=(text,))
    page = to_html(a_book(title=text, author_line=text, scenario=text, language=text, chapters=(Chapter(text, (post,), text),)))
    found = seen(page)

    assert set(found.tags) <= TAGS
    assert {name for name, _ in found.attributes} <= ATTRIBUTES
    assert found.text.count("<script>alert(1)</script>") == 9
    assert not re.search("[\0\u202e\ufffe\ud800]", page)
    page.encode()


def test_a_page_asks_for_nothing_from_elsewhere() -> None:
    page = to_html(book_of(a_story(), told(), CREATED))

    assert "default-src 'none'" in page
    assert not re.search(r"https?:|//|url\(|@import|<script", page)


def test_a_page_is_well_formed_and_has_both_lights() -> None:
    page = to_html(a_book(Post("Mira", HOSTILE)))

    ET.fromstring(page.removeprefix("<!DOCTYPE html>\n"))  # noqa: S314  our own page
    assert "prefers-color-scheme: dark" in page


def test_several_chapters_have_a_list_of_contents_that_leads_to_them() -> None:
    [chapter] = a_book(Post("Mira", "Hm.")).chapters
    page = to_html(a_book(chapters=(replace(chapter, part="Part 1"), replace(chapter, title="Chapter 2"))))

    assert '<li><a href="#chapter-1">Part 1, Chapter 1</a></li>\n<li><a href="#chapter-2">Chapter 2</a></li>' in page
    assert '<section id="chapter-2">' in page
    assert "<nav" not in to_html(a_book(Post("Mira", "Hm.")))
