"""One question for all rules of a session: may this text be part of its story? It knows no session; it is told what applies."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.safety.blocklist import Blocklist
from bot.safety.concern import Concern, first_beyond
from bot.safety.fold import fold, fold_letters
from bot.safety.general import adult_in
from bot.safety.minors import lead_in, minors_in


@dataclass(frozen=True, slots=True)
class Rules:
    """What applies: `minors` refuses minors (adult sessions), `adult` refuses what is plainly adult (general sessions).

    `year` is the year that is now; without it, years of birth say nothing.
    """

    minors: bool
    adult: bool
    blocklist: Blocklist
    year: int | None = None


def judge(text: str, rules: Rules, *, before: str = "") -> Concern | None:
    """The first place in the text at which a rule that applies finds something; None where it may be part of the story.

    `before` is what stands before it, the end of the last posts: read along, so that an answer is understood, but not judged.
    """
    lead = lead_in(before)
    return first_beyond(concerns_in(lead + text, rules, is_whole=True), len(lead))


def concerns_in(source: str, rules: Rules, *, is_whole: bool) -> Iterator[Concern]:
    """Everything that the rules find, in no order. Of a text that still grows, only what the rest of it cannot change."""
    if rules.minors:
        yield from minors_in(fold(source), source, is_whole=is_whole, year=rules.year)
    if rules.adult:
        yield from adult_in(fold_letters(source), is_whole=is_whole)
    yield from rules.blocklist.blocked_in(source, is_whole=is_whole)
