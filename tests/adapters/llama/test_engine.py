import logging
import os
from pathlib import Path

import pytest

from adapters.llama import engine, selfcheck
from adapters.llama.engine import USUAL_CONTEXT, open_engine
from adapters.llama.library import low
from adapters.llama.loading import LoadedModel, describe
from adapters.llama.lora import AdapterFile
from adapters.llama.runner import LlamaRunner, RunnerSettings
from bot.errors import ModelNotLoaded
from bot.ids import SessionId
from bot.ports.engine import GenerationRequest, Segment, TextDelta
from bot.sampling import LIMARP
from bot.story.policy import Rating
from tests.adapters.llama.weights import write_adapter
from tests.models import DEMO_MODEL

TRAINED = describe(DEMO_MODEL).trained_context


async def test_it_opens_a_model_that_writes() -> None:
    opened = open_engine(DEMO_MODEL, context=256, threads=1, gpu_layers=0)
    story = (Segment("### Input:\nTobias: Hello.\n\n### Response:\nMira:", trusted=True),)
    stream = opened.generate(GenerationRequest(SessionId("one"), story, 20, LIMARP, seed=1))
    assert len("".join([each.text async for each in stream if isinstance(each, TextDelta)])) > 10
    assert (await opened.capabilities()).context == 256
    await opened.close()


async def test_without_a_wish_the_context_is_the_usual_one_or_what_the_model_was_trained_on() -> None:
    opened = open_engine(DEMO_MODEL, threads=1, gpu_layers=0)
    assert (await opened.capabilities()).context == min(USUAL_CONTEXT, TRAINED)
    await opened.close()


async def test_a_context_beyond_the_trained_one_is_cut_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        opened = open_engine(DEMO_MODEL, context=TRAINED + 1, threads=1, gpu_layers=0)
    assert (await opened.capabilities()).context == TRAINED
    assert f"trained on {TRAINED} tokens" in caplog.text
    await opened.close()


async def test_what_it_is_asked_for_reaches_the_runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[RunnerSettings, tuple[AdapterFile, ...]]] = []

    class Noting(LlamaRunner):
        def __init__(self, model: LoadedModel, settings: RunnerSettings, adapters: tuple[AdapterFile, ...]) -> None:
            asked.append((settings, adapters))
            super().__init__(model, settings, adapters)

    monkeypatch.setattr(engine, "LlamaRunner", Noting)
    adapters = (AdapterFile("warm", write_adapter(tmp_path / "warm.gguf"), 0.5),)
    opened = open_engine(
        DEMO_MODEL,
        context=256,
        slots=2,
        threads=1,
        batch=128,
        chunk=16,
        gpu_layers=0,
        cache_on_gpu=False,
        kv_type="q8_0",
        flash_attention=True,
        exact=True,
        adapters=adapters,
    )
    await opened.close()
    assert asked == [(RunnerSettings(2, 256, 128, 1, 16, False, "q8_0", True, True), adapters)]


def test_an_adapter_that_cannot_be_used_gives_the_model_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    freed: list[object] = []
    monkeypatch.setattr(low, "llama_model_free", freed.append)
    with pytest.raises(ModelNotLoaded, match="no file of the adapter"):
        open_engine(DEMO_MODEL, threads=1, gpu_layers=0, adapters=(AdapterFile("warm", tmp_path / "none"),))
    assert len(freed) == 1


@pytest.mark.parametrize("rating", [Rating.GENERAL, Rating.ADULT])
async def test_a_rating_given_by_the_operator_counts(rating: Rating) -> None:
    opened = open_engine(DEMO_MODEL, context=256, threads=1, gpu_layers=0, rating=rating)
    assert (await opened.capabilities()).rating is rating
    await opened.close()


def test_a_missing_model_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelNotLoaded, match="no model file"):
        open_engine(tmp_path / "none.gguf")


def test_sampling_is_checked_before_the_model_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selfcheck, "_draws_alike", lambda: False)
    with pytest.raises(ModelNotLoaded, match="Sampling gives wrong results"):
        open_engine(DEMO_MODEL)


def test_slots_that_cannot_be_had_give_the_model_back(monkeypatch: pytest.MonkeyPatch) -> None:
    freed: list[object] = []
    monkeypatch.setattr(low, "llama_model_free", freed.append)
    with pytest.raises(ModelNotLoaded, match="slots"):
        open_engine(DEMO_MODEL, slots=1000, threads=1, gpu_layers=0)
    assert len(freed) == 1


def test_one_core_is_left_for_everything_else_where_there_are_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    assert engine._spare_cores() == 3
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    assert engine._spare_cores() == 1
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert engine._spare_cores() == 7
