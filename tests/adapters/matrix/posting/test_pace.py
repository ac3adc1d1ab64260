"""The pace is learnt from few refusals, held exactly, and forgotten in time; and everybody has their turn."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.matrix.posting.pace import LEARNT_FOR, USUAL_BURST, Pace, Turns
from adapters.matrix.words import place_of

ANSWER = 0.03
HELD_BACK = 0.5
"""Seconds for which Synapse keeps its answer to somebody who sends too much."""


@dataclass
class Bucket:
    """Synapse's own way to count: `count` events since `start`, of which some leaked."""

    rate: float
    burst: float
    count: int = 0
    start: float = 0.0

    def ask(self, now: float) -> float:
        """Seconds to wait; 0: the event is taken."""
        full = self.count - (now - self.start) * self.rate
        if full < 0:
            self.count, self.start, full = 0, now, 0
        if full > self.burst - 1:
            return self.start + (self.count - self.burst + 1) / self.rate - now
        self.count += 1
        return 0.0


@dataclass
class Posting:
    """Somebody who posts as fast as the pace lets them."""

    pace: Pace
    bucket: Bucket
    now: float = 1000.0
    refused: int = 0

    def post(self, number: int, gap: float = 0.05) -> float:
        """So many posts, so many seconds apart at least; how long it took."""
        began = self.now
        while number:
            self.now += self.pace.seconds_to_wait(self.now)
            wait = self.bucket.ask(self.now)
            self.now += ANSWER
            if wait:
                self.refused += 1
                self.now += HELD_BACK
                self.pace.refused(self.now, int(wait * 1000) / 1000)
            else:
                self.pace.sent(self.now)
                number -= 1
                self.now += gap
        return self.now - began


def usual() -> Posting:
    return Posting(Pace(), Bucket(0.2, 10))


def test_ten_posts_go_at_once_and_then_one_each_five_seconds() -> None:
    posting = usual()
    assert posting.post(10) < 1
    assert posting.post(30) == pytest.approx(150, abs=3)
    assert posting.refused <= 2
    assert posting.pace.interval == pytest.approx(5, abs=0.05)


def test_five_posts_more_meet_no_refusal_once_the_pace_is_known() -> None:
    posting = usual()
    posting.post(13)
    known = posting.refused
    posting.post(100)
    assert posting.refused - known <= 1


def test_after_a_pause_several_posts_go_at_once_again() -> None:
    posting = usual()
    posting.post(20)
    posting.now += 30
    known = posting.refused
    assert posting.post(6) < 1.5
    assert posting.refused == known


def test_a_start_in_the_middle_of_a_used_up_bucket_costs_one_refusal() -> None:
    posting = usual()
    for _ in range(10):
        posting.bucket.ask(posting.now)
    assert posting.post(5) < 30
    assert posting.refused <= 2


@settings(max_examples=60, deadline=None)
@given(st.floats(0.05, 5), st.integers(2, 50), st.floats(0.0, 3.0), st.integers(0, 10))
def test_any_limit_is_kept_with_few_refusals_and_hardly_slower_than_it_allows(
    rate: float, burst: int, gap: float, before: int
) -> None:
    posting = Posting(Pace(), Bucket(rate, burst))
    for _ in range(before):
        posting.bucket.ask(posting.now)
    spent = posting.post(60, gap)
    least = max((60 - burst) / rate, 60 * (gap + ANSWER))
    assert posting.refused <= 60 / 5
    assert spent <= least * 1.6 + 4 * 5 + posting.refused / rate


def test_posts_wait_for_nothing_where_nothing_is_refused() -> None:
    posting = Posting(Pace(), Bucket(1000, 1000))
    assert posting.post(100) == pytest.approx(100 * (0.05 + ANSWER))


def test_a_limit_that_was_lifted_is_found_out_in_time() -> None:
    posting = usual()
    posting.post(20)
    posting.bucket = Bucket(1000, 1000)
    posting.now += LEARNT_FOR
    assert posting.post(50) < 5


def test_others_who_use_up_the_bucket_slow_the_account_down_and_do_not_stop_it() -> None:
    posting = usual()
    for _ in range(12):
        posting.post(3)
        posting.bucket.ask(posting.now)
    assert posting.refused <= 12
    assert posting.pace.interval <= 20


def test_what_is_no_post_leaves_room_for_those_that_are() -> None:
    pace = Pace()
    for _ in range(6):
        assert pace.seconds_to_spare(0) == 0
        pace.sent(0)
    assert pace.seconds_to_spare(0) == pytest.approx(5)
    assert pace.seconds_to_wait(0) == 0
    assert pace.seconds_to_spare(5) == 0


def test_a_homeserver_that_takes_far_more_has_room_for_signs() -> None:
    pace = Pace()
    for _ in range(int(USUAL_BURST) + 1):
        pace.sent(0)
    assert pace.seconds_to_spare(0) == 0


def test_a_refusal_ends_the_room_for_signs() -> None:
    pace = Pace()
    pace.refused(0, 4.5)
    assert pace.seconds_to_spare(0) > pace.seconds_to_wait(0) == pytest.approx(4.5)


HERE, THERE, ELSEWHERE = (place_of(f"!{name}") for name in ("here", "there", "elsewhere"))


def test_who_waits_longest_goes_first_and_everybody_is_told_another_time() -> None:
    turns = Turns()
    assert turns.ahead_of(HERE, 0) == 0
    turns.waits(HERE, 5)
    assert turns.ahead_of(THERE, 0) == 1
    turns.waits(THERE, 10)
    assert turns.ahead_of(HERE, 5) == 0
    turns.served(HERE)
    assert turns.ahead_of(HERE, 5) == 1
    assert turns.ahead_of(THERE, 5) == 0


def test_a_place_keeps_its_turn_when_it_is_put_off_again() -> None:
    turns = Turns()
    turns.waits(HERE, 5)
    turns.waits(THERE, 10)
    turns.waits(HERE, 8)
    assert turns.ahead_of(HERE, 8) == 0


def test_a_place_that_does_not_come_back_holds_up_nobody() -> None:
    turns = Turns()
    turns.waits(HERE, 5)
    turns.waits(THERE, 10)
    assert turns.ahead_of(ELSEWHERE, 7) == 2
    assert turns.ahead_of(ELSEWHERE, 9) == 1
    assert turns.ahead_of(ELSEWHERE, 14) == 0
