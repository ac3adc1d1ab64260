"""What was said: the penalty window and DRY, kept up token by token as if counted anew each time."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.llama.sampling.repeats import Repeats
from adapters.llama.sampling.window import PenaltyWindow
from bot.sampling import SamplingSettings
from tests.adapters.llama import reference
from tests.adapters.llama.samplers import EightWords

WORDS = EightWords(16)


def dry(**changes: object) -> SamplingSettings:
    return SamplingSettings(dry_multiplier=0.8, **changes)  # type: ignore[arg-type]  # a test names fields only


def penalties(repeats: Repeats) -> dict[int, float]:
    tokens, amounts = repeats.penalties
    return dict(zip(tokens.tolist(), amounts.tolist(), strict=True))


@given(st.integers(0, 12), st.lists(st.integers(0, 9), max_size=60), st.integers(0, 60), st.none() | st.just(3))
def test_the_window_counts_the_tokens_of_its_range(size: int, tokens: list[int], split: int, spared: int | None) -> None:
    window = PenaltyWindow(size, tokens[:split], spared)
    for token in tokens[split:]:
        window.add(token)
    wanted = Counter(tokens[max(0, len(tokens) - size) :])
    wanted.pop(3 if spared == 3 else -1, None)
    assert dict(zip(window.tokens.tolist(), window.counts.tolist(), strict=True)) == wanted


def test_the_window_grows_with_what_is_said() -> None:
    window = PenaltyWindow(1000, range(500))
    for token in range(500, 900):
        window.add(token)
    assert sorted(window.tokens.tolist()) == list(range(900))
    assert set(window.counts.tolist()) == {1}


@given(
    st.lists(st.integers(0, 8), max_size=80),
    st.integers(0, 80),
    st.sampled_from([1, 4, 9, 60]),
    st.integers(1, 3),
    st.sampled_from([(), ("\n", ":"), ("*x", "\n"), ("ab",), ("*", "*d")]),
)
def test_dry_token_by_token_is_dry_from_scratch_and_the_literal_one(
    said: list[int], split: int, size: int, allowed: int, breakers: tuple[str, ...]
) -> None:
    settings = dry(dry_range=size, dry_allowed_length=allowed, dry_breakers=breakers)
    grown = Repeats(settings, said[:split], WORDS)
    for token in said[split:]:
        grown.add(token)
    wanted = pytest.approx(reference.dry(said, WORDS.piece, settings))
    assert penalties(grown) == wanted
    assert penalties(Repeats(settings, said, WORDS)) == wanted


@pytest.mark.parametrize("size", [3, 9, 20])
def test_dry_holds_at_every_step_of_a_text_far_longer_than_its_range(size: int) -> None:
    settings = dry(dry_range=size, dry_allowed_length=1, dry_breakers=())
    said: list[int] = []
    grown = Repeats(settings, said, WORDS)
    for token in [0, 1, 4, 7, 0, 1, 5] * 12:
        said.append(token)
        grown.add(token)
        assert penalties(grown) == pytest.approx(reference.dry(said, WORDS.piece, settings))


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ((0, 1, 4, 0, 1), {4: 0.8}),  # "a b" was said before, and x: came after it
        ((7, 0, 1, 4, 7, 0, 1), {4: 0.8 * 1.75}),  # three tokens alike: one more than is allowed
        ((0, 1, 4, 0), {}),  # one alike is less than is allowed
        ((0, 1, 4, 0, 1, 7, 0, 1), {4: 0.8, 7: 0.8}),  # two passages
        ((8, 0, 1, 4, 9, 0, 1, 4, 8, 0, 1), {4: 0.8 * 1.75}),  # of two ways to the same token, the longer
        ((0, 1, 4, 3, 0, 1), {4: 0.8}),  # the break is older than the passage
        ((0, 3, 1, 4, 0, 3, 1), {}),  # no passage is followed over a line break
        ((0, 1, 3, 0, 1), {}),  # and a line break goes on with none
        ((), {}),
    ],
)
def test_dry_by_heart(said: tuple[int, ...], wanted: dict[int, float]) -> None:
    settings = dry(dry_breakers=("\n",))
    assert penalties(Repeats(settings, said, EightWords(10, newline=3))) == pytest.approx(wanted)


def test_a_breaker_may_be_spelled_by_several_tokens() -> None:
    said = (5, 0, 1, 4, 7, 5, 0, 1)  # "*ab" "x:" " " "*ab"
    assert penalties(Repeats(dry(dry_breakers=()), said, WORDS)) == pytest.approx({4: 0.8 * 1.75})
    assert penalties(Repeats(dry(dry_breakers=("*a",)), said, WORDS)) == {}
    assert penalties(Repeats(dry(dry_breakers=("*a",), dry_allowed_length=1), said, WORDS)) == pytest.approx({4: 0.8})


def test_a_text_of_one_word_is_penalized_and_costs_no_more_than_any_other() -> None:
    said = [1] * 5000
    settings = dry(dry_range=5000, dry_breakers=())
    repeats = Repeats(settings, said, WORDS)
    grown = Repeats(settings, (), WORDS)
    for token in said[:1500]:
        grown.add(token)
    assert penalties(repeats) == penalties(grown) == {1: 0.8 * 1.75**158}  # where llama.cpp's 32-bit floats end
    assert int(np.max(repeats._lengths)) == 1000
