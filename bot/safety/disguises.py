"""Words for ages and minors that are spelled out or broken up so as not to be seen."""

import re
from collections.abc import Iterator

from bot.safety.vocabulary import DISGUISED, SPELLED

_SPELLED = re.compile(r"(?<![a-z0-9'])[a-z](?:[ .\-/|+]{1,2}[a-z0-9]){3,30}(?![a-z0-9'])")
_BROKEN = re.compile(r"(?<![a-z0-9])[a-z]{1,9}(?:[.\-/+|][a-z]{1,9}){1,3}(?![a-z0-9])")
_SPACED = re.compile(
    r"\b(?:thir|fif|eigh|four|six|seven|nine|(?:four|six|seven|nine|4|6|7|9))[ .\-]teens?\b|\btoddl er\b"
    r"|\bchi ld(?:ren)?\b|\blo li\b"
)
_SIGNS = re.compile(r"[^a-z0-9]")
_LONGEST = max(map(len, SPELLED))


def disguised(text: str, known: int) -> Iterator[tuple[int, int]]:
    """Where folded text up to an offset has a word of the vocabulary spelled letter by letter, or broken by signs."""
    for pattern, is_word in ((_SPACED, _always), (_SPELLED, _holds_a_word), (_BROKEN, DISGUISED.__contains__)):
        for found in pattern.finditer(text):
            if found.end() <= known and is_word(_SIGNS.sub("", found.group())):
                yield found.span()


def _always(_: str) -> bool:
    return True


def _holds_a_word(letters: str) -> bool:
    return any(letters[at : at + length] in SPELLED for at in range(len(letters)) for length in range(4, _LONGEST + 1))
