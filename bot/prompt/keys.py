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
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import regex

LONGEST_PATTERN = 500
"""In characters, each counted as often as the pattern's counts repeat it: the library spells repeated words out."""
LONGEST_PATTERNS = 200_000
"""Those of all patterns of a book together; the rest are found nowhere."""
DEEPEST_PATTERN = 8
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
_LONG_PIECE, _SHORT_PIECE = 4, 2


@dataclass(frozen=True, slots=True)
class Names:
    """What `{{char}}` and `{{user}}` stand for in keys: any one of the names. A key that stands for nobody is found nowhere."""

    characters: tuple[str, ...] = ()
    players: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """What is looked for: a whole word, a stretch of text, or a pattern. `is_cased` says that capitals matter.

    `pieces` are short stretches of a text that may stand anywhere, all of one length: where one is missing, so is the key.
    """

    text: str
    is_cased: bool = False
    is_word: bool = False
    pieces: frozenset[str] = frozenset()
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

    def finds(self, pattern: regex.Pattern[str], text: str) -> bool:
        """Whether the pattern is found in the text, within what time is left."""
        if self._left <= 0:
            return False
        started = self._ticks()
        try:
            return pattern.search(text, timeout=min(PATTERN_SECONDS, self._left)) is not None
        except (TimeoutError, MemoryError):
            return False
        finally:
            self._left -= self._ticks() - started


class Texts:
    """Texts that keys are looked for in, the newest first; depths count from there."""

    def __init__(self, texts: Sequence[str], allowance: Allowance) -> None:
        """`allowance` is what patterns may take, here and elsewhere."""
        self._texts = [unicodedata.normalize("NFC", text) for text in texts]
        self._allowance = allowance
        self._joined: dict[int, str] = {}
        self._looked: dict[tuple[Key, int], bool] = {}

    def __len__(self) -> int:
        return len(self._texts)

    def hold(self, key: Key, depth: int) -> bool:
        """Whether one of the newest `depth` texts holds the key."""
        if key.pattern is not None:
            return self._match(key, key.pattern, min(depth, len(self._texts)))
        return (self._as_written if key.is_cased else self._without_case).hold(key, depth)

    def hold_any(self, keys: Iterable[Key], depth: int) -> bool:
        """Whether one of the newest `depth` texts holds one of the keys."""
        return any(self.hold(key, depth) for key in keys)

    @cached_property
    def _as_written(self) -> "_Spelled":
        return _Spelled(self._texts)

    @cached_property
    def _without_case(self) -> "_Spelled":
        return _Spelled([text.casefold() for text in self._texts])

    def _match(self, key: Key, pattern: regex.Pattern[str], depth: int) -> bool:
        if depth not in self._joined:
            self._joined[depth] = "\n".join(reversed(self._texts[:depth]))
        asked = (key, depth)
        if asked not in self._looked:
            self._looked[asked] = depth > 0 and self._allowance.finds(pattern, self._joined[depth])
        return self._looked[asked]


class _Spelled:
    """Texts in one spelling, with what makes looking for many keys quick."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = [" ".join(text.split()) for text in texts]
        self._pieces: dict[int, frozenset[str]] = {}

    def hold(self, key: Key, depth: int) -> bool:
        if key.is_word:
            return self._ages.get(key.text, depth) < depth
        if not self._pieces_like(key.pieces) >= key.pieces:
            return False
        return any(key.text in text for text in self._texts[:depth])

    @cached_property
    def _ages(self) -> dict[str, int]:
        """How far from the newest text each word stands for the first time."""
        ages: dict[str, int] = {}
        for age, text in enumerate(self._texts):
            for word in _WORD.findall(text):
                ages.setdefault(word, age)
        return ages

    def _pieces_like(self, pieces: frozenset[str]) -> frozenset[str]:
        length = len(next(iter(pieces), ""))
        if length not in self._pieces:
            self._pieces[length] = frozenset(_cut(self._texts, length))
        return self._pieces[length]


def _cut(texts: Iterable[str], length: int) -> Iterator[str]:
    if length:
        for text in texts:
            yield from (text[start : start + length] for start in range(len(text) - length + 1))


def _plain(text: str, *, is_cased: bool) -> Key | None:
    composed = " ".join(unicodedata.normalize("NFC", text).split())
    spelled = composed if is_cased else composed.casefold()
    if not spelled:
        return None
    if _WORD.fullmatch(spelled):
        return Key(spelled, is_cased, is_word=True)
    length = _LONG_PIECE if len(spelled) >= _LONG_PIECE else _SHORT_PIECE if len(spelled) >= _SHORT_PIECE else 0
    last = len(spelled) - length
    pieces = (spelled[start : start + length] for start in (0, last // 2, last)) if length else ()
    return Key(spelled, is_cased, pieces=frozenset(pieces))


def _nesting(pattern: str) -> int:
    opened = accumulate(1 if mark == "(" else -1 for mark in _PARENTHESIS.findall(pattern) if mark in {"(", ")"})
    return max(opened, default=0)


def _spelled_out(pattern: str) -> int:
    length = len(pattern)
    for count in _COUNT.findall(pattern):
        length = min(length, LONGEST_PATTERN + 1) * max(1, int(count[:9]))
    return length
