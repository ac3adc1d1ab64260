"""The chunker: fed a text piece by piece, it gives the posts of it. It knows limits, no platform and no clock.

What holds, for every text and every way to feed it:

* The posts are the same as those of the whole text at once.
* `source[start:end]` is a post's text less what is `added` to it. Ranges are in order and do not overlap; between them,
  before the first and after the last stands only what shows nothing (`BLANKS`: white space, controls, zero-width spaces).
  In a code fence the indentation of a line stays with its post.
* No post is empty or blank, and none is longer than its limit, added marks included.
* A cut parts no grapheme cluster that is shorter than a post, and no link, code span or mark that is; one that is
  longer is cut where it must be (a cluster between code points), and code is closed and opened again.
* Marks that are open at a cut are closed and opened again. Where that would take more than half of a post (it never does
  with posts of 100 units or more) they are left as they are.
* The last two posts are about equally long, so a post leaves when more than two posts' length is known after the last cut.
"""

from dataclasses import dataclass, replace

from bot.chunking.borders import BLANKS, visible_length
from bot.chunking.cutting import Cutter, Piece
from bot.chunking.lengths import SHORTEST_POST, Ruler
from bot.chunking.markup import Carried
from bot.posts import ChannelLimits

_LONGEST_INDENT = 32
_BLANKS_KEPT = 64
_SPENT = 1 << 12


@dataclass(frozen=True, slots=True)
class Added:
    """A marker in a post's text that is not in the source, and where in the post's text it stands."""

    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """The text of one post; it shows `source[start:end]`."""

    text: str
    start: int
    end: int
    added: tuple[Added, ...]


class Chunker:
    """Cuts one text. Raises ValueError when posts of the place are shorter than SHORTEST_POST of its unit."""

    def __init__(self, limits: ChannelLimits) -> None:
        if limits.post_length < SHORTEST_POST:
            raise ValueError(f"posts of {limits.post_length} {limits.unit} are too short; {SHORTEST_POST} is the least")
        self._ruler = Ruler(limits.unit)
        self._cutter = Cutter(self._ruler, limits.post_length)
        self._longest_indent = min(_LONGEST_INDENT, limits.post_length // 8)
        self._ahead = 2 * limits.post_length
        self._fed: list[str] = []
        self._waiting = 0
        self._source = ""
        self._dropped = 0  # characters of the source before self._source
        self._at = 0  # where in self._source the next post begins, or blanks before it
        self._taken = 0
        self._after_cut = True
        self._carried = Carried()

    @property
    def taken(self) -> int:
        """How many characters of the source have left in posts: they cannot be taken back."""
        return self._taken

    def feed(self, text: str) -> tuple[Chunk, ...]:
        """More of the text; gives the posts that nothing after it can change."""
        self._fed.append(text)
        self._waiting += self._ruler.measure(text)
        if self._waiting <= self._ahead:
            return ()
        self._gather()
        chunks = []
        while self._skip_blanks():
            known = self._source[self._at : self._at + self._ahead + 1]
            window = known[: self._ruler.fitting(known, self._ahead) + 1]
            if self._ruler.measure(window) <= self._ahead:
                break
            chunks.append(self._emit(self._cutter.first(window, self._carried)))
        self._waiting = self._ruler.measure(self._source[self._at :])
        return tuple(chunks)

    def finish(self, at: int | None = None) -> tuple[Chunk, ...]:
        """The text ends, after `at` of all the characters that were fed if that is given; gives the last posts.

        A text that ends shortly after what was taken has a short last post. Raises ValueError when `at` is less than `taken`.
        """
        self._gather()
        if at is not None:
            if at < self._taken:
                raise ValueError(f"{self._taken} characters have left in posts; the text cannot end after {at}")
            self._source = self._source[: max(0, at - self._dropped)]
        chunks = []
        while self._skip_blanks():
            rest = self._source[self._at :]
            rest = rest[: visible_length(rest)]
            if not rest:  # the end was set back into blanks
                break
            chunks.append(self._emit(self._cutter.last(rest, self._carried)))
        return tuple(chunks)

    def _gather(self) -> None:
        # One character before the next post stays: whether a blank is part of a cluster depends on it.
        spent = self._at - 1 if self._at > _SPENT or self._at == len(self._source) else 0
        spent = max(spent, 0)
        self._source = self._source[spent:] + "".join(self._fed)
        self._dropped += spent
        self._at -= spent
        self._fed = []
        self._waiting = 0

    def _skip_blanks(self) -> bool:
        """Go to where the next post begins; False when that is not known yet, or there is no more text."""
        if not self._after_cut:
            return self._at < len(self._source)
        blank = BLANKS.match(self._source, self._at)
        end = blank.end() if blank else self._at
        lines = self._source.rfind("\n", self._at, end)
        if lines >= 0:
            self._carried = replace(self._carried, mid_line=False)
        if end >= len(self._source):
            self._at = max(self._at, end - _BLANKS_KEPT)
            return False
        self._at = lines + 1 if self._carried.fence and lines >= 0 and end - lines <= self._longest_indent else end
        self._after_cut = False
        if not self._carried.mid_line:
            lasting = self._carried.quote if self._carried.quote == ">>> " else ""
            self._carried = replace(self._carried, quote=lasting, speaking=False)
        return True

    def _emit(self, piece: Piece) -> Chunk:
        start = self._dropped + self._at
        self._at += len(piece.source)
        self._taken = start + len(piece.source)
        self._after_cut = True
        self._carried = replace(piece.carried, mid_line=True)
        text, added = "", []
        at = 0
        for offset, mark in piece.added:
            text += piece.source[at:offset]
            added.append(Added(len(text), mark))
            text += mark
            at = offset
        return Chunk(text + piece.source[at:], start, self._taken, tuple(added))


def cut(text: str, limits: ChannelLimits) -> tuple[Chunk, ...]:
    """The posts of a whole text."""
    chunker = Chunker(limits)
    return chunker.feed(text) + chunker.finish()
