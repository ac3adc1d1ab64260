import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.llama import sampling
from adapters.llama.sampling import PenaltyWindow, Sampler, candidates
from bot.sampling import LIMARP, SamplingSettings
from tests.adapters.llama import reference

Row = npt.NDArray[np.float32]
LOW = -math.inf
GREEDY = SamplingSettings(temperature=0.0)


def kept(logits: list[float], **settings: float) -> list[int]:
    left = candidates(np.array(logits, dtype=np.float64), SamplingSettings(**settings))  # type: ignore[arg-type]  # numbers all
    return [int(token) for token in left.tokens]


@pytest.mark.parametrize("z", [0.0, 0.1, 0.5, 0.9, 0.99, 1.0])
@pytest.mark.parametrize(
    "logits",
    [
        [1.5],
        [1.0, 2.0],
        [2.0, 2.0],
        [1.0, 2.0, 3.0],
        [2.0, 2.0, 2.0],
        [2.0] * 50,
        [3.0, 1.0, 3.0, 2.5, 2.5, 0.5, -1.0, 0.0],
        [4.0, 3.9, 3.7, 3.4, 3.0, 1.0, 1.0, 0.5, 0.5],
        [5.0, LOW, 4.0, LOW],
        [5.0, LOW, LOW, LOW],
        [40.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [40.0, 39.9, 0.0, 0.0, 0.0, 0.0],
        [1.0] * 20 + [0.999] * 20 + [LOW] * 20,
        [0.0, -9.0, -9.0, -9.0, -9.5, -13.0, -13.0, -18.0, -20.0, -30.0],
    ],
    ids=str,
)
def test_tail_free_keeps_exactly_what_the_literal_formula_keeps(logits: list[float], z: float) -> None:
    settings = SamplingSettings(tail_free_z=z)
    assert kept(logits, tail_free_z=z) == reference.kept(logits, settings)


@pytest.mark.parametrize(
    ("logits", "z", "wanted"),
    [
        ([1.0, 2.0], 0.0, [1, 0]),  # nothing to cut from two
        ([2.0, 1.0, 0.0, -1.0], 1.0, [0, 1, 2, 3]),  # z = 1 switches it off
        ([2.0, 1.0, 0.0, -1.0], 0.0, [0]),  # the first index that may cut is 1, and keeps 1
        ([1.0] * 12, 0.5, [0, 1, 2, 3, 4]),  # all alike: ten equal weights, the sixth passes one half: index 5
        ([3.0, 1.0, 3.0, 2.5, 2.5, 0.5, -1.0, 0.0], 0.9, [0, 2, 3]),  # 2.5 stands twice: the lower id stays
    ],
)
def test_tail_free_golden_vectors(logits: list[float], z: float, wanted: list[int]) -> None:
    assert kept(logits, tail_free_z=z) == wanted


def peaked(dice: np.random.Generator, size: int) -> Row:
    """Logits shaped like a language model's: a broad low bulk and some hundred likely tokens."""
    row = dice.normal(0, 1.6, size)
    likely = dice.integers(0, size, 150)
    row[likely] += dice.exponential(dice.uniform(0.5, 5), 150) + 2
    return row.astype(np.float32)


def rows(count: int, size: int) -> list[Row]:
    dice = np.random.default_rng(7)
    made: list[Row] = []
    while len(made) < count:
        made += [
            peaked(dice, size),
            dice.normal(0, 0.05, size).astype(np.float32),
            np.round(peaked(dice, size), 0),
            np.full(size, 3, dtype=np.float32) + (dice.random(size) < 0.5).astype(np.float32) * np.float32(1e-6),
            peaked(dice, size) + 25 * (np.arange(size) == 17).astype(np.float32),
            np.where(np.arange(size) % 3 == 0, np.float32(LOW), peaked(dice, size)),
        ]
    return made[:count]


@pytest.mark.parametrize(
    "settings",
    [
        SamplingSettings(tail_free_z=0.9),
        SamplingSettings(tail_free_z=0.5, top_p=0.9, min_p=0.05),
        SamplingSettings(top_k=40, tail_free_z=0.95),
        SamplingSettings(top_k=3, top_p=0.5),
        SamplingSettings(top_p=0.92),
        SamplingSettings(min_p=0.05),
        SamplingSettings(min_p=1e-7, top_p=0.999),
        SamplingSettings(tail_free_z=0.999),
        SamplingSettings(),
    ],
    ids=str,
)
def test_the_stages_leave_exactly_what_the_literal_ones_leave(settings: SamplingSettings) -> None:
    for row in rows(24, 2000):
        left = candidates(row.astype(np.float64), settings)
        assert left.tokens.tolist() == reference.kept(row.tolist(), settings)


@given(
    st.lists(st.sampled_from([LOW, -5.0, -1.0, 0.0, 0.5, 1.0, 1.001, 2.0, 9.0]) | st.floats(-30, 30), min_size=1, max_size=40),
    st.sampled_from([0.0, 0.1, 0.5, 0.9, 0.99]),
)
def test_tail_free_equals_the_literal_formula_on_anything(logits: list[float], z: float) -> None:
    if max(logits) == LOW:
        logits[0] = 0.0
    settings = SamplingSettings(tail_free_z=z)
    wanted = reference.kept(logits, settings)
    found = kept(logits, tail_free_z=z)
    # Where a running sum meets z to the last bit, rounding decides; a neighbour of z then gives the other answer.
    near = [reference.kept(logits, SamplingSettings(tail_free_z=min(max(z + shift, 0), 1))) for shift in (-1e-12, 1e-12)]
    assert found in (wanted, *near)


def test_the_short_way_and_the_long_way_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = SamplingSettings(tail_free_z=0.9, top_p=0.95)
    short = [candidates(row.astype(np.float64), settings).tokens.tolist() for row in rows(60, 3000)]
    monkeypatch.setattr(sampling, "WINDOWS", ())
    assert [candidates(row.astype(np.float64), settings).tokens.tolist() for row in rows(60, 3000)] == short


@pytest.mark.parametrize("window", [0.01, 0.3, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("z", [0.3, 0.6, 0.9])
def test_however_little_is_looked_at_first_the_outcome_is_the_same(
    window: float, z: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "WINDOWS", (window,))
    dice = np.random.default_rng(5)
    for size, spread in itertools.product((5, 6, 8, 12, 30, 200), (0.2, 1.0, 3.0)):
        steps = np.array([0, 0.2, 0.9, 1.001, 1.01, 1.3, 3.0]) * -window  # some just out of sight, where they weigh most
        for row in (*dice.normal(0, spread, (20, size)), *dice.choice(steps, (40, size))):
            assert kept(row.tolist(), tail_free_z=z) == reference.kept(row.tolist(), SamplingSettings(tail_free_z=z))


def test_the_whole_chain_draws_what_the_literal_chain_draws() -> None:
    said = np.random.default_rng(1).integers(0, 2000, 300).tolist()
    sampler = Sampler(LIMARP, 99, said)
    dice = np.random.Generator(np.random.PCG64(99))
    for row in rows(30, 2000):
        after = reference.penalized(row.tolist(), said, LIMARP)
        left = reference.kept(after, LIMARP)
        wanted = left[0] if len(left) == 1 else reference.drawn(after, left, LIMARP.temperature, dice.random())
        assert sampler.draw(row) == wanted
        said.append(wanted)


def test_a_row_is_not_changed_by_drawing_from_it() -> None:
    row = peaked(np.random.default_rng(3), 100)
    before = row.copy()
    Sampler(LIMARP, 1, range(100)).draw(row)
    assert (row == before).all()


def test_the_same_seed_draws_the_same_and_another_seed_does_not() -> None:
    row = np.zeros(1000, dtype=np.float32)
    first, again, other = (
        [sampler.draw(row) for _ in range(5)] for sampler in (Sampler(SamplingSettings(), seed, ()) for seed in (1, 1, 2))
    )
    assert first == again != other


@pytest.mark.parametrize("seed", [0, -1, 2**64, -(2**70)])
def test_any_number_is_a_seed(seed: int) -> None:
    assert Sampler(SamplingSettings(), seed, ()).draw(np.zeros(4, dtype=np.float32)) in range(4)


def test_impossible_tokens_are_never_drawn() -> None:
    row = np.array([LOW, 0.0, LOW, 0.0, LOW], dtype=np.float32)
    sampler = Sampler(SamplingSettings(temperature=5.0), 1, ())
    assert {sampler.draw(row) for _ in range(50)} == {1, 3}


def test_temperature_zero_takes_the_likeliest_and_of_equals_the_lowest_id() -> None:
    assert Sampler(GREEDY, 1, ()).draw(np.array([1.0, 2.0, 2.0], dtype=np.float32)) == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_numbers_that_are_none_are_an_error(bad: float) -> None:
    with pytest.raises(ValueError, match="no usable numbers"):
        Sampler(LIMARP, 1, ()).draw(np.array([0.0, bad], dtype=np.float32))


def test_a_row_without_any_possible_token_is_an_error() -> None:
    with pytest.raises(ValueError, match="no usable numbers"):
        Sampler(LIMARP, 1, ()).draw(np.array([LOW, LOW], dtype=np.float32))


def test_each_said_token_is_penalized_once_however_often_it_was_said() -> None:
    sampler = Sampler(SamplingSettings(repetition_penalty=2.0, penalty_range=4), 1, (3, 3, 0, 1, 0, 1))
    row = np.array([2.0, -2.0, 1.0, 1.0], dtype=np.float32)
    assert sampler.penalized(row).tolist() == [1.0, -4.0, 1.0, 1.0]


def test_a_drawn_token_is_penalized_from_then_on() -> None:
    sampler = Sampler(SamplingSettings(temperature=0.0, repetition_penalty=2.0), 1, ())
    row = np.array([1.5, 2.0], dtype=np.float32)
    assert [sampler.draw(row) for _ in range(3)] == [1, 0, 1]


def test_the_newline_can_be_spared() -> None:
    row = np.array([2.0, 2.0], dtype=np.float32)
    spared = SamplingSettings(repetition_penalty=2.0, penalize_newline=False)
    assert Sampler(spared, 1, (0, 1), newline=1).penalized(row).tolist() == [1.0, 2.0]
    assert Sampler(SamplingSettings(repetition_penalty=2.0), 1, (0, 1), newline=1).penalized(row).tolist() == [1.0, 1.0]


@given(st.integers(0, 12), st.lists(st.integers(0, 9), max_size=60), st.integers(0, 60))
def test_the_window_holds_the_distinct_tokens_of_its_range(size: int, tokens: list[int], split: int) -> None:
    window = PenaltyWindow(size, tokens[:split])
    for token in tokens[split:]:
        window.add(token)
    assert sorted(window.tokens.tolist()) == sorted(set(tokens[len(tokens) - size :] if size < len(tokens) else tokens))


def test_the_window_grows_with_what_is_said() -> None:
    window = PenaltyWindow(1000, range(500))
    assert sorted(window.tokens.tolist()) == list(range(500))
