"""What of a text must stay whole at a cut, and what is open there. It knows marks and lines, no lengths of posts.

Read are the marks that Discord and CommonMark share: emphasis, spoilers, code, fences, quotes, lists, headings, links.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from regex import MULTILINE, VERBOSE, Match
from regex import compile as pattern

from bot.chunking.emphasis import ENDLESS, Emphasis, Span

LONGEST_INFO = 16
"""A fence's language longer than this is not repeated when the fence is opened again."""

_TOKEN = pattern(
    r"""
    (?<=\n) (?: [ \t]*+ (?P<fence>`{3,8}+|~{3,8}+) (?P<info>[^`\n]*+) (?=\n|\Z)
              | (?P<blank>[^\S\n]*+ (?:>[^\S\n]*+)? (?=\n))
              | (?P<prefix>[ \t]*+ (?: (?P<quote>>>>[ ]|(?:>[ ]){1,6}+) (?P<item>(?:[-*+]|\d{1,9}[.)]|-?\#{1,6})[ \t]++)?
                                     | (?P<item>(?:[-*+]|\d{1,9}[.)]|-?\#{1,6})[ \t]++) )) )
    | \\[!-/:-@\[-`{-~]
    | (?P<ticks>`++)
    | (?P<run>\*++|_++|~++|\|++)
    | (?P<whole> !?\[[^\[\]\n]*+\]\([^()\s]*+(?:\([^()\s]*+\)[^()\s]*+)*+(?:[ ]"[^"\n]*+")?\)
               | <[^<>\s]{1,200}+>
               | https?://[^\s<>]++ )
    """,
    MULTILINE | VERBOSE,
)
_PARAGRAPH_END = pattern(r"\n[^\S\n]*+\n")
_AFTER_URL = "*_~|.,;:!?)\"'”\u2019"
_TICKS_TO_REPEAT = 3


@dataclass(frozen=True, slots=True)
class Fence:
    """A code fence: its mark and the language after it; `start` and `end` of what it holds."""

    mark: str
    info: str
    start: int = -1
    end: int = ENDLESS

    @property
    def opening(self) -> str:
        """The line that opens it again in another post."""
        return self.mark + (self.info if len(self.info) <= LONGEST_INFO else "") + "\n"

    @property
    def closing(self) -> str:
        """What closes it at the end of a post."""
        return "\n" + self.mark


@dataclass(frozen=True, slots=True)
class Carried:
    """What is open where a text begins: because a cut stands before it, or nothing.

    `marks` are those of emphasis and code, outermost first. `quote` is the mark of a quoted line that the cut parted, or of
    a quote that lasts to the end. `speaking` says that straight quotes are open. `mid_line`: no line begins here.
    """

    fence: Fence | None = None
    marks: tuple[str, ...] = ()
    quote: str = ""
    speaking: bool = False
    mid_line: bool = False


@dataclass(slots=True)
class Markup:
    """What was read of one text. Offsets are those of the text; a cut at `e` keeps `text[:e]`.

    `lead` is where marks opened again belong: after the marks of quote or list that the text itself begins with.
    """

    text: str
    carried: Carried
    whole: bytearray
    spans: list[Span] = field(default_factory=list)
    fences: list[Fence] = field(default_factory=list)
    quotes: list[tuple[int, int, str]] = field(default_factory=list)
    lead: int = 0

    def parts(self, at: int) -> bool:
        """Whether a cut here parts something that must stay whole."""
        return bool(self.whole[at])

    def fence_at(self, at: int) -> Fence | None:
        """The fence that is open here."""
        return next((fence for fence in self.fences if fence.start < at < fence.end), None)

    def marks_at(self, at: int) -> tuple[str, ...]:
        """The marks of emphasis and code that are open here, outermost first."""
        return tuple(span.mark for span in self.spans if span.start < at < span.end)

    def carried_over(self, at: int) -> Carried:
        """What is open for the text after a cut here."""
        quote = next((mark for start, end, mark in self.quotes if start < at <= end), "")
        line = self.text.rfind("\n", 0, at) + 1
        speaking = bool((self.text.count('"', line, at) + (self.carried.speaking and line == 0)) % 2)
        return Carried(self.fence_at(at), self.marks_at(at), quote, speaking)

    def opening(self) -> tuple[tuple[int, str], ...]:
        """What is added at the beginning, and where: what was open before the text and is still open in it."""
        marks = "".join(span.mark for span in self.spans if span.outer < 0)
        first = self.carried.quote
        if self.carried.fence:  # only a spoiler can be open around a fence
            first += (marks and marks + "\n") + self.carried.fence.opening
            marks = ""
        added = ((0, first + marks),) if self.lead == 0 else ((0, first), (self.lead, marks))
        return tuple((at, text) for at, text in added if text)

    def closing(self, at: int) -> str:
        """What is added at a cut here."""
        fence = self.fence_at(at)
        marks = "".join(reversed(self.marks_at(at)))
        return fence.closing + (marks and "\n" + marks) if fence else marks


def read(text: str, carried: Carried, *, goes_on: bool, too_long: Callable[[str, int], bool]) -> Markup:
    """Read the marks of a text. `goes_on`: it is followed by more, out of sight.

    `too_long(stretch, marks)` says whether a stretch, with so many characters of marks around it, is longer than a post:
    then it need not stay whole.
    """
    return _Reader(text, carried, goes_on, too_long).read()


class _Reader:
    """Goes through a text once. `_text` has one character more in front: a line break, or a space in the middle of a line."""

    def __init__(self, text: str, carried: Carried, goes_on: bool, too_long: Callable[[str, int], bool]) -> None:  # noqa: FBT001  private
        self._text = (" " if carried.mid_line else "\n") + text
        self._goes_on = goes_on
        self._too_long = too_long
        self._markup = Markup(text, carried, bytearray(len(text) + 2))
        in_code = bool(carried.marks) and carried.marks[-1][0] == "`"
        self._emphasis = Emphasis(carried.marks[:-1] if in_code else carried.marks)
        self._paragraph_end = -1
        self._prefix_span = (-1, -1)
        self._at = 1
        if carried.quote:
            self._quote(-1, carried.quote)
        if carried.fence:
            self._fence(carried.fence.mark, carried.fence.info, 0)
        elif in_code:
            self._carried_code(carried.marks[-1])

    def read(self) -> Markup:
        while token := _TOKEN.search(self._text, self._at):
            self._at = token.end()
            self._take(token)
        if self._goes_on:
            self._emphasis.go_on()
        self._markup.spans = sorted(self._emphasis.spans, key=lambda span: span.outer)
        for span in self._markup.spans:
            self._keep_marks(span)
        return self._markup

    def _take(self, token: Match[str]) -> None:
        start, end = token.start() - 1, token.end() - 1
        match token.lastgroup:
            case "info":
                self._emphasis.end_paragraph()
                self._keep(start, self._next_visible(end) + 1)
                self._fence(token["fence"], token["info"].strip(), end)
            case "blank":
                self._emphasis.end_paragraph()
                self._at += 1
            case "prefix":
                self._prefix(token, start, end)
            case "run":
                around = self._text[start], self._text[end + 1 : end + 2] or " "
                self._emphasis.run(token["run"][0], start, end, around)
            case "ticks":
                self._code(token["ticks"], start, end)
            case "whole":
                self._link(token["whole"], start)
            case _:
                self._keep(start, end)

    def _prefix(self, token: Match[str], start: int, end: int) -> None:
        if token["item"]:
            self._emphasis.end_paragraph()
        self._keep(start, end + 1)
        self._prefix_span = (start, end)
        if start == 0:
            self._markup.lead = end
        if token["quote"]:
            self._quote(start, token["quote"])

    def _quote(self, start: int, mark: str) -> None:
        """A quoted line, or with `>>> ` a quote that lasts to the end."""
        line_end = self._text.find("\n", start + 2)
        lasts = mark == ">>> " or line_end < 0
        self._markup.quotes.append((start, ENDLESS if lasts else line_end - 1, mark))

    def _link(self, link: str, start: int) -> None:
        if link.startswith("http"):
            link = link.rstrip(_AFTER_URL)
            self._at = start + 1 + len(link)
        if not self._too_long(link, self._marks_around(start)):
            self._keep(start, start + len(link))

    def _marks_around(self, at: int) -> int:
        """Characters of marks that a post has besides a stretch that begins here and fills it."""
        start, end = self._prefix_span
        first, last, mark = self._markup.quotes[-1] if self._markup.quotes else (0, 0, "")
        quoted = len(mark) if first < at <= last else 0
        return 2 * self._emphasis.depth + (end - start if at == end else quoted)

    def _fence(self, mark: str, info: str, start: int) -> None:
        """A fence opened; what it holds begins after `start`."""
        close = pattern(rf"{mark[0]}{{{len(mark)},}}+[ \t\r]*+(?=\n|\Z)").search(self._text, start + 1)
        end = close.start() - 1 if close else ENDLESS
        self._markup.fences.append(Fence(mark, info, start or -1, end))
        self._at = close.end() if close else len(self._text)
        if close:
            self._keep(self._last_visible(end) - 1, close.end() - 1)

    def _code(self, ticks: str, start: int, end: int) -> None:
        close = self._closing_ticks(ticks, end + 1)
        if close is None:
            return
        stop = len(self._text) - 1 if close == ENDLESS else close + len(ticks)
        self._at = stop + 1
        if close != ENDLESS and not self._too_long(self._text[start + 1 : stop + 1], self._marks_around(start)):
            self._keep(start, stop)
        elif len(ticks) <= _TICKS_TO_REPEAT:
            self._emphasis.spans.append(Span(start, end, close, ticks))

    def _carried_code(self, ticks: str) -> None:
        close = self._closing_ticks(ticks, 1)
        if close is not None:
            self._emphasis.spans.append(Span(-1, -1, close, ticks))
            self._at = len(self._text) if close == ENDLESS else close + len(ticks) + 1

    def _closing_ticks(self, ticks: str, after: int) -> int | None:
        """Where code opened by these ticks ends: at once, ENDLESS when that is out of sight, None when it is no code."""
        if self._paragraph_end < after:
            found = _PARAGRAPH_END.search(self._text, after)
            self._paragraph_end = found.start() if found else len(self._text)
        close = pattern(rf"(?<!`)`{{{len(ticks)}}}(?!`)").search(self._text, after, self._paragraph_end)
        if close:
            return close.start() - 1
        return ENDLESS if self._goes_on and self._paragraph_end == len(self._text) else None

    def _keep_marks(self, span: Span) -> None:
        """No cut within a mark, nor between a mark and what it marks: an empty pair of marks would be shown as such."""
        if span.outer >= 0:
            self._keep(span.outer, self._next_visible(span.start) + 1)
        if span.end != ENDLESS:
            self._keep(self._last_visible(span.end) - 1, span.end + len(span.mark))

    def _keep(self, start: int, end: int) -> None:
        """No cut after `start` and before `end`."""
        first, last = max(start + 1, 0), min(end, len(self._markup.whole))
        self._markup.whole[first:last] = b"\1" * (last - first)

    def _next_visible(self, at: int) -> int:
        text = self._markup.text
        while at < len(text) and text[at].isspace():
            at += 1
        return at

    def _last_visible(self, at: int) -> int:
        text = self._markup.text
        while at > 0 and text[at - 1].isspace():
            at -= 1
        return at
