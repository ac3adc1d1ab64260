from pathlib import Path

import numpy as np
import pytest

from adapters.llama.library import low
from adapters.llama.loading import load
from adapters.llama.lora import AdapterFile
from adapters.llama.runner import LlamaRunner, RunnerSettings
from bot.errors import ModelNotLoaded
from bot.ports.runner import Stretch
from bot.sampling import SamplingSettings
from tests.adapters.llama.conftest import ModelFiles
from tests.adapters.llama.watched import WatchedRunner
from tests.adapters.llama.weights import write_adapter
from tests.models import DEMO_MODEL

SETTINGS = RunnerSettings(slots=4, context=256, batch=64, threads=1, chunk=32)
GREEDY = SamplingSettings(temperature=0.0)
STORY = tuple(range(300, 330))


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    return write_adapter(tmp_path / "lora.gguf")


def refusal(*files: AdapterFile) -> str:
    model = load(DEMO_MODEL, gpu_layers=0)
    with pytest.raises(ModelNotLoaded) as refused:
        LlamaRunner(model, SETTINGS, files)
    model.free()
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def test_an_adapter_changes_what_is_written_by_its_scale_and_only_where_it_is_asked_for(adapter: Path) -> None:
    files = (AdapterFile("full", adapter), AdapterFile("half", adapter, 0.5))
    runner = WatchedRunner(load(DEMO_MODEL, gpu_layers=0), SETTINGS, files)
    rows = []
    for slot, name in enumerate(("", "full", "half", "")):
        runner.begin(slot, GREEDY, 1, ())
        runner.step((Stretch(slot, STORY, 0, draws=True),), name)
        rows.append(runner.seen[-1].row)
    runner.close()
    plain, full, half, again = rows
    assert np.array_equal(plain, again)
    assert np.abs(full - plain).max() > np.abs(half - plain).max() > 0.01


def test_adapters_are_switched_only_when_another_one_is_asked_for(adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = LlamaRunner(load(DEMO_MODEL, gpu_layers=0), SETTINGS, (AdapterFile("one", adapter),))
    switched: list[int] = []
    switch = low.llama_set_adapters_lora

    def noting(context: object, adapters: object, count: int, scales: object) -> int:
        switched.append(count)
        return int(switch(context, adapters, count, scales))

    monkeypatch.setattr(low, "llama_set_adapters_lora", noting)
    for slot, name in ((0, ""), (1, "one"), (2, "one"), (3, "")):
        runner.step((Stretch(slot, (65,), 0, draws=False),), name)
    runner.close()
    assert switched == [1, 0]


def test_with_an_adapter_replies_are_exact_only_when_that_is_asked_for(adapter: Path) -> None:
    for exact, is_exact in ((None, False), (True, True)):
        settings = RunnerSettings(slots=2, context=256, batch=64, threads=1, exact=exact)
        runner = LlamaRunner(load(DEMO_MODEL, gpu_layers=0), settings, (AdapterFile("one", adapter),))
        assert runner.is_exact is is_exact
        runner.close()


@pytest.mark.parametrize("name", ["", "a:b", "a b", "-a", "x" * 65, "é", "a\n"])
def test_a_name_that_could_not_be_asked_for_is_refused(adapter: Path, name: str) -> None:
    assert "cannot be called" in refusal(AdapterFile(name, adapter))


def test_two_adapters_of_one_name_are_refused(adapter: Path) -> None:
    assert "Two adapters are called one" in refusal(AdapterFile("one", adapter), AdapterFile("one", adapter))


@pytest.mark.parametrize("scale", [0.0, float("nan"), float("inf")])
def test_a_scale_that_means_nothing_is_refused(adapter: Path, scale: float) -> None:
    assert "other than 0" in refusal(AdapterFile("one", adapter, scale))


def test_a_missing_adapter_is_named(tmp_path: Path) -> None:
    assert f"no file of the adapter one at {tmp_path / 'none'}" in refusal(AdapterFile("one", tmp_path / "none"))


def test_an_adapter_of_another_model_is_named(tmp_path: Path) -> None:
    other = write_adapter(tmp_path / "other.gguf", model=(2, 256, 256))
    sentence = refusal(AdapterFile("one", other))
    assert f"{other} cannot be used as the adapter one" in sentence
    assert "incorrect shape" in sentence


def test_what_is_no_adapter_is_named(small_model: ModelFiles) -> None:
    for path in (small_model.bytes(b"GGUF, but not really"), DEMO_MODEL):
        assert f"{path} cannot be used as the adapter one" in refusal(AdapterFile("one", path))
