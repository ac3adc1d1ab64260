"""Which runs of emphasis marks belong together, as CommonMark and Discord agree on it. It knows no lines, links or code."""

import unicodedata
from dataclasses import dataclass

SPOILER = "||"
ENDLESS = 1 << 60
"""Where a stretch ends whose end is not in sight."""


@dataclass(frozen=True, slots=True)
class Span:
    """A marked stretch: from `outer` the opening mark, from `start` to `end` what it marks, then the closing mark.

    One that was open before the text has `outer` and `start` below 0; one whose end is not in sight has an ENDLESS `end`.
    """

    outer: int
    start: int
    end: int
    mark: str


class Emphasis:
    """Pairs marks as they come, in order of the text. One stretch of each kind is open at most: a second opens anew.

    `carried` are the marks open before the text, outermost first. `spans` holds what was paired so far.
    """

    def __init__(self, carried: tuple[str, ...]) -> None:
        self._open = [Span(i - len(carried) - 1, -1, ENDLESS, mark) for i, mark in enumerate(carried)]
        self.spans: list[Span] = []

    @property
    def depth(self) -> int:
        """Characters of marks that are open here."""
        return sum(len(span.mark) for span in self._open)

    def run(self, char: str, start: int, end: int, around: tuple[str, str]) -> None:
        """A run of one mark's character stands at `start:end`, between the characters `around` (a space at an edge)."""
        if char == "|":
            opens = closes = True
        else:
            opens, closes = _flanks(char, *around)
        if closes:
            start = self._close(char, start, end)
        if opens:
            self._begin(char, start, end)

    def code(self, mark: str, start: int, end: int) -> None:
        """A code span too long for a post: its marks are closed and opened again like any other."""
        self.spans.append(Span(start - len(mark), start, end, mark))

    def end_paragraph(self) -> None:
        """What was opened and not closed in the paragraph was no mark; only a spoiler goes on."""
        self._open = [span for span in self._open if span.mark == SPOILER]

    def go_on(self) -> None:
        """The paragraph goes on out of sight: what is open may be closed there."""
        self.spans += self._open
        self._open = []

    def _close(self, char: str, start: int, end: int) -> int:
        """Close what the run can close, innermost first; returns where the rest of the run begins."""
        while True:
            found = [i for i, span in enumerate(self._open) if span.mark[0] == char and len(span.mark) <= end - start]
            if not found:
                return start
            span = self._open[found[-1]]
            del self._open[found[-1] :]
            self.spans.append(Span(span.outer, span.start, start, span.mark))
            start += len(span.mark)

    def _begin(self, char: str, start: int, end: int) -> None:
        for mark in _marks(char, end - start):
            self._open = [span for span in self._open if span.mark != mark]
            self._open.append(Span(start, start + len(mark), ENDLESS, mark))
            start += len(mark)


def _marks(char: str, length: int) -> tuple[str, ...]:
    if char in "~|":
        return (char * 2,) if length == 2 else ()  # noqa: PLR2004  the only length that means something
    return {1: (char,), 2: (char * 2,), 3: (char * 2, char)}.get(length, ())


def _flanks(char: str, before: str, after: str) -> tuple[bool, bool]:
    """Whether a run between these characters can open and can close: https://spec.commonmark.org/0.31.2/#left-flanking-delimiter-run."""
    space_before, space_after = before.isspace(), after.isspace()
    punct_before, punct_after = _is_punctuation(before), _is_punctuation(after)
    left = not space_after and (not punct_after or space_before or punct_before)
    right = not space_before and (not punct_before or space_after or punct_after)
    if char == "_":
        return left and (not right or punct_before), right and (not left or punct_after)
    return left, right


def _is_punctuation(char: str) -> bool:
    return unicodedata.category(char)[0] in "PS"
