"""The whole chain over the rows of a step: exact, and the same for a row whatever its neighbours are."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.llama.sampling import Sampler, candidates, draw_rows
from bot.sampling import LIMARP, PRESETS, SamplingSettings
from tests.adapters.llama import reference
from tests.adapters.llama.samplers import LOW, EightWords, Row, any_settings, peaked, rows

GREEDY = SamplingSettings(temperature=0.0)


def a_sampler(settings: SamplingSettings, size: int, seed: int = 1, said: Sequence[int] = ()) -> Sampler:
    return Sampler(settings, seed, said, words=EightWords(size))


def draw(sampler: Sampler, row: Row) -> int:
    (token,) = draw_rows([sampler], row[np.newaxis])
    return token


def moved(settings: SamplingSettings, said: Sequence[int], logits: list[float]) -> dict[int, float]:
    row = np.array(logits, dtype=np.float32)
    tokens, values = a_sampler(settings, len(logits), said=said).touched(row)
    return dict(zip(tokens.tolist(), values.tolist(), strict=True))


@given(any_settings(), st.integers(0, 2**32), st.sampled_from([5, 8, 30, 300]), st.sampled_from([0.3, 1.0, 4.0]), st.booleans())
def test_any_settings_leave_and_draw_what_the_literal_chain_does(
    settings: SamplingSettings,
    seed: int,
    size: int,
    spread: float,
    is_coarse: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    dice = np.random.default_rng(seed)
    said = dice.integers(0, 5, int(dice.integers(0, 40))).tolist()
    words, row = EightWords(size), dice.normal(0, spread, size).astype(np.float32)
    if is_coarse:
        row = np.round(row)
    rolls = np.random.Generator(np.random.PCG64(seed))
    wanted: dict[int, float] = {}
    xtc = Sampler(settings, seed, said, words=words)
    found = candidates(xtc, row)
    roll = rolls.random() if xtc._rolls else 0.0
    wanted = reference.left(row.tolist(), settings, said=said, pieces=words.piece, newline=3, roll=roll)
    assert sorted(found) == sorted(wanted)
    token = draw(Sampler(settings, seed, said, words=words), row)
    assert token == (next(iter(wanted)) if len(wanted) == 1 else reference.drawn(wanted, rolls.random()))


def test_a_reply_of_the_model_cards_settings_is_the_literal_one() -> None:
    said = np.random.default_rng(1).integers(0, 2000, 300).tolist()
    sampler = a_sampler(LIMARP, 2000, 99, said)
    dice = np.random.Generator(np.random.PCG64(99))
    for row in rows(30, 2000):
        left = reference.left(row.tolist(), LIMARP, said=said)
        wanted = next(iter(left)) if len(left) == 1 else reference.drawn(left, dice.random())
        assert draw(sampler, row) == wanted
        said.append(wanted)


@given(st.lists(any_settings(), min_size=1, max_size=6), st.randoms(use_true_random=False), st.sampled_from([6, 300, 3000]))
def test_a_row_gives_the_same_alone_and_among_any_neighbours_in_any_order(
    settings: list[SamplingSettings], shuffler: st.DataObject, size: int
) -> None:
    made = (
        np.stack(rows(len(settings), size, seed=3))
        if size > 17
        else np.random.default_rng(2).normal(0, 2, (len(settings), size))
    )
    made = made.astype(np.float32)
    said = [0, 1, 4, 5, 0, 1]
    alone = [a_sampler(each, size, seed, said) for seed, each in enumerate(settings)]
    together = [a_sampler(each, size, seed, said) for seed, each in enumerate(settings)]
    order = list(range(len(settings)))
    for _ in range(3):
        shuffler.shuffle(order)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
        wanted = [draw(alone[index], made[index]) for index in range(len(settings))]
        found = draw_rows([together[index] for index in order], made[order])
        assert found == [wanted[index] for index in order]


def test_rows_of_a_whole_step_are_drawn_as_alone_at_the_size_of_a_real_vocabulary() -> None:
    made = np.stack(rows(16, 32_000, seed=5))
    settings = [*PRESETS.values()]
    said = np.random.default_rng(4).integers(0, 32_000, 3000).tolist()
    together = [a_sampler(settings[index % len(settings)], 32_000, index, said) for index in range(16)]
    alone = [a_sampler(settings[index % len(settings)], 32_000, index, said) for index in range(16)]
    for _ in range(3):
        assert draw_rows(together, made) == [draw(sampler, row) for sampler, row in zip(alone, made, strict=True)]


@given(any_settings(), st.lists(st.integers(0, 7), max_size=30), st.integers(0, 30))
def test_what_was_drawn_counts_as_if_it_had_stood_in_the_history(
    settings: SamplingSettings, said: list[int], split: int
) -> None:
    row = np.array([1.0, 0.5, -0.5, 2.0, 0.0, 1.5, -1.0, 0.25], dtype=np.float32)
    grown = a_sampler(settings, 8, said=said[:split])
    for token in said[split:]:
        grown.add(token)
    assert candidates(grown, row) == candidates(a_sampler(settings, 8, said=said), row)


def test_no_rows_draw_nothing() -> None:
    assert draw_rows([], np.zeros((0, 8), dtype=np.float32)) == []


def test_a_row_is_not_changed_by_drawing_from_it() -> None:
    row = peaked(np.random.default_rng(3), 300)
    before = row.copy()
    draw(a_sampler(LIMARP, 300, said=range(100)), row)
    assert (row == before).all()


def test_the_same_seed_draws_the_same_and_another_seed_does_not() -> None:
    row = np.zeros(1000, dtype=np.float32)
    first, again, other = (
        [draw(sampler, row) for _ in range(5)] for sampler in (a_sampler(SamplingSettings(), 1000, seed) for seed in (1, 1, 2))
    )
    assert first == again != other


@pytest.mark.parametrize("seed", [0, -1, 2**64, -(2**70)])
def test_any_number_is_a_seed(seed: int) -> None:
    assert draw(a_sampler(SamplingSettings(), 4, seed), np.zeros(4, dtype=np.float32)) in range(4)


def test_impossible_tokens_are_never_drawn() -> None:
    row = np.array([LOW, 0.0, LOW, 0.0, LOW], dtype=np.float32)
    sampler = a_sampler(SamplingSettings(temperature=5.0), 5)
    assert {draw(sampler, row) for _ in range(50)} == {1, 3}


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    row = np.log(np.array([0.5, 0.3, 0.2], dtype=np.float32))
    sampler = a_sampler(SamplingSettings(), 3)
    drawn = [draw(sampler, row) for _ in range(4000)]
    assert [drawn.count(token) / 4000 for token in range(3)] == pytest.approx([0.5, 0.3, 0.2], abs=0.03)


def test_temperature_zero_takes_the_likeliest_and_of_equals_the_lowest_id() -> None:
    assert draw(a_sampler(GREEDY, 3), np.array([1.0, 2.0, 2.0], dtype=np.float32)) == 1


@pytest.mark.parametrize(("bias", "token"), [((2, 1.0), 0), ((0, -0.5), 1), ((2, 1.5), 2)])
def test_temperature_zero_feels_the_bias_and_breaks_ties_with_it_by_id(bias: tuple[int, float], token: int) -> None:
    row = np.array([2.0, 2.0, 1.0], dtype=np.float32)
    assert draw(a_sampler(SamplingSettings(temperature=0.0, logit_bias=(bias,)), 3), row) == token


def test_temperature_zero_feels_the_penalties_and_dry() -> None:
    row = np.array([2.0, 1.5, 1.0], dtype=np.float32)
    penalized = SamplingSettings(temperature=0.0, repetition_penalty=2.0)
    assert [draw(sampler := a_sampler(penalized, 3), row), draw(sampler, row), draw(sampler, row)] == [0, 1, 0]
    dry = SamplingSettings(temperature=0.0, dry_multiplier=2.0, dry_breakers=())
    assert draw(a_sampler(dry, 3, said=(2, 1, 0, 2, 1)), row) == 1


@pytest.mark.parametrize("bad", [[0.0, math.nan], [0.0, math.inf], [LOW, LOW]])
@pytest.mark.parametrize("said", [(), (0, 1)])
def test_a_row_without_usable_numbers_is_named_and_nobody_goes_on(bad: list[float], said: tuple[int, ...]) -> None:
    good = np.zeros(2, dtype=np.float32)
    made = np.stack([good, np.array(bad, dtype=np.float32)])
    samplers = [a_sampler(LIMARP, 2, said=said) for _ in range(2)]
    with pytest.raises(ValueError, match="row 1 holds no usable numbers"):
        draw_rows(samplers, made)
    assert draw(samplers[0], good) == draw(a_sampler(LIMARP, 2, said=said), good)


def test_a_bias_for_a_token_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="logit_bias names the token 8; this model's are 0 to 7"):
        a_sampler(SamplingSettings(logit_bias=((8, 1.0),)), 8)


def test_each_said_token_is_penalized_once_however_often_it_was_said() -> None:
    settings = SamplingSettings(repetition_penalty=2.0, penalty_range=4)
    assert moved(settings, (3, 3, 0, 1, 0, 1), [2.0, -2.0, 1.0, 1.0]) == {0: 1.0, 1: -4.0}


def test_presence_counts_once_and_frequency_each_time() -> None:
    settings = SamplingSettings(presence_penalty=0.5, frequency_penalty=0.25)
    assert moved(settings, (0, 0, 0, 1), [2.0, -2.0, 1.0]) == {0: 2.0 - 0.5 - 0.75, 1: -2.0 - 0.5 - 0.25}


def test_a_drawn_token_is_penalized_from_then_on() -> None:
    sampler = a_sampler(SamplingSettings(temperature=0.0, repetition_penalty=2.0), 2)
    row = np.array([1.5, 2.0], dtype=np.float32)
    assert [draw(sampler, row) for _ in range(3)] == [1, 0, 1]


def test_the_newline_can_be_spared() -> None:
    spared = SamplingSettings(repetition_penalty=2.0, presence_penalty=1.0, penalize_newline=False)
    assert moved(spared, (0, 3), [2.0, 0.0, 0.0, 2.0]) == {0: 0.0}
    assert moved(SamplingSettings(repetition_penalty=2.0), (0, 3), [2.0, 0.0, 0.0, 2.0]) == {0: 1.0, 3: 1.0}


def test_bias_penalties_and_dry_come_in_this_order() -> None:
    settings = SamplingSettings(repetition_penalty=2.0, dry_multiplier=0.5, dry_breakers=(), logit_bias=((2, 3.0), (1, -1.0)))
    said = (0, 1, 2, 0, 1)
    assert moved(settings, said, [4.0, 2.0, 1.0, 0.0]) == {0: 2.0, 1: 0.5, 2: (1.0 + 3.0) / 2 - 0.5}
