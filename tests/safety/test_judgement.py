"""One question for all rules: only those that apply answer."""

from bot.safety.blocklist import Blocklist
from bot.safety.concern import Concern, Reason
from bot.safety.judgement import Rules, judge

LIST = Blocklist.from_lines(["thunder"])
ADULT_SESSION = Rules(minors=True, adult=False, blocklist=LIST)
GENERAL_SESSION = Rules(minors=False, adult=True, blocklist=LIST)


def test_minors_are_refused_where_that_applies_and_only_there() -> None:
    assert judge("A toddler.", ADULT_SESSION) == Concern(Reason.LIFE_STAGE, 2, 9)
    assert judge("A toddler.", GENERAL_SESSION) is None


def test_adult_cards_are_refused_where_that_applies_and_only_there() -> None:
    assert judge("Tags: nsfw", GENERAL_SESSION) == Concern(Reason.ADULT, 6, 10)
    assert judge("Tags: nsfw", ADULT_SESSION) is None


def test_the_operators_list_applies_everywhere() -> None:
    assert judge("Thunder.", ADULT_SESSION) == judge("Thunder.", GENERAL_SESSION) == Concern(Reason.BLOCKED, 0, 7)


def test_what_stands_before_is_read_along_but_not_judged() -> None:
    assert judge("Fifteen.", ADULT_SESSION, before="How old is she?") == Concern(Reason.STATED_AGE, 0, 7)
    assert judge("Rain.", ADULT_SESSION, before="Thunder. A toddler.") is None


def test_the_first_of_all_rules_is_told() -> None:
    assert judge("A toddler in the thunder.", ADULT_SESSION) == Concern(Reason.LIFE_STAGE, 2, 9)


def test_the_year_reaches_the_years_of_birth() -> None:
    dated = Rules(minors=True, adult=False, blocklist=Blocklist(), year=2026)
    assert judge("Born in 2012.", dated) is not None
