import pytest

from adapters.llama import sampling
from adapters.llama.selfcheck import GOLDEN, check_sampling
from bot.errors import ModelNotLoaded
from bot.sampling import SamplingSettings
from tests.adapters.llama import reference


def test_what_is_known_by_heart_follows_from_the_formula() -> None:
    for golden in GOLDEN:
        assert tuple(reference.kept(golden.logits, SamplingSettings(tail_free_z=golden.z))) == golden.kept


def test_a_right_sampler_passes() -> None:
    check_sampling()


def test_a_wrong_cut_is_found_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "_first_above", lambda _sums, _z: 2)
    with pytest.raises(ModelNotLoaded, match="Sampling gives wrong results"):
        check_sampling()


def test_a_wrong_penalty_is_found_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling.Sampler, "penalized", lambda _self, row: row)
    with pytest.raises(ModelNotLoaded, match="Install numpy again"):
        check_sampling()
