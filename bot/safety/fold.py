"""A text as the rules read it: one spelling for all that looks or means the same, with the way back to the source's offsets.

Letters become small plain Latin ones, invisible characters and emphasis go, runs of white space become one, numbers in
English words become figures ("fifteen" is 15, "twenty-first" is 21st), and figures that stand for letters become letters.
"""

import itertools
import re
from dataclasses import dataclass

from bot.safety.lookalikes import Alike
from bot.safety.vocabulary import DISGUISED

_ALIKE = Alike()
_TILDE = "\u0303"

_UNITS = {
    word: number for number, word in enumerate(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], 1)
}
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_SMALL = _UNITS | {word: number for number, word in enumerate(_TEENS.split(), 10)}
_TENS = {
    word: number
    for number, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
}
_ORDINALS = {
    word: number
    for number, word in enumerate(
        [
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
            "eleventh",
            "twelfth",
            "thirteenth",
            "fourteenth",
            "fifteenth",
            "sixteenth",
            "seventeenth",
            "eighteenth",
            "nineteenth",
        ],
        1,
    )
}
_UNIT, _TEN = "|".join(_UNITS), "|".join(_TENS)
_LONGEST_FIRST = "|".join(sorted((word for word in _SMALL if word != "one"), key=len, reverse=True))
_LARGE = rf"(?:(?:{_LONGEST_FIRST}|one|a|\d{{1,3}})[- ])?(?:hundred|thousand|million)s?\b"
# "one", "first", "second" and "third" mean too many other things to be figures everywhere.
_NUMBER = re.compile(
    rf"\b(?:(?P<large>{_LARGE}(?:(?:[- ]and)?[- ](?:(?:{_TEN})(?:[- ](?:{_UNIT}))?|{_LONGEST_FIRST}|one|\d{{1,3}}))?)"
    rf"|(?P<ten>{_TEN})(?:[- ]?(?:(?P<unit>{_UNIT})|(?P<unitth>{'|'.join(list(_ORDINALS)[:9])})))?"
    rf"|(?P<ordinal>{'|'.join(list(_ORDINALS)[3:])}|(?:first|second|third)(?=[ -](?:birthday|grade)))"
    rf"|(?P<small>{_LONGEST_FIRST}|one(?=[ -](?:year|month))))\b"
)
LARGE = "999"
"""What stands for a number of hundreds or more."""

_MIXED = re.compile(r"[a-z][0-9@$!]|[0-9@$][a-z]")
_MIXED_WORD = re.compile(r"(?<![a-z0-9@$!])[a-z0-9@$!]{3,18}(?![a-z0-9@$])")
_LEET = {"0": "o", "1": "il", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g", "@": "a", "$": "s", "!": "i"}
_MANY = 3
"""A letter more often than twice in a row is written twice."""


@dataclass(frozen=True, slots=True)
class Folded:
    """The text to read, for each of its characters the offset of what it came from in the source, and the source's length."""

    text: str
    places: list[int]
    length: int

    def source(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the source that this stretch came from, up to what is read next."""
        return self.places[start], self.places[end] if end < len(self.places) else self.length


def fold(source: str) -> Folded:
    """The text as the rules read it. Its cost grows with the text's length and no faster."""
    return _in_figures(_without_leet(_in_plain_letters(source)))


def fold_letters(source: str) -> Folded:
    """The same without any change to numbers: what a list of words is looked up in."""
    return _in_plain_letters(source)


def _in_plain_letters(source: str) -> Folded:
    letters: list[str] = []
    places: list[int] = []
    last = before = ""
    alike = _ALIKE
    for place, char in enumerate(source):
        for plain in alike[char] or (char if char == _TILDE and last == "n" else ""):
            if plain == _TILDE:
                letters[-1] = last = "ñ"
            elif plain == last == "|":  # two of them hide what stands between: they are no more than emphasis
                del letters[-1], places[-1]
                last = letters[-1] if letters else ""
            elif plain in " \n" and last in {" ", "\n"}:
                letters[-1] = last = "\n" if plain == "\n" else last
            elif not (plain == last == before and plain.isalpha()):
                letters.append(plain)
                places.append(place)
                before, last = last, plain
    return Folded("".join(letters), places, len(source))


def _without_leet(folded: Folded) -> Folded:
    """Words of the vocabulary written with figures or signs in place of letters, in letters; all others as they are."""
    if not _MIXED.search(folded.text):
        return folded
    return Folded(_MIXED_WORD.sub(lambda word: _deciphered(word.group()), folded.text), folded.places, folded.length)


def _deciphered(word: str) -> str:
    if word.isalpha() or word.isdigit() or sum(char in "1!" for char in word) > _MANY:
        return word
    core = word.rstrip("!")
    for letters in itertools.product(*(_LEET.get(char, char) for char in core)):
        spelled = "".join(letters)
        if spelled in DISGUISED:
            return spelled + word[len(core) :]
    return word


def _in_figures(folded: Folded) -> Folded:
    parts: list[str] = []
    places: list[int] = []
    done = 0
    for number in _NUMBER.finditer(folded.text):
        start, end = number.span()
        figures = _figures(number)
        parts += (folded.text[done:start], figures)
        places += folded.places[done:start]
        places += [folded.places[start]] * len(figures)
        done = end
    return Folded("".join(parts) + folded.text[done:], places + folded.places[done:], folded.length)


def _figures(number: re.Match[str]) -> str:
    if number["large"]:
        return LARGE
    if number["ten"]:
        ones, ordinal = number["unit"], number["unitth"]
        value = _TENS[number["ten"]] * 10 + (_UNITS[ones] if ones else _ORDINALS[ordinal] if ordinal else 0)
        return f"{value}{'th' if ordinal else ''}"
    if number["ordinal"]:
        return f"{_ORDINALS[number['ordinal']]}th"
    return str(_SMALL[number["small"]])
