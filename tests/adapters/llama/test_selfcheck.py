import pytest

from adapters.llama.sampling import stages
from adapters.llama.sampling.sampler import Sampler
from adapters.llama.selfcheck import GOLDEN, Golden, check_sampling
from bot.errors import ModelNotLoaded
from tests.adapters.llama import reference
from tests.adapters.llama.samplers import named


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: named(golden.settings))
def test_what_is_known_by_heart_follows_from_the_formula(golden: Golden) -> None:
    left = reference.left(golden.logits, golden.settings, said=golden.said)
    assert tuple(reference.in_order(left)) == golden.kept


def test_a_right_sampler_passes() -> None:
    check_sampling()


def test_a_wrong_cut_is_found_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "first_above", lambda _sums, _z: 2)
    with pytest.raises(ModelNotLoaded, match="Sampling gives wrong results"):
        check_sampling()


def test_a_wrong_penalty_is_found_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sampler, "_shifted", lambda _self, _stage, logits, _amounts: logits)
    with pytest.raises(ModelNotLoaded, match="Install numpy again"):
        check_sampling()
