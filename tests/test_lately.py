"""A dictionary that cannot grow for ever."""

from bot.lately import Lately


def test_what_was_set_longest_ago_leaves_and_what_is_set_again_stays() -> None:
    lately = Lately[str, int](2)
    lately["one"], lately["two"], lately["one"], lately["three"] = 1, 2, 11, 3
    assert dict(lately) == {"one": 11, "three": 3}


def test_what_is_taken_out_makes_room() -> None:
    lately = Lately[str, int](2)
    lately["one"], lately["two"] = 1, 2
    assert lately.pop("one") == 1
    lately["three"] = 3
    assert dict(lately) == {"two": 2, "three": 3}
