"""Sentence and grapheme borders of prose, by living libraries. It knows no markup language, no post and no prompt."""

from collections.abc import Callable

import sentencex  # type: ignore[import-untyped]  # the library ships no types
from regex import VERSION1
from regex import compile as pattern

LANGUAGE = "en"
STRETCH = 4096
"""Characters handed to the segmenter at once: its cost grows faster than the text when quotes stay open."""

# The segmenter looks one byte behind a space and panics where that space is longer than a byte (U+2028, say); controls
# and lone surrogates mean nothing to it. All of them become plain spaces, one for one, so that offsets stay.
_ODD = pattern(r"[\p{Cc}\p{Cs}\p{Z}--[\n\ ]]", VERSION1)
_QUOTES = str.maketrans(dict.fromkeys('"“”„«»\u2018', " "))  # not U+2019, which is an apostrophe more often than a quote
_PARAGRAPH = pattern(r"\n[^\S\n]*+\n\s*+")
_CLOSERS = pattern(r"""[*_~|`"”\u2019'»)\]]*+""")
_OPENERS = frozenset('"“\u2018«„([')
_BROKEN_OFF_IN_SPEECH = pattern(r"""[—\u2013-]["”\u2019'»][*_~|)\]]*+\Z""")
_NAME = " Harrow"
_SPACE = pattern(r"\s*+")
_CLUSTER = pattern(r"\X")


def sentence_ends(text: str) -> tuple[int, ...]:
    """Offsets just after each sentence, its closing quotes and marks included and the white space after it not.

    Speech within a sentence belongs to it: there is no end inside closed quotes. A paragraph's end ends a sentence, and so
    does the text's, finished or not. An ellipsis or an abbreviation before a small letter does not.
    """
    return tuple(_ends(text, text))


def spoken_sentence_ends(text: str) -> tuple[int, ...]:
    """The same, also inside quotes: what a long speech can be cut at."""
    return tuple(_ends(text, text.translate(_QUOTES)))


def last_whole_sentence(text: str) -> int:
    """The offset just after the last sentence that is finished, closing quotes and marks included; 0 when there is none.

    Speech that breaks off with a dash and a closing quote is finished. So is a paragraph that another one follows.
    """
    end = len(text.rstrip())
    before, start = 0, 0
    for gap in _PARAGRAPH.finditer(text, 0, end):
        before, start = gap.span()
    paragraph = text[start:end]
    if _BROKEN_OFF_IN_SPEECH.search(paragraph):
        return end
    # With a name after it, "Mr." is seen to be no end.
    whole = [offset for offset in sentence_ends(paragraph + _NAME) if offset <= len(paragraph)]
    return start + whole[-1] if whole else before


def grapheme_borders(text: str, upto: int) -> list[int]:
    """The offsets after each grapheme cluster that ends at `upto` or before; the last is the largest border there."""
    borders = []
    for cluster in _CLUSTER.finditer(text):
        if cluster.end() > upto:
            break
        borders.append(cluster.end())
    return borders


def is_grapheme_border(text: str, at: int) -> bool:
    """Whether a cut at `at`, after a letter, punctuation or a space, parts no grapheme cluster."""
    cluster = _CLUSTER.match(text, at - 1) if at else None
    return cluster is None or cluster.end() == at


def _ends(text: str, seen: str) -> list[int]:
    plain = _ODD.sub(" ", seen).replace("…", ".")
    ends: list[int] = []
    start = 0
    for gap in _PARAGRAPH.finditer(plain):
        ends += _stretch_ends(text, plain, start, gap.start())
        start = gap.end()
    return ends + _stretch_ends(text, plain, start, len(plain))


def _stretch_ends(text: str, plain: str, start: int, stop: int) -> list[int]:
    ends: list[int] = []
    while stop - start > STRETCH:
        found = _paragraph_ends(text, plain, start, start + STRETCH)
        ends += found[:-1]  # the last one is only where the stretch ends
        start = found[-2] if len(found) > 1 else start + STRETCH
    return ends + _paragraph_ends(text, plain, start, stop)


def _paragraph_ends(text: str, plain: str, start: int, stop: int) -> list[int]:
    stop = start + len(text[start:stop].rstrip())
    if stop == start:
        return []
    ends: list[int] = []
    for border in sentencex.get_sentence_boundaries(LANGUAGE, plain[start:stop]):
        end = _after_closers(text, plain, start + border["end_index"])
        if end is not None and start < end < stop and (not ends or end > ends[-1]):
            ends.append(end)
    return [*ends, stop]


def _after_closers(text: str, plain: str, border: int) -> int | None:
    """Where the sentence that the segmenter ended at `border` ends for a reader; None when it does not end there."""
    end = _before_opening(plain, _before(plain, border, str.isspace))
    marks = _CLOSERS.match(text, end)
    if marks and marks.end() > end:
        end = marks.end()
        if end < len(plain) and not plain[end].isspace():
            return None
    following = _SPACE.match(plain, end)
    return None if following and plain[following.end() : following.end() + 1].islower() else end


def _before_opening(plain: str, end: int) -> int:
    """Where a sentence ends whose border the segmenter put behind the quote that opens the next one, as in `said. "|No."`."""
    quote = _before(plain, end, _OPENERS.__contains__)
    opens = quote < end < len(plain) and not plain[end].isspace() and plain[quote - 1 : quote].isspace()
    return _before(plain, quote, str.isspace) if opens else end


def _before(plain: str, end: int, passed: Callable[[str], bool]) -> int:
    """The offset before a run of such characters that ends at `end`. It copies no text: there may be a megabyte of it."""
    while end and passed(plain[end - 1]):
        end -= 1
    return end
