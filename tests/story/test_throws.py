"""One throw of like dice: which count, which are thrown again, and that it ends."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Refused
from bot.story.throws import MOST_DICE, Keep, Reroll, Throw, thrown


class Falling(random.Random):
    """Dice that fall as they are told to."""

    def __init__(self, *faces: int) -> None:
        super().__init__(0)
        self.faces = list(faces)

    def randint(self, a: int, b: int) -> int:
        face = self.faces.pop(0)
        assert a <= face <= b
        return face


@pytest.mark.parametrize(
    ("throw", "faces", "total", "detail"),
    [
        (Throw(2, 1, 6), [3, 5], 8, "3, 5"),
        (Throw(4, 1, 6, Keep.read("kh", 3)), [6, 1, 5, 3], 14, "6, 1 dropped, 5, 3"),
        (Throw(4, 1, 6, Keep.read("k", 1)), [2, 6, 6, 3], 6, "2 dropped, 6 dropped, 6, 3 dropped"),
        (Throw(3, 1, 6, Keep.read("kl", 1)), [4, 2, 5], 2, "4 dropped, 2, 5 dropped"),
        (Throw(3, 1, 6, Keep.read("dh", 1)), [4, 2, 5], 6, "4, 2, 5 dropped"),
        (Throw(3, 1, 6, Keep.read("dl", 1)), [4, 2, 5], 9, "4, 2 dropped, 5"),
        (Throw(2, 1, 6, explodes=True), [6, 2, 6, 1], 15, "6!, 2, 6!, 1"),
        (Throw(2, 1, 6, Keep.read("kh", 1), explodes=True), [6, 2, 1], 6, "6!, 2 dropped, 1 dropped"),
        (Throw(2, 1, 6, reroll=Reroll("<", 3)), [2, 1, 3], 4, "2→1, 3"),
        (Throw(1, 1, 6, explodes=True, reroll=Reroll("=", 1)), [1, 6, 4], 10, "1→6!, 4"),
        (Throw(4, -1, 1), [1, 0, -1, -1], -1, "+1, 0, -1, -1"),
    ],
)
def test_dice_count_as_their_throw_says(throw: Throw, faces: list[int], total: int, detail: str) -> None:
    dice = Falling(*faces)
    result = thrown(throw, dice)

    assert (result.total, result.detail) == (total, detail)
    assert dice.faces == []


def test_dice_that_always_explode_end() -> None:
    result = thrown(Throw(2, 1, 6, explodes=True), Falling(*[6] * MOST_DICE))

    assert result.total == 6 * MOST_DICE
    assert result.detail.count("!") == MOST_DICE - 2


@pytest.mark.parametrize(
    ("comparison", "met"), [("<", {1, 2}), ("<=", {1, 2, 3}), (">", {4, 5, 6}), (">=", {3, 4, 5, 6}), ("=", {3})]
)
def test_a_die_is_thrown_again_when_it_stands_so_to_the_value(comparison: str, met: set[int]) -> None:
    assert {face for face in range(1, 7) if Reroll(comparison, 3).meets(face)} == met


def test_a_throw_is_written_as_it_is_read() -> None:
    assert Throw(4, 1, 6, Keep.read("dl", 2), explodes=True, reroll=Reroll("<=", 2)).text == "4d6r<=2!dl2"
    assert Throw(4, -1, 1).text == "4dF"


@pytest.mark.parametrize("word", ["dh", "dl", "kh", "kl"])
def test_a_throw_keeps_at_least_one_die(word: str) -> None:
    number = 3 if word[0] == "d" else 0
    with pytest.raises(Refused, match="leaves no die"):
        Throw(3, 1, 6).with_keep(Keep.read(word, number))


@pytest.mark.parametrize("throw", [Throw(2, -1, 1), Throw(2, 1, 1)])
def test_dice_that_would_never_stop_do_not_explode(throw: Throw) -> None:
    with pytest.raises(Refused, match="two sides or more"):
        throw.exploding()


throws = st.builds(
    Throw,
    st.integers(2, 40),
    st.just(1),
    st.integers(2, 12),
    st.none() | st.builds(Keep.read, st.sampled_from(["kh", "kl", "dh", "dl"]), st.just(1)),
    st.booleans(),
    st.none() | st.builds(Reroll, st.sampled_from(["<", ">", "="]), st.integers(1, 12)),
)


@given(throw=throws, seed=st.integers())
def test_a_total_lies_within_reach(throw: Throw, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the very generator that dice are rolled with
    least, most = throw.reach
    assert least <= thrown(throw, chance).total <= most
