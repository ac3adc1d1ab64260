"""The operator's block list: words and phrases that may not be part of any story. It knows no file that they came from."""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bot.errors import Refused
from bot.safety.concern import Concern, Reason, first_beyond
from bot.safety.fold import Folded, fold_letters

MOST_LINES = 5_000
LONGEST = 60
"""Characters of a line, so that what is held back of a reply stays bounded."""
MOST_STARS = 2
FEWEST_LETTERS = 2
WILD = 20
"""How many characters of a word a star stands for, at most."""
_GAP = 3
"""How many signs and spaces may stand between two words of a phrase."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_STARRED_WORD = re.compile(r"[^\W_*]*(?:\*[^\W_*]*)+|[^\W_]+(?:'[^\W_]+)*")

Word = str | re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Blocklist:
    """Phrases, each a tuple of words as they are folded; a star in a word stands for any letters."""

    phrases: tuple[tuple[str, ...], ...] = ()
    _by_first: Mapping[str, list[tuple[Word, ...]]] = field(init=False, repr=False, compare=False)
    _wild: tuple[tuple[Word, ...], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_first: defaultdict[str, list[tuple[Word, ...]]] = defaultdict(list)
        wild = []
        for phrase in self.phrases:
            words = tuple(_word(each) for each in phrase)
            if isinstance(words[0], str):
                by_first[words[0]].append(words)
            else:
                wild.append(words)
        object.__setattr__(self, "_by_first", dict(by_first))
        object.__setattr__(self, "_wild", tuple(wild))

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> "Blocklist":
        """A list of one word or phrase a line; empty lines and those that begin with `#` say nothing.

        Raises Refused, with a sentence that names the line, where one is too long, is all stars, or has too many of them.
        """
        phrases: dict[tuple[str, ...], None] = {}
        for number, line in enumerate(lines, 1):
            if number > MOST_LINES:
                raise Refused(f"The block list has more than {MOST_LINES} lines: shorten it.")
            if line.strip() and not line.lstrip().startswith("#"):
                phrases[_phrase(number, line.strip())] = None
        return cls(tuple(phrases))

    def find(self, text: str) -> Concern | None:
        """The first word or phrase of the list in the text, by whole words; None where there is none."""
        return first_beyond(self.blocked_in(text, is_whole=True), 0) if self.phrases else None

    def blocked_in(self, source: str, *, is_whole: bool) -> Iterator[Concern]:
        """Every place of the list in a text. Of one that still grows, what stands before its last word."""
        if not self.phrases:
            return
        folded = fold_letters(source)
        words = list(_WORD.finditer(folded.text))
        if words and not is_whole and words[-1].end() == len(folded.text):
            words.pop()
        for at, word in enumerate(words):
            for phrase in (*self._by_first.get(word.group(), ()), *self._wild):
                if _stands(phrase, words, at):
                    yield _concern(folded, word, words[at + len(phrase) - 1])


def _concern(folded: Folded, first: re.Match[str], last: re.Match[str]) -> Concern:
    return Concern(Reason.BLOCKED, *folded.source(first.start(), last.end()))


def _stands(phrase: tuple[Word, ...], words: list[re.Match[str]], at: int) -> bool:
    here = words[at : at + len(phrase)]
    if len(here) < len(phrase) or not all(map(_is, phrase, here)):
        return False
    return all(after.start() - before.end() <= _GAP for before, after in itertools.pairwise(here))


def _is(wanted: Word, word: re.Match[str]) -> bool:
    return word.group() == wanted if isinstance(wanted, str) else bool(wanted.fullmatch(word.group()))


def _word(word: str) -> Word:
    if "*" not in word:
        return word
    return re.compile(rf"[^\W_]{{0,{WILD}}}".join(map(re.escape, re.split(r"\*+", word))))


def _phrase(number: int, line: str) -> tuple[str, ...]:
    """The words of a line. Stars are kept apart from folding, which takes them for emphasis."""
    plain = "*".join(fold_letters(part).text for part in line.split("*"))
    words = tuple(_STARRED_WORD.findall(plain))
    if len(line) > LONGEST:
        raise Refused(f"Line {number} of the block list is longer than {LONGEST} characters: shorten it.")
    if plain.count("*") > MOST_STARS:
        raise Refused(f"Line {number} of the block list has more than {MOST_STARS} stars: write several lines.")
    if not words or any(len(word.replace("*", "")) < FEWEST_LETTERS for word in words if "*" in word):
        raise Refused(
            f"Line {number} of the block list would match nearly everything: give it at least two letters beside the star."
        )
    return words
