"""Posts as HTML: the little Markdown that prose needs, and nothing that could run, load or lie. It knows no page.

Whatever is not Markdown is escaped: raw HTML is text, images are not offered, links lead to http and https only.
"""

import re
from collections.abc import Sequence
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


def render(text: str) -> Markup:
    """A post's text as HTML that is safe to place in a page."""
    return Markup(_PARSER.render(plain(text)))  # noqa: S704  the parser escapes what it does not make itself


MOST_NESTED = 100
"""Quotes and lists within each other; what is nested deeper is not shown, so the bound lies where nobody writes."""


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
    tokens[index].attrSet("rel", "noopener nofollow ugc")
    return renderer.renderToken(tokens, index, options, env)


def _spoiler(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  the library's signature
    """||text|| becomes a span that shows itself when it is pointed at or focused."""
    start = state.pos + len(SPOILER)
    if not state.src.startswith(SPOILER, state.pos):
        return False
    end = state.src.find(SPOILER, start, state.posMax)
    if end <= start:
        return False
    if not silent:
        opening = state.push("spoiler_open", "span", 1)
        opening.attrs = {"class": "spoiler", "tabindex": "0"}
        state.pos, limit, state.posMax = start, state.posMax, end
        state.md.inline.tokenize(state)
        state.posMax = limit
        state.push("spoiler_close", "span", -1)
    state.pos = end + len(SPOILER)
    return True


_PARSER: Any = _parser()
