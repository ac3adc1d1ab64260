"""A reply under watch: found in any pieces, never posted before it is found."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.safety.blocklist import Blocklist
from bot.safety.concern import Concern, Reason
from bot.safety.fold import Folded, fold
from bot.safety.judgement import Rules, judge
from bot.safety.watch import HELD_BACK, Watch
from tests.safety.labelled import developed

RULES = Rules(minors=True, adult=False, blocklist=Blocklist.from_lines(["red lan*", "thunder"]))
CALM = "The lamp burned low, and the rain went on over the roofs; nobody had come by the road since noon. "
SENTENCES = [each.text for each in developed() if each.is_written]


def watched(text: str, cuts: list[int], before: str = "") -> tuple[Concern | None, int]:
    """What was found, and how much was safe just before."""
    watch, safe = Watch(RULES, before), 0
    for start, end in pairwise([0, *sorted(cuts), len(text)]):
        if found := watch.feed(text[start:end]):
            return found, safe
        safe = watch.safe_until
    return watch.finish(), safe


@pytest.mark.parametrize("text", ["She is fifteen.", "She is a middle schooler.", "A red lantern!", "t.e.e.n"])
def test_a_phrase_in_single_characters_is_found(text: str) -> None:
    assert watched(CALM + text, list(range(1, len(CALM + text))))[0] == judge(CALM + text, RULES)
    assert judge(CALM + text, RULES) is not None


def test_a_number_that_goes_on_is_not_taken_for_an_age() -> None:
    for text in ("She is 15 minutes late.", "She is 150 years old.", "She is fifteen years older.", "She is 1" + "8."):
        assert watched(text, list(range(1, len(text))))[0] is None


def test_it_is_found_while_the_reply_goes_on_and_stays_found() -> None:
    watch = Watch(RULES)
    text = "She is fifteen. " + CALM * 5
    fed = 0
    while watch.feed(text[fed : fed + 5]) is None:
        fed += 5
    assert fed <= 15 + HELD_BACK
    assert watch.feed("more") == watch.finish() == Concern(Reason.STATED_AGE, 7, 14)


def test_an_answer_is_caught_by_what_stands_before() -> None:
    assert watched("“Fifteen,” she said. " + CALM, [3, 8], before="“How old are you?”")[0] == Concern(Reason.STATED_AGE, 1, 8)


def test_text_far_behind_the_end_is_safe_and_all_of_it_when_the_reply_is_over() -> None:
    watch = Watch(RULES)
    watch.feed(CALM * 10)
    assert len(CALM) * 10 - HELD_BACK - 30 <= watch.safe_until <= len(CALM) * 10 - HELD_BACK
    watch.finish()
    assert watch.safe_until == len(CALM) * 10


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_pieces_find_what_the_whole_text_holds_and_nothing_of_it_was_safe(data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.sampled_from([*SENTENCES, CALM, CALM, CALM * 3]), max_size=12))
    text = " ".join(parts)
    before = data.draw(st.sampled_from(["", "“How old are you?”", CALM * 20, "She is"]))
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=40))
    found, safe = watched(text, cuts, before)
    whole = judge(text, RULES, before=before)
    assert (found is None) == (whole is None)
    if found and whole:
        assert whole.start >= safe
        assert found.start >= safe


def test_a_long_reply_is_not_read_again_from_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def counted(text: str) -> Folded:
        read.append(len(text))
        return fold(text)

    monkeypatch.setattr("bot.safety.watch.fold", counted)
    watch = Watch(RULES)
    for _ in range(300):
        watch.feed(CALM)
    assert max(read) <= 8 * HELD_BACK
