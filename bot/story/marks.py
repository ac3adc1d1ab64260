"""Out-of-character marks: what of a post belongs to the story, and what the players say beside it. It decides nothing else.

The customs of roleplay in forums and chats: `//` and `OOC:` mark from their line to the end of the paragraph, `((…))` marks
what it holds wherever it stands, and `(…)` and `[…]` mark lines that stand in them wholly. So a parenthesis within a
sentence, a link `[text](address)` and dice `[[2d6]]` stay in the story, and so does a message all in asterisks.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BLANK_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")
_TO_PARAGRAPH_END = re.compile(
    r"[^\S\n]*(?://|[*_]{0,3}(?:OOC[^\S\n]?(?::|[-\u2013\u2014](?=\s))|\[OOC\]|\(OOC\)))", re.IGNORECASE
)
_INDENT = re.compile(r"[^\S\n]*")
_DOUBLE = re.compile(r"\(\(+|\)\)+")
# ":)" closes nothing, unless it is the last of its line, as in "(brb :)".
_BRACKET = re.compile(r"[:;]-?(?:\((?!\()|\)(?![^\S\n]*(?:\n|\Z)))|[()\[\]]")
_OPENS = {")": "(", "]": "["}
_STICKS = frozenset(".,;:!?…")


@dataclass(frozen=True, slots=True)
class Marked:
    """A post taken apart. Both parts keep the words and marks as they were written; a part without any is empty."""

    story: str
    aside: str


def split(text: str) -> Marked:
    """The story part and the out-of-character part of a post, each in its order. Without marks, the story is the post."""
    story: list[str] = []
    asides: list[str] = []
    at = 0
    for start, end in _spans(text):
        story.append(text[at:start])
        asides.append(text[start:end].strip())
        at = end
    if not asides:
        return Marked(text, "")
    return Marked(_joined([*story, text[at:]]), "\n".join(asides))


def _spans(text: str) -> list[tuple[int, int]]:
    """Where the asides stand: in order and apart from one another."""
    double = list(_double(text))
    spans: list[tuple[int, int]] = []
    for start, end in sorted([*double, *_marked_lines(text, {start for start, _ in double})]):
        if spans and start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def _double(text: str) -> Iterator[tuple[int, int]]:
    """What stands in double parentheses. One that is opened again before it is closed was never meant to go on so long."""
    opened: int | None = None
    for found in _DOUBLE.finditer(text):
        if found[0].startswith("("):
            opened = found.start()
        elif opened is not None:
            yield opened, found.end()
            opened = None


def _marked_lines(text: str, closed: set[int]) -> Iterator[tuple[int, int]]:
    """What lines begin to mark, paragraph by paragraph. `closed` is where double parentheses open that are closed too."""
    start = 0
    for gap in [*_BLANK_LINES.finditer(text), None]:
        stop = gap.start() if gap else len(text)
        yield from _in_paragraph(text, start, stop, closed)
        start = gap.end() if gap else stop


def _in_paragraph(text: str, start: int, stop: int, closed: set[int]) -> Iterator[tuple[int, int]]:
    partners = _partners(text, start, stop)
    line = start
    while line < stop:
        first = _after_indent(text, line)
        if _TO_PARAGRAPH_END.match(text, line, stop) or (text.startswith("((", first) and first not in closed):
            yield first, stop
            return
        last = partners.get(first)
        if (
            last is not None
            and not text.startswith("[[", first)
            and _after_indent(text, last + 1) == _line_end(text, last, stop)
        ):
            yield first, last + 1
            line = last
        line = _line_end(text, line, stop) + 1


def _partners(text: str, start: int, stop: int) -> dict[int, int]:
    """Where each bracket that opens in a paragraph is closed."""
    opened: dict[str, list[int]] = {"(": [], "[": []}
    partners: dict[int, int] = {}
    for found in _BRACKET.finditer(text, start, stop):
        bracket = found[0]
        if bracket in opened:
            opened[bracket].append(found.start())
        elif bracket in _OPENS and opened[_OPENS[bracket]]:
            partners[opened[_OPENS[bracket]].pop()] = found.start()
    return partners


def _after_indent(text: str, at: int) -> int:
    indent = _INDENT.match(text, at)
    return indent.end() if indent else at


def _line_end(text: str, at: int, stop: int) -> int:
    end = text.find("\n", at, stop)
    return stop if end < 0 else end


def _joined(pieces: list[str]) -> str:
    """What is left of a post, with the blanks around a gap as one, and a line or paragraph kept apart where it was."""
    whole: list[str] = []
    space = ""
    for piece in pieces:
        text = piece.strip()
        if not text:
            space = max(space, piece, key=lambda blanks: blanks.count("\n"))
            continue
        if whole:
            whole.append(_gap(space, piece[: len(piece) - len(piece.lstrip())], text[0]))
        whole.append(text)
        space = piece[len(piece.rstrip()) :]
    return "".join(whole)


def _gap(before: str, after: str, first: str) -> str:
    lines = min(max(before.count("\n"), after.count("\n")), 2)
    if lines:
        return "\n" * lines
    return "" if first in _STICKS and not after else " "
