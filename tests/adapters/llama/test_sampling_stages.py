"""Every stage against its formula, written out literally, by the short way and by the long one."""

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.llama.sampling import Sampler, candidates, draw_rows
from adapters.llama.sampling import chain as chains
from bot.sampling import ORDER, WARM_FIRST, SamplingSettings
from tests.adapters.llama import reference
from tests.adapters.llama.samplers import LOW, EightWords, Row, named, rows

ROWS_OF_ALL_KINDS = [
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
]
ONE_STAGE = [
    *(SamplingSettings(tail_free_z=z) for z in (0.0, 0.1, 0.5, 0.9, 0.99, 1.0)),
    *(SamplingSettings(top_k=k) for k in (1, 2, 5, 45, 1000)),
    *(SamplingSettings(top_p=p) for p in (0.0, 0.3, 0.72, 0.97)),
    *(SamplingSettings(min_p=p) for p in (1e-7, 0.03, 0.4, 1.0)),
    *(SamplingSettings(typical_p=p) for p in (0.0, 0.13, 0.57, 0.923)),
    *(SamplingSettings(xtc_probability=1.0, xtc_threshold=t) for t in (0.0, 0.01, 0.1, 0.33, 0.5, 0.51)),
]
CHAINS = [
    SamplingSettings(tail_free_z=0.5, top_p=0.9, min_p=0.05),
    SamplingSettings(top_k=40, tail_free_z=0.95),
    SamplingSettings(top_k=3, top_p=0.5),
    SamplingSettings(min_p=1e-7, top_p=0.999),
    SamplingSettings(tail_free_z=0.999),
    SamplingSettings(typical_p=0.4, min_p=0.05),
    SamplingSettings(temperature=0.6, top_p=0.8, order=WARM_FIRST),
    SamplingSettings(temperature=1.7, tail_free_z=0.9, xtc_probability=1.0, order=WARM_FIRST),
    SamplingSettings(min_p=0.02, xtc_probability=1.0),
    SamplingSettings(xtc_probability=1.0, xtc_threshold=0.03, top_p=0.6, order=("xtc", *ORDER[:7], "temperature")),
    SamplingSettings(temperature=0.5, min_p=0.3, typical_p=0.8, order=ORDER[::-1]),
    SamplingSettings(),
]


Look = Callable[..., None]


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Iterator[Look]:
    """Sets how far down is looked before all is looked at."""

    def set_windows(*windows: float) -> None:
        chains.chain_of.cache_clear()
        monkeypatch.setattr(chains, "_windows", lambda _first, _settings: windows)

    yield set_windows
    chains.chain_of.cache_clear()


def kept(row: Row, settings: SamplingSettings) -> list[int]:
    return candidates(Sampler(settings, 1, (), words=EightWords(len(row))), row)


def wanted(row: Row, settings: SamplingSettings) -> list[int]:
    return reference.in_order(reference.left(row.tolist(), settings))


@pytest.mark.parametrize("settings", ONE_STAGE, ids=named)
def test_a_stage_keeps_exactly_what_its_literal_formula_keeps(settings: SamplingSettings) -> None:
    for logits in ROWS_OF_ALL_KINDS:
        row = np.array(logits, dtype=np.float32)
        assert kept(row, settings) == wanted(row, settings), logits


@pytest.mark.parametrize("settings", [*CHAINS, *ONE_STAGE], ids=named)
def test_large_rows_are_cut_exactly_too(settings: SamplingSettings) -> None:
    for row in rows(14, 2000):
        assert kept(row, settings) == wanted(row, settings)


@pytest.mark.parametrize("settings", [*CHAINS, *ONE_STAGE], ids=named)
def test_the_short_way_and_the_long_way_agree(settings: SamplingSettings, look: Look) -> None:
    made = rows(14, 3000, seed=9)
    look(0.5, 2.0, 5.0, 9.0)
    short = [kept(row, settings) for row in made]
    look()
    assert [kept(row, settings) for row in made] == short


@pytest.mark.parametrize("window", [0.01, 0.3, 1.0, 2.0, 4.0])
@pytest.mark.parametrize(
    "settings",
    [
        *(SamplingSettings(tail_free_z=z) for z in (0.3, 0.6, 0.9)),
        SamplingSettings(typical_p=0.4),
        SamplingSettings(xtc_probability=1.0, xtc_threshold=0.06),
        SamplingSettings(top_p=0.7),
        SamplingSettings(min_p=0.3),
    ],
    ids=named,
)
def test_however_little_is_looked_at_first_the_outcome_is_the_same(
    window: float, settings: SamplingSettings, look: Look
) -> None:
    look(window)
    dice = np.random.default_rng(5)
    for size, spread in itertools.product((3, 5, 6, 8, 12, 30, 200), (0.2, 1.0, 3.0)):
        steps = np.array([0, 0.2, 0.9, 1.001, 1.01, 1.3, 3.0]) * -window  # some just out of sight, where they weigh most
        for made in (*dice.normal(0, spread, (12, size)), *dice.choice(steps, (24, size))):
            row = made.astype(np.float32)
            assert kept(row, settings) == wanted(row, settings)


@pytest.mark.parametrize("temperature", [0.6, 1.0, 3.0])
@pytest.mark.parametrize("window", [0.3, 2.0, 6.0])
def test_a_draw_from_everything_does_not_depend_on_how_much_is_looked_at(temperature: float, window: float, look: Look) -> None:
    settings = SamplingSettings(temperature=temperature)

    def drawn() -> list[int]:
        made = np.stack(rows(70, 300, seed=4))
        return draw_rows([Sampler(settings, seed, (), words=EightWords(300)) for seed in range(70)], made)

    look(window)
    short = drawn()
    look()
    assert drawn() == short


@given(
    st.lists(st.sampled_from([LOW, -5.0, -1.0, 0.0, 0.5, 1.0, 1.001, 2.0, 9.0]) | st.floats(-30, 30), min_size=1, max_size=40),
    st.sampled_from([0.0, 0.1, 0.5, 0.9, 0.99]),
)
def test_tail_free_equals_the_literal_formula_on_anything(logits: list[float], z: float) -> None:
    if max(logits) == LOW:
        logits[0] = 0.0
    row = np.array(logits, dtype=np.float32)
    found = kept(row, SamplingSettings(tail_free_z=z))
    # Where a running sum meets z to the last bit, rounding decides; a neighbour of z then gives the other answer.
    assert found in [wanted(row, SamplingSettings(tail_free_z=min(max(z + shift, 0), 1))) for shift in (0, -1e-12, 1e-12)]


def test_temperature_before_a_cut_changes_the_cut_and_after_it_does_not() -> None:
    row = np.array([3.0, 2.0, 1.0, 0.0], dtype=np.float32)
    for temperature, count in ((0.5, 1), (1.0, 2), (3.0, 4)):
        before = SamplingSettings(temperature=temperature, min_p=0.3, order=WARM_FIRST)
        assert len(kept(row, before)) == count
        assert len(kept(row, SamplingSettings(temperature=temperature, min_p=0.3))) == 2


def test_xtc_leaves_the_likeliest_where_no_other_is_likely() -> None:
    row = np.array([9.0, 1.0, 0.5], dtype=np.float32)
    assert kept(row, SamplingSettings(xtc_probability=1.0, xtc_threshold=0.1)) == [0, 1, 2]


def test_xtc_happens_as_often_as_its_probability_says() -> None:
    row = np.array([1.0, 1.0], dtype=np.float32)
    settings = SamplingSettings(xtc_probability=0.3)
    happened = sum(len(candidates(Sampler(settings, seed, (), words=EightWords(2)), row)) == 1 for seed in range(2000))
    assert 500 < happened < 700
