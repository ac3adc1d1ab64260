"""Where a text can be cut, and how good a place each is. It knows nothing of lengths."""

from dataclasses import dataclass
from enum import IntEnum

from regex import DOTALL
from regex import compile as pattern

from bot.chunking.markup import Markup
from bot.sentences import is_grapheme_border, sentence_ends, spoken_sentence_ends

_BLANK = r"""(?:[\s\p{Cc}\u200b\u2060\ufeff](?<!\p{GCB=Prepend}.)(?![\p{GCB=Extend}\p{GCB=SpacingMark}\u200d]))++"""
BLANKS = pattern(_BLANK, DOTALL)
"""A run of what shows nothing: white space, controls, zero-width spaces; never part of a cluster with what does show."""

_CLAUSE = pattern(r"""(?:[,;:—\u2013][*_~|"”\u2019'»)\]]*+|[”»][*_~|]*+)(?=\s)|[—\u2013、\uff0c\uff1b\uff1a](?=\w)""")
_SPEECH = pattern(r"""“[^“”\n]*+”|"[^"\n]*+"|\A[^“”\n]*+”""")
_LOOKS_LIKE_A_MARK = pattern(r"(?:[-*+]|\d{1,9}[.)]|-?#{1,6}|>{1,3})(?=\s|\Z)|[`~]{3}")
_MAY_LOOK_LIKE_A_MARK = frozenset("-*+#>`~0123456789")


class Level(IntEnum):
    """What a border parts, the better the higher."""

    WORD = 1
    SPOKEN_CLAUSE = 2
    CLAUSE = 3
    SPOKEN_SENTENCE = 4
    SENTENCE = 5
    LINE = 6
    PARAGRAPH = 7


@dataclass(frozen=True, slots=True)
class Border:
    """A place to cut: what shows ends at `at`, what shows next begins at `next`; between them is blank."""

    at: int
    next: int
    level: Level


def find_borders(text: str, markup: Markup, upto: int) -> list[Border]:
    """The borders of a text after its beginning, before its end and not after `upto`, in order. None parts a mark."""
    clauses = _clause_ends(text, markup, upto)
    found: dict[int, Border] = {}
    indent = BLANKS.match(text)
    for blank in BLANKS.finditer(text, indent.end() if indent else 0):
        at, following = blank.span()
        if at > upto or following == len(text):
            break
        if not markup.parts(at):
            border = _at_blank(text, at, following, markup, clauses)
            if border:
                found[at] = border
    _raise_sentences(found, text, markup, upto)
    _add_unspaced(found, text, markup, clauses, upto)
    return sorted(found.values(), key=lambda border: border.at)


def visible_length(text: str) -> int:
    """The length of a text without the blanks at its end."""
    end = len(text)
    while end and BLANKS.match(text, end - 1):
        end -= 1
    return end


def _at_blank(text: str, at: int, following: int, markup: Markup, clauses: dict[int, Level]) -> Border | None:
    lines = text.count("\n", at, following)
    if markup.fences and markup.fence_at(at):
        return Border(at, following, Level.LINE if lines else Level.WORD)
    if lines:
        return Border(at, following, Level.PARAGRAPH if lines > 1 else Level.LINE)
    # In the middle of a line "- " is a dash and "1. " a number; at the beginning of a post they would make a list.
    if text[following] in _MAY_LOOK_LIKE_A_MARK and _LOOKS_LIKE_A_MARK.match(text, following):
        return None
    return Border(at, following, clauses.get(at, Level.WORD))


def _clause_ends(text: str, markup: Markup, upto: int) -> dict[int, Level]:
    """Ends of clauses, told apart by whether they stand in speech."""
    lead = '"' if markup.carried.speaking else ""
    spoken = bytearray(len(text) + 2)
    for speech in _SPEECH.finditer(lead + text):
        start, end = speech.start() + 1 - len(lead), speech.end() - len(lead)
        spoken[max(start, 0) : end] = b"\1" * (end - max(start, 0))
    ends = (clause.end() for clause in _CLAUSE.finditer(text, 0, min(len(text), upto + 1)))
    return {end: Level.SPOKEN_CLAUSE if spoken[end] else Level.CLAUSE for end in ends}


def _raise_sentences(found: dict[int, Border], text: str, markup: Markup, upto: int) -> None:
    # Seen with the quote that is still open, so that the next straight quote closes it and opens none.
    lead = '"' if markup.carried.speaking else ""
    seen = lead + text[: upto + 200]
    for ends, level in ((sentence_ends(seen), Level.SENTENCE), (spoken_sentence_ends(seen), Level.SPOKEN_SENTENCE)):
        for end in ends[:-1]:
            at = end - len(lead)
            border = found.get(at)
            if border and border.level < level and not (markup.fences and markup.fence_at(at)):
                found[at] = Border(at, border.next, level)
            elif not border and 0 < at <= upto and _is_free(text, at, markup):
                found[at] = Border(at, at, level)


def _add_unspaced(found: dict[int, Border], text: str, markup: Markup, clauses: dict[int, Level], upto: int) -> None:
    """Clauses that no space follows: a dash between words, or a script that has none."""
    for at, level in clauses.items():
        if at not in found and at <= upto and _is_free(text, at, markup):
            found[at] = Border(at, at, level)


def _is_free(text: str, at: int, markup: Markup) -> bool:
    """Whether a cut may stand between two characters that both show."""
    if at >= len(text) or markup.parts(at) or not is_grapheme_border(text, at) or markup.fence_at(at):
        return False
    return not BLANKS.match(text, at) and not BLANKS.match(text, at - 1) and not _LOOKS_LIKE_A_MARK.match(text, at)
