"""The pace of webhook posts: under Discord's hidden budget in any minute, and not slower than needed."""

from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.posting.pacing import BUDGET, WINDOW, Pace

HIDDEN = 30


@given(st.lists(st.floats(0, 20), max_size=200))
def test_no_minute_sees_more_posts_than_the_budget(gaps: list[float]) -> None:
    pace, now, posts = Pace(), 0.0, list[float]()
    for gap in gaps:
        now += gap
        if pace.seconds_to_wait(1, now) == 0:
            pace.posted(1, now)
            posts.append(now)
    for begin in posts:
        assert sum(begin <= each < begin + WINDOW for each in posts) <= BUDGET < HIDDEN


def test_whoever_waits_as_long_as_told_may_post() -> None:
    pace = Pace(budget=2, window=60)
    pace.posted(1, 0)
    pace.posted(1, 10)
    assert pace.seconds_to_wait(1, 20) == 40
    assert pace.seconds_to_wait(1, 60) == 0
    pace.posted(1, 60)
    assert pace.seconds_to_wait(1, 60) == 10


def test_channels_have_budgets_of_their_own_and_leave_nothing_behind() -> None:
    pace = Pace(budget=1)
    pace.posted(1, 0)
    assert pace.seconds_to_wait(1, 1) > 0
    assert pace.seconds_to_wait(2, 1) == 0
    assert pace.seconds_to_wait(1, WINDOW) == 0
    pace.rest(1, WINDOW + 5)
    assert pace.seconds_to_wait(1, WINDOW) == 5
    assert pace.seconds_to_wait(1, WINDOW + 5) == 0
    assert pace._posted == pace._resting == {}
