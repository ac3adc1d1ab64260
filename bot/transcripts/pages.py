"""Chapters as XHTML that is HTML too: what a web page and an electronic book share. It knows no style and no whole document.

Whatever people wrote is escaped here and nowhere else; characters that XML cannot hold are removed.
"""

import re
from collections.abc import Iterator
from html import escape

from bot.transcripts.book import Book, Chapter, Post
from bot.transcripts.prose import Block, Kind, Mark, Spelling, blocks, inline

BREAK = '<p class="break" role="separator">\u2042</p>'

_NOT_XML = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_GAP = re.compile(r"\n[ \t]*\n")


def words(text: str) -> str:
    """Plain words, safe between tags and in the quotes of an attribute."""
    return escape(_BIDI_CONTROLS.sub("", _NOT_XML.sub("", text)), quote=True)


def language(book: Book) -> str:
    """The book's language as an attribute's value."""
    return words(book.language)


def opening(book: Book) -> str:
    """Title, author line and scenario."""
    scenario = "\n".join(_prose(book.scenario))
    told = f'\n<div class="scenario" dir="auto">\n{scenario}\n</div>' if scenario else ""
    return f'<h1 dir="auto">{words(book.title)}</h1>\n<p class="author" dir="auto">{words(book.author_line)}</p>{told}'


def body(chapter: Chapter) -> str:
    """The heading of a chapter and all of its posts."""
    return "\n".join(_chapter(chapter))


def _chapter(chapter: Chapter) -> Iterator[str]:
    if chapter.part:
        yield f'<p class="part">{words(chapter.part)}</p>'
    yield f"<h2>{words(chapter.title)}</h2>"
    speaker = None
    for post in chapter.posts:
        who = (post.speaker, post.is_aside)
        yield f'<div class="{"aside" if post.is_aside else "post"}" dir="auto">'
        if who != speaker:
            yield f'<p class="who">{words(post.speaker)}</p>'
        speaker = who
        yield from _post(post)
        yield "</div>"


def _post(post: Post) -> Iterator[str]:
    yield from _prose(post.text)
    for roll in post.rolls:
        yield f'<p class="dice">{words(roll)}</p>'


def _prose(text: str) -> Iterator[str]:
    for block in blocks(text):
        yield _block(block)


def _block(block: Block) -> str:
    match block.kind:
        case Kind.BREAK:
            return BREAK
        case Kind.CODE:
            return f"<pre><code>{words(block.text)}</code></pre>"
        case Kind.QUOTE:
            inner = "".join(f"<p>{inline(each.strip(), _SPELLING)}</p>" for each in _GAP.split(block.text) if each.strip())
            return f"<blockquote>{inner}</blockquote>"
        case _:
            return f"<p>{inline(block.text, _SPELLING)}</p>"


def _text(text: str, begins_line: bool) -> str:  # noqa: ARG001, FBT001  the port's signature
    return words(text)


def _code(text: str) -> str:
    return f"<code>{words(text)}</code>"


_SPELLING = Spelling(
    text=_text,
    code=_code,
    marks={
        Mark.EMPHASIS: ("<em>", "</em>"),
        Mark.STRONG: ("<strong>", "</strong>"),
        Mark.STRUCK: ("<s>", "</s>"),
        Mark.SPOILER: ('<span class="spoiler" tabindex="0">', "</span>"),
    },
    line_break="<br/>",
)
