import pytest

from adapters.network.retry import Backoff

QUICK = Backoff(first=1.0, factor=2.0, longest=10.0, patience=60.0)


@pytest.mark.parametrize(
    ("failures", "draw", "expected"),
    [
        (1, 0.0, 0.5),  # half of 1
        (1, 1.0, 1.0),
        (2, 0.5, 1.5),  # three quarters of 2
        (4, 1.0, 8.0),
        (5, 1.0, 10.0),  # 16, but never more than 10
        (5, 0.0, 5.0),
        (5000, 1.0, 10.0),
    ],
)
def test_waits_grow_to_a_limit_and_are_drawn_from_their_upper_half(failures: int, draw: float, expected: float) -> None:
    assert QUICK.wait(failures, 0.0, draw) == expected


@pytest.mark.parametrize(
    ("spent", "asked", "expected"),
    [
        (0.0, 30.0, 30.0),
        (0.0, 0.2, 1.0),  # its own wait is longer than what was asked for
        (59.0, 0.0, 1.0),
        (59.1, 0.0, None),
        (31.0, 30.0, None),
    ],
)
def test_what_is_asked_for_is_waited_if_patience_lasts(spent: float, asked: float, expected: float | None) -> None:
    assert QUICK.wait(1, spent, 1.0, asked) == expected
