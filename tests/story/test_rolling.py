"""Dice are read as players write them, rolled alike from the same seed, and bounded."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Refused
from bot.story.dice import DiceRoll
from bot.story.rolling import EXPRESSION_LENGTH, INLINE_ROLLS, LARGEST, find_rolls, parse_dice, parse_roll, roll


@pytest.mark.parametrize(
    ("expression", "text", "reach"),
    [
        ("d20", "1d20", (1, 20)),
        ("2D6 + 2", "2d6 + 2", (4, 14)),
        ("3d6-2d4*2", "3d6 - 2d4 * 2", (3 - 16, 18 - 4)),
        ("(d4+1)*(d4-3)", "(1d4 + 1) * (1d4 - 3)", (-10, 5)),
        ("-d6 + 10", "-1d6 + 10", (4, 9)),
        ("d6 * -2", "1d6 * -2", (-12, -2)),
        ("(1)+" * 12 + "d6", "(1) + " * 12 + "1d6", (13, 18)),
        ("d%", "1d100", (1, 100)),
        ("4dF", "4dF", (-4, 4)),
        ("4d6kh3", "4d6kh3", (3, 18)),
        ("4d6k3", "4d6kh3", (3, 18)),
        ("4d6kl", "4d6kl1", (1, 6)),
        ("4d6dh1", "4d6dh1", (3, 18)),
        ("4d6dl", "4d6dl1", (3, 18)),
        ("2d6!", "2d6!", (2, 600)),
        ("3d6r<2", "3d6r<2", (3, 18)),
        ("3d6r1kh2!", "3d6r=1!kh2", (2, 12)),
        ("adv", "2d20kh1", (1, 20)),
        ("disadvantage + 5", "2d20kl1 + 5", (6, 25)),
        ("d20 adv + 5", "2d20kh1 + 5", (6, 25)),
        ("1d12dis", "2d12kl1", (1, 12)),
        ("d6 \u2212 1 \u00d7 2", "1d6 - 1 * 2", (-1, 4)),
    ],
)
def test_dice_are_read_as_players_write_them(expression: str, text: str, reach: tuple[int, int]) -> None:
    dice = parse_dice(expression)

    assert dice.text == text
    assert dice.reach == reach
    assert parse_dice(text) == dice


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("", "Say which dice to roll"),
        ("5", "no dice to be read"),
        ("2d6 for the win", "no dice to be read"),
        ("2d6 +", "no dice to be read"),
        ("(2d6", "no dice to be read"),
        ("2d6)", "no dice to be read"),
        ("2d", "no dice to be read"),
        ("d6d6", "no dice to be read"),
        ("2d6 / 2", "no dice to be read"),
        ("--d6", "no dice to be read"),
        ("0d6", "From 1 to 100 dice"),
        ("101d6", "From 1 to 100 dice"),
        ("99999999999999999999d6", "From 1 to 100 dice"),
        ("60d6+60d6", "At most 100 dice"),
        ("d0", "from 1 to 1000 sides"),
        ("d1001", "from 1 to 1000 sides"),
        ("d1!", "Only dice with two sides"),
        ("4dF!", "Only dice with two sides"),
        ("4dFr1", "Fate dice never are"),
        ("2d6kh1kl1", "Say only once"),
        ("2d6r1r2", "Say only once"),
        ("2d6dl2", "leaves no die"),
        ("d1000*1000*1000*1000", "too large"),
        ("((((((((((( d6 )))))))))))", "more than 10 parentheses"),
        ("1+" * 60 + "d6", "at most 100 characters"),
        ("d6" + "+1" * 60, "at most 100 characters"),
    ],
)
def test_what_cannot_be_rolled_is_refused(expression: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        parse_dice(expression)


@pytest.mark.parametrize(
    ("text", "dice", "reason"),
    [
        ("2d6+1 picking the lock", "2d6 + 1", "picking the lock"),
        ("2d6 + 1 for picking  the lock", "2d6 + 1", "picking the lock"),
        ("2d6: the lock", "2d6", "the lock"),
        ("2d6 - a leap", "2d6", "a leap"),
        ("2d6", "2d6", ""),
        ("d20 advice", "1d20", "advice"),
        ("d20 adv stealth", "2d20kh1", "stealth"),
        ("2d6 (two hands)", "2d6", "(two hands)"),
        ("2d6, 3 times", "2d6", "3 times"),
        ("d6 + 1 + + 1", "1d6 + 1", "+ + 1"),
    ],
)
def test_dice_end_where_what_they_are_for_begins(text: str, dice: str, reason: str) -> None:
    assert (parse_roll(text)[0].text, parse_roll(text)[1]) == (dice, reason)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("2d6x", "no dice"), ("lock 2d6", "no dice"), ("d6 " + "x" * 101, "100 char"), ("d6" + "+1" * 90_000, "100 char")],
)
def test_what_is_no_roll_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        parse_roll(text)


def test_a_roll_is_shown_so_that_it_can_be_checked() -> None:
    chance = random.Random(7)  # noqa: S311 - the very generator that dice are rolled with
    first, second = chance.randint(1, 6), chance.randint(1, 6)
    third = chance.randint(1, 4)

    rolled = roll(parse_dice("2d6 * 2 - (1d4 + 1)"), 7, "Mira", "luck")

    detail = f"2d6 ({first}, {second}) * 2 - (1d4 ({third}) + 1)"
    assert rolled == DiceRoll("Mira", "2d6 * 2 - (1d4 + 1)", detail, (first + second) * 2 - (third + 1), "luck")


def test_the_same_seed_rolls_the_same_and_another_another() -> None:
    dice = parse_dice("10d1000")

    assert roll(dice, 1, "Mira") == roll(dice, 1, "Mira")
    assert roll(dice, 1, "Mira") != roll(dice, 2, "Mira")


def test_a_die_falls_on_each_side_about_as_often() -> None:
    totals = [roll(parse_dice("d6"), seed, "Mira").total for seed in range(6_000)]

    assert {*totals} == {1, 2, 3, 4, 5, 6}
    # 1,000 each are expected; six standard deviations are 173.
    assert all(abs(totals.count(face) - 1_000) < 173 for face in range(1, 7))


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("picking the lock", "Mira rolls 2d6 + 2 for picking the lock: 11."),
        ("to hit!", "Mira rolls 2d6 + 2 to hit: 11."),
        ("", "Mira rolls 2d6 + 2: 11."),
    ],
)
def test_the_model_is_told_what_was_rolled(reason: str, sentence: str) -> None:
    assert DiceRoll("Mira", "2d6 + 2", "2d6 (4, 5) + 2", 11, reason).sentence == sentence


def test_the_rolls_in_a_post_are_found_where_they_stand() -> None:
    post = "Tobias kneels. [[2d6+1 the lock]] It clicks [[ d20 ]]."
    rolls = find_rolls(post)

    assert [(each.dice.text, each.reason, post[each.start : each.end]) for each in rolls] == [
        ("2d6 + 1", "the lock", "[[2d6+1 the lock]]"),
        ("1d20", "", "[[ d20 ]]"),
    ]


@pytest.mark.parametrize("post", ["", "2d6", "[2d6]", "[[Mira]]", "[[5]]", "[[2d6", "[[d20\n]]", "[[]]", "[[2d6x]]"])
def test_what_is_no_roll_stays_text(post: str) -> None:
    assert find_rolls(post) == ()


@pytest.mark.parametrize(
    ("post", "sentence"), [("[[999d6 luck]]", "From 1 to 100 dice"), ("[[d6]]" * (INLINE_ROLLS + 1), "at most 10 rolls")]
)
def test_a_post_that_asks_for_too_much_is_refused(post: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        find_rolls(post)


def terms() -> st.SearchStrategy[str]:
    throws = st.builds(
        "{}d{}{}".format,
        st.integers(1, 9),
        st.sampled_from(["4", "6", "20", "%", "1000"]),
        st.sampled_from(["", "kh1", "kl", "!", "r<3", "r1!kh1"]),
    )
    simple = throws | st.sampled_from(["4dF", "adv", "dis"]) | st.integers(0, 50).map(str)
    return st.recursive(
        simple,
        lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner) | st.builds("-{}".format, simple),
        max_leaves=5,
    )


@given(expression=terms(), seed=st.integers())
def test_every_total_lies_within_reach(expression: str, seed: int) -> None:
    try:
        dice = parse_dice(expression)
    except Refused:
        return
    least, most = dice.reach

    assert -LARGEST <= least <= roll(dice, seed, "Mira").total <= most <= LARGEST
    assert parse_dice(dice.text) == dice or len(dice.text) > EXPRESSION_LENGTH


@given(text=st.text() | st.text("0123456789dDkKhHlL%fF!r<>=+-*() adis[]", max_size=130))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (parse_dice, parse_roll, lambda some: find_rolls(f"[[{some}]]")):
        sentence = ""
        try:
            read(text)
        except Refused as refusal:
            sentence = str(refusal)
        assert len(sentence) < 200
