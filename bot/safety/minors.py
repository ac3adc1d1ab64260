"""Whether a text states or implies that somebody is a minor. It errs towards finding one; it knows no session and no rating."""

from collections.abc import Iterator

from bot.safety import ages, appearance, languages, life_stages, school
from bot.safety.concern import Concern, Reason, first_beyond
from bot.safety.disguises import disguised
from bot.safety.fold import Folded, fold
from bot.safety.rule import Rule

RULES: tuple[Rule, ...] = (*ages.RULES, *school.RULES, *life_stages.RULES, *appearance.RULES, *languages.RULES)
"""All of them: a text is refused as soon as one of them finds something. Their order decides nothing."""

BEFORE = 400
"""How much of the text before is read along, in characters."""

_OF_AGE = 18


def find_minor(text: str, *, before: str = "", year: int | None = None) -> Concern | None:
    """The first place in the text at which somebody is a minor, or looks like one; None where nothing was found.

    `before` is what stands before it (the end of the last posts): it is read along, so that an answer is understood, but
    what it says itself was judged when it came. `year` is the year that is now, for years of birth; without it they say
    nothing. An adult age that is claimed beside it changes nothing.
    """
    lead = lead_in(before)
    source = lead + text
    return first_beyond(minors_in(fold(source), source, is_whole=True, year=year), len(lead))


def lead_in(before: str) -> str:
    """The end of what stands before a text, divided from it by a line end."""
    return before[-BEFORE:] + "\n" if before else ""


def minors_in(folded: Folded, source: str, *, is_whole: bool, year: int | None = None) -> Iterator[Concern]:
    """Every place that a rule finds, by offsets of the source. Of a text that still grows, what the rest cannot change."""
    for each in RULES:
        for start, end in each.concerns(folded, source, is_whole=is_whole):
            yield Concern(each.reason, *folded.source(start, end))
    known = len(folded.text) if is_whole else len(folded.text) - 1
    for start, end in disguised(folded.text, known):
        yield Concern(Reason.DISGUISE, *folded.source(start, end))
    for start, end in _born(folded.text, known, year) if year is not None else ():
        yield Concern(Reason.STATED_AGE, *folded.source(start, end))


def _born(text: str, known: int, year: int) -> Iterator[tuple[int, int]]:
    """Somebody whose eighteenth birthday falls into this year may not have had it yet."""
    for found in ages.BORN.finditer(text):
        if found.end() <= known and 0 <= year - int(found[1]) <= _OF_AGE:
            yield found.span()
