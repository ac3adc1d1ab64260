"""The keys of lorebooks, and looking for them in texts. It knows no entry, no budget and no place in the prompt.

Rule 1: a key that is one word of letters and digits has to stand as a whole word. Any other (several words, punctuation, a
script that does not part words by spaces) may stand anywhere. So it is in SillyTavern with "match whole words",
and what is found there is found here. A white space stands for any other.
Rule 2: a key written `/pattern/flags` is a regular expression, with JavaScript's flags. Where the entry says that its keys are
patterns, so is every key that holds a pattern's signs; SillyTavern says that of all it exports, plain keys too.
Rule 3: patterns come from strangers. A long or a bad one is found nowhere; reading and looking for them takes a bounded time.
"""

import re
import time
import unicodedata
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import regex

LONGEST_PATTERN = 500
"""In characters, each counted as often as the pattern's counts repeat it: the library spells repeated words out."""
LONGEST_PATTERNS = 100_000
"""Those of all patterns of a book together; the rest are found nowhere."""
DEEPEST_PATTERN = 6
"""Parentheses within parentheses: the library's work doubles with each."""
PATTERN_SECONDS = 0.02
ALL_PATTERNS_SECONDS = 0.25
"""Processor time, so that what is found does not hang on how busy the machine is."""

_SLASHED = re.compile(r"/(.+)/([dgimsuvy]*)", re.DOTALL)
_COUNT = re.compile(r"\{([0-9]+)")
_PARENTHESIS = re.compile(r"\\.|[()]", re.DOTALL)
_SIGNS = re.compile(r"[\\^$.|?*+()\[\]{}]")
_FLAGS = {"i": regex.IGNORECASE, "m": regex.MULTILINE, "s": regex.DOTALL}
_CHARACTER = re.compile(r"\{\{char\}\}", re.IGNORECASE)
_PLAYER = re.compile(r"\{\{user\}\}", re.IGNORECASE)
# Letters and digits but for the scripts from Thai to Myanmar, Khmer, Hangul, kana and Han, where words are not parted by
# spaces, or particles are joined to them.
_WORD = re.compile(
    "[^\\W_\u0e00-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\uff66-\uffdc\U00020000-\U0003ffff]+"
)
_LONG_PIECE, _SHORT_PIECE, _MOST_PIECES = 6, 2, 16


@dataclass(frozen=True, slots=True)
class Names:
    """What `{{char}}` and `{{user}}` stand for in keys: any one of the names. A key that stands for nobody is found nowhere."""

    characters: tuple[str, ...] = ()
    players: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """What is looked for: a whole word, a stretch of text, or a pattern. `is_cased` says that capitals matter.

    `pieces` are stretches, of `length`, of a text that may stand anywhere: where one of them is missing, so is the key.
    """

    text: str
    is_cased: bool = False
    is_word: bool = False
    pieces: frozenset[str] = frozenset()
    length: int = 0
    pattern: regex.Pattern[str] | None = None


class KeyReader:
    """Reads the keys of one book."""

    def __init__(self, names: Names) -> None:
        """`names` are those of the session's people."""
        self._names = names
        self._left = LONGEST_PATTERNS

    def read(self, texts: Iterable[str], *, use_regex: bool = False, is_cased: bool = False) -> tuple[Key, ...]:
        """The keys of an entry, ready to be looked for; those that can be found nowhere are left out."""
        found: list[Key | None] = []
        for text in map(str.strip, texts):
            slashed = _SLASHED.fullmatch(text)
            if slashed:
                found.extend(self._pattern(each, slashed[2]) for each in self._named(slashed[1], regex.escape))
            elif use_regex and _SIGNS.search(_PLAYER.sub("", _CHARACTER.sub("", text))):
                found.extend(self._pattern(each, "" if is_cased else "i") for each in self._named(text, regex.escape))
            else:
                found.extend(_plain(each, is_cased=is_cased) for each in self._named(text, str))
        return tuple(key for key in found if key)

    def _named(self, text: str, spelled: Callable[[str], str]) -> list[str]:
        found = [text]
        for macro, people in ((_CHARACTER, self._names.characters), (_PLAYER, self._names.players)):
            if macro.search(text):
                found = [spelled(person).join(macro.split(each)) for each in found for person in people if person.strip()]
        return found

    def _pattern(self, text: str, flags: str) -> Key | None:
        length = _spelled_out(text)
        if length > min(LONGEST_PATTERN, self._left) or _nesting(text) > DEEPEST_PATTERN:
            return None
        self._left -= length
        chosen = regex.VERSION0
        for flag in flags:
            chosen |= _FLAGS.get(flag, regex.VERSION0)
        try:
            return Key(text, pattern=regex.compile(text, chosen, cache_pattern=False))
        except (regex.error, ValueError, LookupError, ArithmeticError, RecursionError, MemoryError):
            return None


class Allowance:
    """The processor time that strangers' patterns may still take."""

    def __init__(self, seconds: float = ALL_PATTERNS_SECONDS, ticks: Callable[[], float] = time.process_time) -> None:
        """`ticks` tells the processor time in seconds."""
        self._left = seconds
        self._ticks = ticks

    def find(self, pattern: regex.Pattern[str], text: str) -> int | None:
        """Where the pattern is found in the text for the first time, within what time is left."""
        if self._left <= 0:
            return None
        started = self._ticks()
        try:
            found = pattern.search(text, timeout=min(PATTERN_SECONDS, self._left))
        except (TimeoutError, MemoryError):
            return None
        finally:
            self._left -= self._ticks() - started
        return found.start() if found else None


class Texts:
    """Texts that keys are looked for in, the newest first: the newest is of age 0."""

    def __init__(self, texts: Sequence[str], allowance: Allowance) -> None:
        """`allowance` is what patterns may take, here and elsewhere."""
        self._texts = [unicodedata.normalize("NFC", text) for text in texts]
        self._allowance = allowance
        self._joined: dict[int, str] = {}
        self._looked: dict[tuple[Key, int], int] = {}

    def __len__(self) -> int:
        return len(self._texts)

    def beside(self, texts: Sequence[str]) -> "Texts":
        """Other texts, under the same allowance."""
        return Texts(texts, self._allowance)

    def oldest(self, keys: Iterable[Key], depth: int) -> int | None:
        """The age of the oldest of the newest `depth` texts that holds one of the keys; None where none does."""
        found = -1
        for key in keys:
            if key.pattern is not None:
                found = max(found, self._match(key, key.pattern, min(depth, len(self._texts))))
                continue
            spelled = self._as_written if key.is_cased else self._without_case
            if spelled.may_hold(key):
                found = max(found, spelled.oldest(key, depth))
        return None if found < 0 else found

    @cached_property
    def _as_written(self) -> "_Spelled":
        return _Spelled(self._texts)

    @cached_property
    def _without_case(self) -> "_Spelled":
        return _Spelled([text.casefold() for text in self._texts])

    def _match(self, key: Key, pattern: regex.Pattern[str], depth: int) -> int:
        """All these texts are looked through as one, as patterns may look for what stands at its beginning or end."""
        if depth not in self._joined:
            self._joined[depth] = "\n".join(reversed(self._texts[:depth]))
        asked = (key, depth)
        if asked not in self._looked:
            place = self._allowance.find(pattern, self._joined[depth]) if depth else None
            self._looked[asked] = -1 if place is None else self._age_of(place, depth)
        return self._looked[asked]

    def _age_of(self, place: int, depth: int) -> int:
        end = -1
        for age in range(depth - 1, 0, -1):
            end += len(self._texts[age]) + 1
            if place <= end:
                return age
        return 0


class _Spelled:
    """Texts in one spelling, with what makes looking for many keys quick."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = [" ".join(text.split()) for text in texts]
        self._pieces: dict[int, set[str]] = {}

    def may_hold(self, key: Key) -> bool:
        """False only where none of the texts holds the key; the rest is for `oldest` to say."""
        return key.text in self._all_words if key.is_word else key.pieces <= self._pieces_of(key.length)

    def oldest(self, key: Key, depth: int) -> int:
        """The age of the oldest of these texts that holds the key; -1 where none does."""
        texts: Sequence[Container[str]] = self._words if key.is_word else self._texts
        return next((age for age in range(min(depth, len(texts)) - 1, -1, -1) if key.text in texts[age]), -1)

    @cached_property
    def _words(self) -> list[set[str]]:
        return [set(_WORD.findall(text)) for text in self._texts]

    @cached_property
    def _all_words(self) -> set[str]:
        return set().union(*self._words)

    def _pieces_of(self, length: int) -> set[str]:
        if length not in self._pieces:
            text = "\n".join(self._texts)
            self._pieces[length] = (
                {text[start : start + length] for start in range(len(text) - length + 1)} if length else set()
            )
        return self._pieces[length]


def _plain(text: str, *, is_cased: bool) -> Key | None:
    composed = " ".join(unicodedata.normalize("NFC", text).split())
    spelled = composed if is_cased else composed.casefold()
    if not spelled:
        return None
    if _WORD.fullmatch(spelled):
        return Key(spelled, is_cased, is_word=True)
    length = _LONG_PIECE if len(spelled) >= _LONG_PIECE else _SHORT_PIECE if len(spelled) >= _SHORT_PIECE else 0
    last = len(spelled) - length
    starts = range(0, last + 1, 1 + last // _MOST_PIECES) if length else ()
    pieces = (spelled[start : start + length] for start in starts)
    return Key(spelled, is_cased, pieces=frozenset(pieces), length=length)


def _nesting(pattern: str) -> int:
    opened = accumulate(1 if mark == "(" else -1 for mark in _PARENTHESIS.findall(pattern) if mark in {"(", ")"})
    return max(opened, default=0)


def _spelled_out(pattern: str) -> int:
    length = len(pattern)
    for count in _COUNT.findall(pattern):
        length = min(length, LONGEST_PATTERN + 1) * max(1, int(count[:9]))
    return length
