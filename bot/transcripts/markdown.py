"""A book as Markdown: what players wrote keeps its emphasis, and becomes no heading, image, HTML or link in disguise."""

import re
from collections.abc import Iterator
from string import punctuation

from bot.transcripts.book import Book, Chapter, Post
from bot.transcripts.prose import Block, Kind, Mark, Spelling, blocks, inline

BREAK = "* * *"

_SIGNS = re.compile(r"[\\`*_\[<&|~]")
_OPENS_LINE = re.compile(r"[#+=>-]|\d{1,9}(?=[.)])")
_TICKS = re.compile(r"`+")
_GAP = re.compile(r"\n[ \t]*\n")


def to_markdown(book: Book) -> str:
    """The whole book as one Markdown text, ended by a newline."""
    return "\n\n".join(_parts(book)) + "\n"


def _parts(book: Book) -> Iterator[str]:
    yield f"# {_plain(book.title)}"
    yield f"*{_plain(book.author_line)}*"
    if book.scenario:
        yield "\n>\n".join(_quoted(block) for block in _prose(book.scenario))
    for chapter in book.chapters:
        yield from _chapter(chapter)


def _chapter(chapter: Chapter) -> Iterator[str]:
    if chapter.part:
        yield f"## {_plain(chapter.part)}"
    yield f"{'###' if chapter.part else '##'} {_plain(chapter.title)}"
    speaker = None
    for post in chapter.posts:
        who = (post.speaker, post.is_aside)
        if who != speaker:
            yield f"**{_plain(post.speaker)}**" + (" (beside the story)" if post.is_aside else "")
        speaker = who
        yield from _post(post)


def _post(post: Post) -> Iterator[str]:
    yield from _prose(post.text)
    for roll in post.rolls:
        yield f"*{_plain(roll)}*"


def _prose(text: str) -> Iterator[str]:
    for block in blocks(text):
        yield _block(block)


def _block(block: Block) -> str:
    match block.kind:
        case Kind.BREAK:
            return BREAK
        case Kind.CODE:
            fence = "`" * max(3, 1 + max((len(ticks) for ticks in _TICKS.findall(block.text)), default=0))
            return f"{fence}\n{block.text}\n{fence}"
        case Kind.QUOTE:
            told = (inline(each.strip(), _SPELLING) for each in _GAP.split(block.text) if each.strip())
            return "\n>\n".join(_quoted(each) for each in told)
        case _:
            return inline(block.text, _SPELLING)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


def _plain(text: str) -> str:
    """One line of words that mean only themselves."""
    return _words(" ".join(text.split()), True) or "\u2026"


def _words(text: str, begins_line: bool) -> str:  # noqa: FBT001  the port's signature
    if len(text) == 1 and text in punctuation:
        return f"\\{text}"  # alone, it was escaped by hand or may be half of something
    told = text.lstrip() if begins_line else text
    opening = _OPENS_LINE.match(told) if begins_line else None
    if opening is None:
        return _SIGNS.sub(r"\\\g<0>", told)
    sign = opening.group()
    first = f"{sign}\\{told[len(sign)]}" if sign.isdigit() else f"\\{sign}"
    return first + _SIGNS.sub(r"\\\g<0>", told[len(sign) + sign.isdigit() :])


def _code(text: str) -> str:
    if not text.strip():
        return text
    ticks = "`" * (1 + max((len(found) for found in _TICKS.findall(text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") or text[0] == text[-1] == " " else ""
    return f"{ticks}{space}{text}{space}{ticks}"


_SPELLING = Spelling(
    text=_words,
    code=_code,
    marks={
        Mark.EMPHASIS: ("*", "*"),
        Mark.STRONG: ("**", "**"),
        Mark.STRUCK: ("~~", "~~"),
        Mark.SPOILER: ("||", "||"),
    },
    line_break="\\\n",
)
