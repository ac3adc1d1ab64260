"""What counts as too much, for how long, and how that is said."""

import pytest

from bot.limits import DAY, HOUR, LABELS, MINUTE, Kind, Limits, Over, Scope, Share, Used, in_words, judge, longest
from bot.limits import told_to_asker as asker
from bot.limits import told_to_place as place

NOW = 1_700_000_000.0
PLAYER = Scope.PLAYER


def test_without_limits_there_is_always_room() -> None:
    used = Used([NOW] * 1000, 1000, [(NOW, 10**12)])
    assert judge(PLAYER, Share(), used, NOW) is None
    assert not Limits().are_any
    assert Limits(community=Share(waiting=1)).are_any


def test_there_is_room_again_when_the_oldest_reply_that_counts_is_a_minute_old() -> None:
    share, times = Share(turns_a_minute=3), [NOW - 1, NOW - 10, NOW - 50]
    assert judge(PLAYER, share, Used(times[:2]), NOW) is None
    assert judge(PLAYER, share, Used(times), NOW) == Over(PLAYER, Kind.TURNS, 3, 10.0)
    assert judge(PLAYER, Share(turns_a_minute=2), Used(times), NOW) == Over(PLAYER, Kind.TURNS, 2, 50.0)


def test_a_full_queue_has_room_when_something_in_it_is_done() -> None:
    assert judge(PLAYER, Share(waiting=2), Used(waiting=1), NOW) is None
    assert judge(PLAYER, Share(waiting=2), Used(waiting=2), NOW) == Over(PLAYER, Kind.WAITING, 2)


def test_tokens_come_back_hour_by_hour_until_there_are_few_enough() -> None:
    hours = [(NOW - 2 * HOUR, 40), (NOW - 20 * HOUR, 30), (NOW - 10 * HOUR, 30)]
    assert judge(PLAYER, Share(tokens_a_day=101), Used(tokens=hours), NOW) is None
    assert judge(PLAYER, Share(tokens_a_day=100), Used(tokens=hours), NOW) == Over(PLAYER, Kind.TOKENS, 100, 4 * HOUR)
    assert judge(PLAYER, Share(tokens_a_day=70), Used(tokens=hours), NOW) == Over(PLAYER, Kind.TOKENS, 70, 14 * HOUR)


def test_of_several_limits_the_one_that_lasts_longest_is_told() -> None:
    used = Used([NOW], 1, [(NOW - DAY + HOUR, 5)])
    assert judge(PLAYER, Share(1, 1, 5), used, NOW) == Over(PLAYER, Kind.TOKENS, 5, HOUR)
    short, long, queue = Over(PLAYER, Kind.TURNS, 1, 2.0), Over(Scope.PLACE, Kind.TURNS, 1, 9.0), Over(PLAYER, Kind.WAITING, 1)
    assert longest([short, queue, long]) == long
    assert longest([queue]) == queue
    assert longest([]) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 second"),
        (40.0, "40 seconds"),
        (2 * MINUTE, "120 seconds"),
        (2 * MINUTE + 1, "about 3 minutes"),
        (2 * HOUR, "about 120 minutes"),
        (23.5 * HOUR, "about 24 hours"),
    ],
)
def test_a_time_to_wait_is_never_said_shorter_than_it_is(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_what_is_said_names_the_limit_and_when_and_how_to_come_back() -> None:
    turns = Over(PLAYER, Kind.TURNS, 20, 39.5)
    assert place(turns, "Tobias") == (
        "Tobias has asked for 20 replies within a minute, the most that a player may; the post is in the story: "
        "use retry in 40 seconds to have it answered."
    )
    assert asker(turns) == "You have asked for 20 replies within a minute, the most that a player may; ask again in 40 seconds."
    assert place(Over(Scope.PLACE, Kind.WAITING, 1), "Tobias") == (
        "This story has 1 reply in the queue, as many as a story may have there; the post is in the story: "
        "use retry as soon as one of them is written to have it answered."
    )
    assert asker(Over(Scope.COMMUNITY, Kind.TOKENS, 5_000_000, 3 * HOUR)) == (
        "This community has used up the 5,000,000 tokens that a community may have the model read and write in a day; "
        "ask again in about 3 hours."
    )


def test_every_limit_has_a_word_of_its_own() -> None:
    assert len(set(LABELS)) == len(Scope) * len(Kind)
