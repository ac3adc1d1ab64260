"""Texts to cut: strategies for hypothesis, and what a reader sees of a post."""

from collections.abc import Sequence

from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.chunking.borders import BLANKS
from bot.chunking.chunker import Chunk
from bot.posts import ChannelLimits, LengthUnit

SMALL, FULL = 60, 2_000

_BITS = (
    *("a", "word ", "He left. ", "longlonglongword", ", ", "— ", "—", "...", "…", "!", "日本語。", " "),
    *("\n", "\n\n", "\r\n", "    ", "\x00", "\u2028", "\u200b", "\u202e", "مرحبا ", "\u0600 ", " \u0301"),
    *("“", "”", '"', "*", "**", "_", "__", "~~", "||", "`", "``", "```", "```py\n", "\n```\n", "\\*"),
    *("> ", ">>> ", "- ", "1. ", "# ", "[l](http://x.y/z)", "https://a.b/c?d=e*", "<@123>"),
    *("😀", "e\u0301", "👨‍👩‍👧", "🇫🇷🇫🇷", "\ud800"),
)
odd_texts = st.lists(st.sampled_from(_BITS) | st.characters(), max_size=120).map("".join)
limits = st.builds(ChannelLimits, st.sampled_from([8, 10, 16, 40, 64, 100, 200]), st.sampled_from(list(LengthUnit)))
roomy_limits = st.builds(ChannelLimits, st.integers(100, 300), st.sampled_from(list(LengthUnit)))

words = st.sampled_from(
    ["rain", "the", "a", "lantern", "Mira", "walked,", "home", "and", "then", "left.", "“No,”", "“Why?”", "naïve"]
)
plain = st.lists(words, min_size=1, max_size=30).map(" ".join)
_links = words.map(lambda word: f"[{word} it](https://example.org/a/path)")
_codes = st.lists(st.sampled_from(["let", "x", "be", "of", "size"]), min_size=1, max_size=40).map(
    lambda code: f"`{' '.join(code)}`"
)


def _marked(mark: str, inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(words, inner, words).map(lambda parts: mark + " ".join(parts) + mark)


_struck = _marked("~~", plain)
_slanted = _marked("*", plain | _links | _struck | _codes)
_heavy = _marked("**", plain | _slanted | _codes)
_inlines = st.lists(plain | _links | _codes | _slanted | _heavy | _struck, min_size=1, max_size=5).map(" ".join)
_quotes = st.lists(_inlines, min_size=1, max_size=3).map(lambda lines: "\n".join("> " + line for line in lines))
_lists = st.lists(_inlines, min_size=1, max_size=3).map(lambda lines: "\n".join("- " + line for line in lines))
_fences = st.lists(plain, min_size=1, max_size=8).map(lambda lines: "```text\n" + "\n".join(lines) + "\n```")
marked_texts = st.lists(_inlines | _quotes | _lists | _fences, min_size=1, max_size=5).map("\n\n".join)
"""Marks in pairs, of kinds on which all readers agree."""

secrets = st.lists(plain | _marked("||", plain) | _marked("||", _slanted), min_size=1, max_size=8).map(" ".join)
prose = st.lists(plain, min_size=1, max_size=30).map(lambda parts: ". ".join(parts) + ".")

_MARKDOWN = MarkdownIt("commonmark").enable("strikethrough")


def restored(text: str, chunks: Sequence[Chunk]) -> str:
    """The source again: posts less what was added, with the blanks between them; fails when anything else is missing."""
    whole, at = "", 0
    for chunk in chunks:
        assert all(BLANKS.match(text, i) for i in range(at, chunk.start))
        shown = chunk.text
        for added in reversed(chunk.added):
            assert shown.startswith(added.text, added.offset)
            shown = shown[: added.offset] + shown[added.offset + len(added.text) :]
        whole += text[at : chunk.start] + shown
        at = chunk.end
    assert all(BLANKS.match(text, i) for i in range(at, len(text)))
    return whole + text[at:]


def measure(text: str, limits: ChannelLimits) -> int:
    """The length of a text in the unit of its place."""
    return len(text.encode("utf-8", "surrogatepass")) if limits.unit is LengthUnit.BYTES else len(text)


def seen(post: str) -> list[tuple[str, frozenset[str]]]:
    """The visible characters of a post with what marks each, as CommonMark reads it."""
    shown: list[tuple[str, frozenset[str]]] = []
    quoted = 0
    for block in _MARKDOWN.parse(post):
        quoted += {"blockquote_open": 1, "blockquote_close": -1}.get(block.type, 0)
        styles = {"quote"} if quoted else set()
        if block.type == "fence":
            shown += _characters(block.content, styles | {"fence " + block.info})
        for token in block.children or ():
            styles = _styled(token, styles)
            shown += _characters(token.content, styles | ({"code"} if token.type == "code_inline" else set()))
    return shown


def _styled(token: Token, styles: set[str]) -> set[str]:
    if token.nesting == 1:
        return styles | {f"{token.tag} {token.attrs.get('href', '')}"}
    return {style for style in styles if style.split()[0] != token.tag} if token.nesting == -1 else styles


def _characters(text: str, styles: set[str]) -> list[tuple[str, frozenset[str]]]:
    return [(char, frozenset(styles)) for char in text if not char.isspace()]
