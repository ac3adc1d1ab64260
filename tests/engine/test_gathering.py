"""Sequences that are written together come to stand side by side, with as little moved as can be."""

import random

import pytest

from bot.engine.gathering import exchanges


@pytest.mark.parametrize("written", [set(), {3}, {0, 1, 2}, {4, 5}])
def test_neighbours_stay_where_they_are(written: set[int]) -> None:
    assert exchanges(written, (), [9] * 6) == []


def test_the_stray_one_joins_the_others() -> None:
    assert exchanges({0, 13, 14, 15}, (), [9] * 16) == [(0, 12)]


def test_of_two_ways_the_one_that_moves_fewer_tokens_is_taken() -> None:
    assert exchanges({0, 2}, (), [10, 5, 900, 0]) == [(0, 3)]
    assert exchanges({0, 2}, (), [900, 50, 10, 0]) == [(2, 1)]


def test_what_others_write_into_is_not_moved() -> None:
    assert exchanges({0, 2}, {1, 3}, [9] * 4) == []
    assert exchanges({0, 2}, {1}, [9] * 4) == [(0, 3)]


@pytest.mark.parametrize("seed", range(50))
def test_after_the_exchanges_all_are_neighbours_and_nobody_fixed_was_moved(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - chance that can be repeated
    slots = chance.randint(1, 16)
    written = set(chance.sample(range(slots), chance.randint(0, slots)))
    moved = exchanges(written, (), [chance.randint(0, 99) for _ in range(slots)])
    after = (written - {one for one, _ in moved}) | {other for _, other in moved}
    assert len(after) == len(written)
    assert not after or max(after) - min(after) == len(after) - 1
