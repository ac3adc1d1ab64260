"""Posts as HTML: the little Markdown that prose needs, and nothing that could run, load or lie. It knows no place.

Whatever is not Markdown is escaped: raw HTML is text, images are not offered, links lead to http and https only.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters but tab and newline. They mean nothing in prose, and browsers disagree about them."""

SAFE_LINK = re.compile(r"https?://", re.IGNORECASE)
SPOILER = "||"

# Headings and indented code are what prose hits by accident; reference definitions vanish from what the reader sees.
NOT_OFFERED = ("image", "heading", "lheading", "code", "reference", "html_block", "html_inline")


MOST_NESTED = 100
"""Quotes and lists within each other; what is nested deeper is not shown, so the bound lies where nobody writes."""


@dataclass(frozen=True, slots=True)
class Dress:
    """The attributes that make a span a spoiler where the HTML is shown, and those of every link."""

    spoiler: Mapping[str, str]
    link: Mapping[str, str]


PAGE = Dress({"class": "spoiler", "tabindex": "0"}, {"rel": "noopener nofollow ugc"})
"""A spoiler that shows itself when it is pointed at or focused."""

ROOM = Dress({"data-mx-spoiler": ""}, {})
"""What Matrix knows: https://spec.matrix.org/v1.11/client-server-api/#mroommessage-msgtypes"""


def render(text: str, dress: Dress = PAGE) -> Markup:
    """A post's text as HTML that is safe to place in a page, or to send to a room."""
    return Markup(_PARSER.render(plain(text), {"dress": dress}))  # noqa: S704  the parser escapes what it does not make itself


def plain(text: str) -> str:
    """The text without control characters; line ends become newlines."""
    return CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": MOST_NESTED})
    parser.enable("strikethrough").disable(list(NOT_OFFERED))
    parser.validateLink = _is_safe  # type: ignore[method-assign]  # the library's own way to narrow links
    parser.inline.add_terminator_char(SPOILER[0])
    parser.inline.ruler.before("emphasis", "spoiler", _spoiler)
    parser.add_render_rule("link_open", _link_open)
    return parser


def _is_safe(url: str) -> bool:
    return SAFE_LINK.match(url) is not None


def _link_open(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    for name, value in env["dress"].link.items():
        tokens[index].attrSet(name, value)
    return renderer.renderToken(tokens, index, options, env)


def _spoiler(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  the library's signature
    """||text|| becomes a span that hides what it holds."""
    start = state.pos + len(SPOILER)
    if not state.src.startswith(SPOILER, state.pos):
        return False
    end = state.src.find(SPOILER, start, state.posMax)
    if end <= start:
        return False
    if not silent:
        opening = state.push("spoiler_open", "span", 1)
        opening.attrs = dict(state.env["dress"].spoiler)
        state.pos, limit, state.posMax = start, state.posMax, end
        state.md.inline.tokenize(state)
        state.posMax = limit
        state.push("spoiler_close", "span", -1)
    state.pos = end + len(SPOILER)
    return True


_PARSER: Any = _parser()
