"""One rule: what it looks for, and what excuses it. It knows no age and no word.

Patterns are written for folded text (`bot.safety.fold`) with these signs: `_` is one white space (`[-_]` that or a
hyphen), `<age>` a number of years below eighteen, `<end>` says that no noun follows which the number could count, `<w>` is
any word. Every part of them is bounded, so that no match is longer than MATCH and no text costs more than its length.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.safety.concern import Reason
from bot.safety.fold import Folded
from bot.safety.vocabulary import INTIMATE

MATCH = 160
"""No match of a rule is longer, in characters of folded text."""

AROUND = 80
"""How far before and after a match an excuse is looked for."""

INTIMATE_AROUND = 120
"""How far before and after a match intimacy takes the excuse away that it is a memory."""

_FOLLOWERS = (
    "and but or when now at this today tomorrow next in going so if although though because since while as even only tops max"
    " maybe perhaps almost nearly with who whom according after before on by too then again forever already that like yesterday"
    " last just yet still not here i he she they you we it is was has had says said years?_old yrs?_old years?_of_age"
    " yrs? y/?o winters_old summers_old btw lol haha ok okay ish pls please right sir miss until till once"
    " ma'am thanks though anyway"
    " for_(?:an?_(?:day|week|month|year|while)|\\d{1,4}|many|some|thousands|hundreds|centuries|decades|ever)"
).replace(" ", "|")
_SIGNS = {
    "[-_]": r"[- \n]",
    "_": r"[ \n]",
    "<age>": r"(?<![a-z0-9#$£€])(?<!\d[.,:/])(?:1 ?[0-7]|[1-9])(?![a-z0-9])(?:\.\d{1,2}(?!\d)|,5|[ ]1/2|[ ]and[ ]a[ ]half)?",
    "<end>": (
        r"(?!\w|[.,:]\d|'\d|[ ]?(?:%|°|o'|x[ ]?\d|/[ ]?\d)|[ ]in[ ](?:all|number|total)\b|[ ]is[ ](?:the|a|an)\b)"
        rf"(?=[ ]?(?:\Z|[.,;:!?()\[\]\"'\n—/|&…]|-(?!\w)|(?:{_FOLLOWERS.replace('_', '[ ]')})\b))"
    ),
    "<w>": r"[\wñ'-]{1,16}",
}


def pattern(text: str) -> re.Pattern[str]:
    """A pattern written with the signs above."""
    for sign, meaning in _SIGNS.items():
        text = text.replace(sign, meaning)
    return re.compile(text)


_LONGEST_NAME = 22
_LAST_WORD = re.compile(r"[^\W\d_][\wñ'}-]{1,21}\Z")
_INTIMATE = pattern(rf"\b(?:{INTIMATE})\b")
_MEMORY = pattern(
    r"\b(?:(?:when|since|after|before|until|till|while|once|by_the_time)_(?:<w>_){1,3}(?:was|were|turned|became)_(?:<w>_){0,2}"
    r"(?:<age>|(?:child|kid|boy|girl|teen|teenager|toddler|children|kids)\b(?!_(?:who|with)\b))"
    r"|(?:was|were)_(?:only_|just_)?<age>_when_(?:<w>_){1,5}"
    r"(?:died|left|fell|burned|burnt|began|ended|moved|taught|sent|took|lost|vanished|disappeared|abandoned|sold|killed|passed)"
    r"|(?:left|orphaned|learned|learnt|began|begun|started|ran_away|enlisted|apprenticed|sold|killed|joined|went|lost"
    r"|sent|taken"
    r"|came|taught|fled|died)_(?:<w>_){0,5}(?:at|since)_(?:the_age_of_|age_)?<age>"
    r"|teen(?:age|aged)?_(?:years|rebellion|phase|memories|diary|diaries|angst|days|self)"
    r"|(?<!dressed_)(?<!disguised_)(?<!reborn_)(?<!back_)(?<!stuck_)(?<!trapped_)(?<!posing_)(?<!poses_)(?<!posed_)(?<!acts_)"
    r"(?<!appears_)(?<!appeared_)(?<!reincarnated_)(?<!seen_)(?<!portrayed_)(?<!depicted_)(?<!drawn_)(?<!body_)"
    r"as_an?_(?:small_|little_|young_)?(?:child|kid|girl|boy|teen|teenager|adolescent)\b)"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern and what it means. Where it has a group `hit`, that is the place of the concern.

    `unless` are excuses: where one of them overlaps a match, the match says nothing. `is_past` says that the match may be
    a memory, which is excused as long as nothing intimate stands near. `is_named` says that the word just before the match
    begins with a capital letter in the source, or is a macro. Every match holds one of the `cues`, where there are any:
    without them nothing is looked for.
    """

    reason: Reason
    looks_for: re.Pattern[str]
    unless: re.Pattern[str] | None = None
    is_past: bool = False
    is_named: bool = False
    cues: tuple[str, ...] = ()

    def concerns(self, folded: Folded, source: str, *, is_whole: bool) -> Iterator[tuple[int, int]]:
        """Where this rule finds something, by offsets of the folded text.

        Of a text that is not whole yet, only what cannot change any more by what follows is found.
        """
        if self.cues and not any(cue in folded.text for cue in self.cues):
            return
        for match in self.looks_for.finditer(folded.text):
            start, end = match.span("hit") if "hit" in self.looks_for.groupindex else match.span()
            if not is_whole and match.end() + AROUND > len(folded.text):
                return
            if not (self.is_named and _is_nameless(folded, source, match.start())) and not self._is_excused(
                folded.text, match.start(), match.end()
            ):
                yield start, end

    def _is_excused(self, text: str, start: int, end: int) -> bool:
        if self.unless and overlaps(self.unless, text, start, end, AROUND):
            return True
        if not self.is_past or not overlaps(_MEMORY, text, start, end, AROUND):
            return False
        return not _INTIMATE.search(text, max(0, start - INTIMATE_AROUND), end + INTIMATE_AROUND)


def _is_nameless(folded: Folded, source: str, before: int) -> bool:
    word = _LAST_WORD.search(folded.text, max(0, before - _LONGEST_NAME), before)
    return word is None or not (word.group().endswith("}") or source[folded.places[word.start()]].isupper())


def overlaps(excuse: re.Pattern[str], text: str, start: int, end: int, around: int) -> bool:
    """Whether the pattern is found so that it shares a character with the stretch, looking so far around it."""
    found = excuse.finditer(text, max(0, start - around), min(len(text), end + around))
    return any(each.start() < end and each.end() > start for each in found)


def rule(  # noqa: PLR0913 one for each thing that a rule may say
    reason: Reason, looks_for: str, unless: str = "", *, is_past: bool = False, is_named: bool = False, cues: str = ""
) -> Rule:
    """A rule from patterns that are written with signs, and cues divided by spaces."""
    return Rule(reason, pattern(looks_for), pattern(unless) if unless else None, is_past, is_named, tuple(cues.split()))
