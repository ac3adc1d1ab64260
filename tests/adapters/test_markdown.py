"""Posts become safe HTML, whatever stands in them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from adapters.markdown import ROOM, render

OPENING = re.compile(r"<([a-z0-9]+)((?:\s[^<>]*)?)>")
KNOWN = {"p", "br", "em", "strong", "s", "a", "code", "pre", "blockquote", "ul", "ol", "li", "hr", "span"}


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*soft* and **loud**", "<p><em>soft</em> and <strong>loud</strong></p>\n"),
        ("~~no~~", "<p><s>no</s></p>\n"),
        ("one\ntwo\n\nthree", "<p>one<br />\ntwo</p>\n<p>three</p>\n"),
        ("||the *butler*||", '<p><span class="spoiler" tabindex="0">the <em>butler</em></span></p>\n'),
        ("a || b", "<p>a || b</p>\n"),
        ("||||", "<p>||||</p>\n"),
        ("    Indented like a novel.", "<p>Indented like a novel.</p>\n"),
        ("# not a heading", "<p># not a heading</p>\n"),
        ("[a](https://a.example/)", '<p><a href="https://a.example/" rel="noopener nofollow ugc">a</a></p>\n'),
        ("bell\x07 esc\x1b[31m\r\nnul\x00", "<p>bell esc[31m<br />\nnul</p>\n"),
    ],
)
def test_prose_is_rendered(text: str, html: str) -> None:
    assert render(text) == html


def test_a_room_is_told_of_spoilers_and_links_in_its_own_way() -> None:
    html = render("||the *butler*|| [a](https://a.example/)", ROOM)
    assert html == '<p><span data-mx-spoiler="">the <em>butler</em></span> <a href="https://a.example/">a</a></p>\n'


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "![x](https://a.example/x.png)",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](//a.example/)",
        "[x](file:///etc/passwd)",
        "<javascript:alert(1)>",
        "<svg/onload=alert(1)>",
        "||<b onmouseover=alert(1)>||",
        '```"><script>\nx\n```',
        '[x](https://a.example/"onclick="alert(1))',
    ],
)
def test_nothing_in_a_post_can_run_or_load(text: str) -> None:
    assert_safe(render(text))


@given(some.text(alphabet="<>\"'&*_~|`[]()!:/ \n\\#-ahjst=", max_size=80))
def test_no_text_makes_an_element_that_is_not_offered(text: str) -> None:
    assert_safe(render(text))


def assert_safe(html: str) -> None:
    for name, attributes in OPENING.findall(html):
        assert name in KNOWN
        names = re.findall(r'\s([a-z-]+)="[^"]*"', attributes)
        assert set(names) <= {"href", "rel", "title", "class", "tabindex", "start"}
        if "href=" in attributes:
            assert re.search(r'href="https?://', attributes, re.IGNORECASE)
            assert 'rel="noopener nofollow ugc"' in attributes
    assert not re.search(r"<(?!/?(?:" + "|".join(KNOWN) + r")\b)", html)
