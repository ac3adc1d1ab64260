import pytest

from adapters.hub import KNOWN, known_model
from adapters.hub.pulling import local_name


@pytest.mark.parametrize(
    "asked", ["ashhlimarp-q6_k", "ASHHLIMARP-Q6_K", "AshhLimaRP-Mistral-7B.Q6_K.gguf", "ashhlimarp-mistral-7b.q6_k"]
)
def test_a_known_model_is_found_by_its_name_and_by_its_file(asked: str) -> None:
    found = known_model(asked)
    assert found is not None
    assert found.address.file == "AshhLimaRP-Mistral-7B.Q6_K.gguf"


def test_what_is_not_known_is_not_guessed() -> None:
    assert known_model("ashhlimarp") is None


def test_every_known_model_can_be_fetched_by_its_own_name() -> None:
    assert [local_name(each.address.file) for each in KNOWN] == [each.address.file for each in KNOWN]
    assert len({each.name for each in KNOWN}) == len(KNOWN)
    assert all(each.address.repository.count("/") == 1 and each.gigabytes > 0 for each in KNOWN)
