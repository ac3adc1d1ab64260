"""Choosing a cut among the borders of a stretch of text. It knows what is open before it, and nothing of how texts come."""

from dataclasses import dataclass
from types import MappingProxyType

from bot.chunking.borders import BLANKS, Border, Level, find_borders, visible_length
from bot.chunking.lengths import Ruler
from bot.chunking.markup import Carried, Markup, read
from bot.sentences import grapheme_borders

FLOORS = MappingProxyType(
    {
        Level.PARAGRAPH: 0.4,
        Level.LINE: 0.5,
        Level.SENTENCE: 0.6,
        Level.SPOKEN_SENTENCE: 0.6,
        Level.CLAUSE: 0.7,
        Level.SPOKEN_CLAUSE: 0.7,
        Level.WORD: 0.5,
    }
)
"""How full a post must be, as a share of its limit, for a border of this level to end it. Tried in this order."""

BALANCE = MappingProxyType(
    {
        Level.PARAGRAPH: 0.2,
        Level.LINE: 0.2,
        Level.SENTENCE: 0.15,
        Level.SPOKEN_SENTENCE: 0.12,
        Level.CLAUSE: 0.1,
        Level.SPOKEN_CLAUSE: 0.1,
        Level.WORD: 0.08,
    }
)
"""How far from the middle of the last two posts, as a share of both, a border of this level may part them."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one post shows: the text, marks to add (where in the text, and which), and what is open after it."""

    source: str
    added: tuple[tuple[int, str], ...]
    carried: Carried


class Cutter:
    """Cuts the first post, or the last two, off a text that does not begin or end with a blank."""

    def __init__(self, ruler: Ruler, limit: int) -> None:
        self._ruler = ruler
        self._limit = limit

    def first(self, text: str, carried: Carried) -> Piece:
        """The first post of a text that goes on for more than two posts."""
        return self._first(text, self._read(text, carried, goes_on=True), ends=False)

    def last(self, text: str, carried: Carried) -> Piece:
        """The next post of a text whose end is known: all of it, its half, or a full post if halves are too long."""
        markup = self._read(text, carried, goes_on=False)
        if self._fits(markup, len(text)):
            return self._piece(markup, len(text))
        if not self._may_mark(markup, len(text)) and self._ruler.measure(text) <= self._limit:
            return Piece(text, (), markup.carried_over(len(text)))
        middle = self._balanced(text, markup)
        return self._piece(markup, middle.at) if middle else self._first(text, markup, ends=True)

    def _read(self, text: str, carried: Carried, *, goes_on: bool) -> Markup:
        def too_long(stretch: str, marks: int) -> bool:
            return self._ruler.measure(stretch) + marks > self._limit

        return read(text, carried, goes_on=goes_on, too_long=too_long)

    def _first(self, text: str, markup: Markup, *, ends: bool) -> Piece:
        furthest = self._ruler.fitting(text, self._limit - self._ruler.measure(_opening(markup)))
        borders = find_borders(text, markup, furthest)
        at = self._fullest(text, markup, borders) or self._before_something_whole(text, markup, borders)
        if not at:
            half = self._ruler.fitting(text, (self._ruler.measure(text) + 1) // 2)
            at = self._at_grapheme(text, markup, min(half, furthest) if ends else furthest)
        return self._piece(markup, at) if at else self._unmarked(text, markup)

    def _fullest(self, text: str, markup: Markup, borders: list[Border]) -> int:
        for level, floor in FLOORS.items():
            least = self._ruler.fitting(text, int(floor * self._limit))
            for border in reversed(borders):
                if border.at < least:
                    break
                if border.level >= level and self._fits(markup, border.at):
                    return border.at
        return 0

    def _before_something_whole(self, text: str, markup: Markup, borders: list[Border]) -> int:
        """The last border, however early, if what follows it would be parted by a fuller post and fits in the next."""
        last = next((border for border in reversed(borders) if self._fits(markup, border.at)), None)
        if not last:
            return 0
        later = (border.at for border in find_borders(text, markup, len(text)) if border.at > last.next)
        following = text[last.next : next(later, len(text))]
        return last.at if self._ruler.measure(following) <= self._limit else 0

    def _at_grapheme(self, text: str, markup: Markup, furthest: int) -> int:
        for at in reversed(grapheme_borders(text, furthest)):
            if not markup.parts(at) and not BLANKS.match(text, at - 1) and self._fits(markup, at):
                return at
        return 0

    def _unmarked(self, text: str, markup: Markup) -> Piece:
        """A post cut without regard to marks, because they leave no other way; within a cluster if that is too long."""
        furthest = self._ruler.fitting(text, self._limit)
        words = [found.start() for found in BLANKS.finditer(text, furthest // 2, furthest + 1)]
        at = words[-1] if words else (grapheme_borders(text, furthest) or [furthest])[-1]
        at = visible_length(text[:at]) or furthest
        return Piece(text[:at], (), markup.carried_over(at))

    def _balanced(self, text: str, markup: Markup) -> Border | None:
        """The best border near the middle that leaves two posts; None when there is none."""
        total = self._ruler.measure(text)
        earliest = self._ruler.fitting(text, total - self._limit)
        furthest = self._ruler.fitting(text, self._limit)
        middle = self._ruler.fitting(text, total // 2)
        borders = [border for border in find_borders(text, markup, furthest) if border.next >= earliest]
        borders.sort(key=lambda border: abs(border.at - middle))
        for level, share in (*BALANCE.items(), (Level.WORD, 1.0)):
            for border in borders:
                if abs(border.at - middle) > share * len(text):
                    break
                if border.level >= level and self._leaves_two(text, markup, border):
                    return border
        return None

    def _leaves_two(self, text: str, markup: Markup, border: Border) -> bool:
        carried = markup.carried_over(border.at)
        marks = carried.quote + "".join(carried.marks)
        if carried.fence:
            marks += carried.fence.opening + carried.fence.closing
        rest = self._ruler.measure(text[border.next :]) + self._ruler.measure(marks)
        return rest <= self._limit and self._fits(markup, border.at)

    def _fits(self, markup: Markup, at: int) -> bool:
        """Whether the text up to here is a post, with the marks that must be added."""
        added = self._ruler.measure(_opening(markup) + markup.closing(at))
        return self._may_mark(markup, at) and added + self._ruler.measure(markup.text[:at]) <= self._limit

    def _may_mark(self, markup: Markup, at: int) -> bool:
        """Whether the marks that must be added leave half of the post to the text."""
        return 2 * self._ruler.measure(_opening(markup) + markup.closing(at)) <= self._limit

    def _piece(self, markup: Markup, at: int) -> Piece:
        closing = markup.closing(at)
        added = (*markup.opening(), *(((at, closing),) if closing else ()))
        return Piece(markup.text[:at], added, markup.carried_over(at))


def _opening(markup: Markup) -> str:
    return "".join(mark for _, mark in markup.opening())
