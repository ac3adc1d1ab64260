"""The little Markdown that posts use, read once for everyone who prints it. It knows no language to print in.

Read are *emphasis*, **strong**, ***both***, ~~struck~~, ||spoilers||, `code`, fences, quotes and scene breaks; a line end
is a line end. All else is plain text: no links, no images, no headings, no HTML. The cost grows with the length alone.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

FENCE = "```"
LASTING_QUOTE = ">>> "
_QUOTE = re.compile(r"[ \t]{0,3}(?:>[ \t]?){1,8}")
_TOKEN = re.compile(r"\\([!-/:-@\[-`{-~])|(`+)|(\*+|_+|~+|\|+)")
_BREAK_SIGNS = frozenset("*-_\u2042")
_SHORTEST_BREAK = 3
_LONGEST_RUN = 3
_PAIR = 2


class Kind(StrEnum):
    """What a stretch of lines is."""

    PARAGRAPH = "paragraph"
    QUOTE = "quote"
    CODE = "code"
    BREAK = "break"


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines of a post. The text of a paragraph or a quote still holds marks; that of a quote has its own paragraphs."""

    kind: Kind
    text: str = ""


class Mark(StrEnum):
    """What marks do to the words between them."""

    EMPHASIS = "emphasis"
    STRONG = "strong"
    STRUCK = "struck"
    SPOILER = "spoiler"


_MARKS: Mapping[str, Mark] = {
    "*": Mark.EMPHASIS,
    "_": Mark.EMPHASIS,
    "**": Mark.STRONG,
    "__": Mark.STRONG,
    "~~": Mark.STRUCK,
    "||": Mark.SPOILER,
}


@dataclass(frozen=True, slots=True)
class Spelling:
    """How one language prints words. `text` gets plain words, and whether they begin a line; `code` what stands in ticks."""

    text: Callable[[str, bool], str]
    code: Callable[[str], str]
    marks: Mapping[Mark, tuple[str, str]]
    line_break: str


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a post, in order."""
    lines, at = text.split("\n"), 0
    while at < len(lines):
        block, at = _block(lines, at)
        if block is not None:
            yield block


def begins_with_break(text: str) -> bool:
    """Whether a post opens with a scene break."""
    return _is_break(text.strip().split("\n", 1)[0])


def ends_with_break(text: str) -> bool:
    """Whether a post closes with a scene break."""
    return _is_break(text.strip().rsplit("\n", 1)[-1])


def inline(text: str, spelling: Spelling) -> str:
    """The words of a paragraph with their marks, as a language spells them. Marks that are not closed are words."""
    return _Inline(text, spelling).printed()


def _block(lines: list[str], at: int) -> tuple[Block | None, int]:
    """The block that begins at a line, and where the next one does."""
    line = lines[at]
    if not line.strip():
        return None, at + 1
    if _is_break(line):
        return Block(Kind.BREAK), at + 1
    if line.startswith(LASTING_QUOTE):
        return Block(Kind.QUOTE, "\n".join([line.removeprefix(LASTING_QUOTE), *lines[at + 1 :]])), len(lines)
    if _QUOTE.match(line):
        end = next((place for place in range(at, len(lines)) if not _QUOTE.match(lines[place])), len(lines))
        return Block(Kind.QUOTE, "\n".join(_QUOTE.sub("", each, count=1) for each in lines[at:end])), end
    if _is_fence(line):
        # Any fence closes it, so that no more than one can stay open and be looked through to the end.
        closing = next((place for place in range(at + 1, len(lines)) if _is_fence(lines[place])), None)
        if closing is not None:
            return Block(Kind.CODE, "\n".join(lines[at + 1 : closing])), closing + 1
    end = next((place for place in range(at + 1, len(lines)) if _ends_paragraph(lines[place])), len(lines))
    return Block(Kind.PARAGRAPH, "\n".join(each.strip() for each in lines[at:end])), end


def _is_break(line: str) -> bool:
    signs = "".join(line.split())
    return len(set(signs)) == 1 and signs[0] in _BREAK_SIGNS and (len(signs) >= _SHORTEST_BREAK or signs == "\u2042")


def _is_fence(line: str) -> bool:
    return line.lstrip(" \t").startswith(FENCE)


def _ends_paragraph(line: str) -> bool:
    return not line.strip() or _is_break(line) or _is_fence(line) or _QUOTE.match(line) is not None


class _Inline:
    """Goes through a paragraph once. Every mark is first printed as words; where its other half comes, both become marks."""

    def __init__(self, text: str, spelling: Spelling) -> None:
        self._text = text
        self._spelling = spelling
        self._tokens = list(_TOKEN.finditer(text))
        self._printed: list[str] = []
        # At most one of each mark is open: a second opens anew. Thus the list stays short, whatever the text.
        self._open: list[tuple[str, int]] = []
        self._at = 0
        self._ticks: dict[str, list[int]] = {}
        for token in self._tokens:
            if token[2]:
                self._ticks.setdefault(token[2], []).append(token.start())

    def printed(self) -> str:
        for token in self._tokens:
            if token.start() < self._at:  # inside code
                continue
            self._words(self._at, token.start())
            self._at = token.end()
            if token[1]:
                self._printed.append(self._spelling.text(token[1], self._begins_line(token.start())))
            elif token[2]:
                self._code(token[2], token.start())
            else:
                self._run(token[3], token.start())
        self._words(self._at, len(self._text))
        return "".join(self._printed)

    def _words(self, start: int, end: int) -> None:
        first, *others = self._text[start:end].split("\n")
        self._printed.append(self._spelling.text(first, self._begins_line(start)))
        for line in others:
            self._printed += (self._spelling.line_break, self._spelling.text(line, True))

    def _begins_line(self, at: int) -> bool:
        return at == 0 or self._text[at - 1] == "\n"

    def _code(self, ticks: str, start: int) -> None:
        places = self._ticks[ticks]
        after = bisect_left(places, start + 1)
        if after == len(places):
            self._printed.append(self._spelling.text(ticks, self._begins_line(start)))
            return
        self._at = places[after] + len(ticks)
        self._printed.append(self._spelling.code(self._text[start + len(ticks) : places[after]].replace("\n", " ")))

    def _run(self, run: str, start: int) -> None:
        opens, closes = self._flanks(run, start)
        fits = len(run) <= _LONGEST_RUN if run[0] in "*_" else len(run) == _PAIR
        left = self._close(run) if fits and closes else run
        while left:
            mark = left[:_PAIR] if fits else left
            if fits and opens:
                self._open = [each for each in self._open if each[0] != mark]
                self._open.append((mark, len(self._printed)))
            self._printed.append(self._spelling.text(mark, self._begins_line(start)))
            left = left[len(mark) :]

    def _close(self, run: str) -> str:
        """Close what a run can close, innermost first; what is left of the run."""
        while run:
            found = [place for place, (mark, _) in enumerate(self._open) if mark[0] == run[0] and len(mark) <= len(run)]
            if not found:
                return run
            mark, index = self._open[found[-1]]
            # What was opened inside and not closed there stays words: so marks never cross.
            del self._open[found[-1] :]
            before, after = self._spelling.marks[_MARKS[mark]]
            self._printed[index] = before
            self._printed.append(after)
            run = run[len(mark) :]
        return run

    def _flanks(self, run: str, start: int) -> tuple[bool, bool]:
        """Whether a run can open and can close, by CommonMark's rules; bars of spoilers always can."""
        if run[0] == "|":
            return True, True
        before = self._text[start - 1] if start else " "
        after = self._text[start + len(run)] if start + len(run) < len(self._text) else " "
        left = not after.isspace() and (not _is_sign(after) or before.isspace() or _is_sign(before))
        right = not before.isspace() and (not _is_sign(before) or after.isspace() or _is_sign(after))
        if run[0] == "_":
            return left and (not right or _is_sign(before)), right and (not left or _is_sign(after))
        return left, right


def _is_sign(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"
