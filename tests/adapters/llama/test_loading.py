import logging
from pathlib import Path

import pytest

from adapters.llama.library import Handle, low
from adapters.llama.loading import describe, load, weigh
from bot.errors import ModelNotLoaded
from bot.story.policy import Rating
from tests.adapters.llama.conftest import ModelFiles
from tests.models import DEMO_MODEL

DEMO_BYTES = DEMO_MODEL.stat().st_size


def refusal(path: Path) -> str:
    """The one sentence (with its advice) that opening this file raises."""
    with pytest.raises(ModelNotLoaded) as refused:
        load(path, gpu_layers=0)
    sentence = str(refused.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    assert sentence.endswith((".", "!"))
    return sentence


def test_a_model_is_loaded_with_its_facts() -> None:
    model = load(DEMO_MODEL, gpu_layers=0)
    assert model.facts == describe(DEMO_MODEL)
    assert (model.facts.architecture, model.facts.begin_text, model.facts.end_text) == ("llama", "<s>", "</s>")
    assert model.facts.trained_context >= 1024
    model.free()
    model.free()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "There is no model file" in refusal(tmp_path / "none.gguf")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "not of the folder" in refusal(tmp_path)


def test_an_empty_file_is_named(small_model: ModelFiles) -> None:
    assert "is empty" in refusal(small_model.bytes(b""))


@pytest.mark.parametrize("content", [b"Hello, I am a text.", b"G", b"\0" * 4096], ids=["text", "one byte", "zeros"])
def test_what_is_no_gguf_is_said_to_be_none(small_model: ModelFiles, content: bytes) -> None:
    assert "is not a GGUF file" in refusal(small_model.bytes(content))


@pytest.mark.parametrize("size", [4, 5, 24, 200, 60_000, DEMO_BYTES // 2, DEMO_BYTES - 1])
def test_a_truncated_file_is_refused_with_what_to_do(small_model: ModelFiles, size: int) -> None:
    sentence = refusal(small_model.cut(size))
    assert "cut short" in sentence
    assert "download this one again" in sentence


def test_a_version_of_the_format_that_does_not_exist_is_refused(small_model: ModelFiles) -> None:
    assert "another version" in refusal(small_model.bytes(b"GGUF" + (999).to_bytes(4, "little") + bytes(100)))


def test_an_unknown_architecture_is_named(small_model: ModelFiles) -> None:
    sentence = refusal(small_model.write("stagehand"))
    assert "architecture" in sentence
    assert "stagehand" in sentence


def test_a_file_with_a_vocabulary_only_is_refused(small_model: ModelFiles) -> None:
    assert "weights are missing" in refusal(small_model.write(weights=False))


def test_a_file_without_a_vocabulary_is_refused(small_model: ModelFiles) -> None:
    assert "vocabulary" in refusal(small_model.write(vocabulary=False))


def test_a_file_with_missing_facts_is_refused(small_model: ModelFiles) -> None:
    assert "facts are missing" in refusal(small_model.write("bert"))


def test_a_whole_model_that_does_not_write_is_refused(small_model: ModelFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(low, "llama_model_has_decoder", lambda _model: False)
    assert "does not write text on" in refusal(small_model.write())


def test_a_small_model_that_lacks_nothing_is_loaded(small_model: ModelFiles) -> None:
    load(small_model.write(), gpu_layers=0).free()


def test_a_file_that_cannot_be_read_is_named(small_model: ModelFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    path = small_model.cut(100)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "right to read it" in refusal(path)


@pytest.mark.parametrize(("built", "extra"), [(b"CPU : AVX2 = 1 | AMX_INT8 = 1 | ", False), (b"CPU : AVX2 = 1 | ", True)])
def test_kernels_that_gcc_12_breaks_stay_unused_where_the_library_has_them(
    built: bytes, *, extra: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[low.llama_model_params] = []
    loading = low.llama_model_load_from_file

    def noting(path: bytes, params: low.llama_model_params) -> Handle:
        asked.append(params)
        return loading(path, params)

    monkeypatch.setattr(low, "llama_print_system_info", lambda: built)
    monkeypatch.setattr(low, "llama_model_load_from_file", noting)
    load(DEMO_MODEL, gpu_layers=0).free()
    assert [params.use_extra_bufts for params in asked] == [extra]


@pytest.mark.parametrize(
    ("built_for_gpus", "layers", "on_gpu"), [(False, -1, False), (True, 0, False), (True, -1, True), (True, 3, True)]
)
def test_it_is_known_whether_layers_may_be_on_a_gpu(
    built_for_gpus: bool,  # noqa: FBT001 - a parameter of the test
    layers: int,
    *,
    on_gpu: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(low, "llama_supports_gpu_offload", lambda: built_for_gpus)
    model = load(DEMO_MODEL, gpu_layers=layers)
    assert model.on_gpu is on_gpu
    model.free()


@pytest.mark.parametrize(
    ("written", "rating"),
    [("general", Rating.GENERAL), ("adult", Rating.ADULT), ("General", Rating.UNRATED), ("unrated", Rating.UNRATED)],
)
def test_a_rating_counts_only_when_it_is_one_of_the_two_words(small_model: ModelFiles, written: str, rating: Rating) -> None:
    assert describe(small_model.write(keys={"understudy.rating": written})).rating is rating


def test_a_file_without_a_rating_is_unrated(small_model: ModelFiles) -> None:
    facts = describe(small_model.write())
    assert (facts.rating, facts.name, facts.trained_context) == (Rating.UNRATED, "llama", 256)


def test_the_chat_template_is_read_whole(small_model: ModelFiles) -> None:
    template = "{{ messages }}" * 5000 + "é"
    assert describe(small_model.write(keys={"tokenizer.chat_template": template})).chat_template == template


def test_nothing_is_printed_while_loading(capfd: pytest.CaptureFixture[str], small_model: ModelFiles) -> None:
    load(DEMO_MODEL, gpu_layers=0).free()
    refusal(small_model.cut(1000))
    assert capfd.readouterr() == ("", "")


def test_what_the_library_says_goes_to_our_log(caplog: pytest.LogCaptureFixture, small_model: ModelFiles) -> None:
    with caplog.at_level(logging.DEBUG, "adapters.llama.library"):
        refusal(small_model.write("stagehand"))
    assert any("unknown model architecture" in record.message for record in caplog.records)


def test_a_model_is_weighed_without_its_weights_being_read() -> None:
    weight, model = weigh(DEMO_MODEL), load(DEMO_MODEL, gpu_layers=0)
    assert weight.facts == model.facts
    assert weight.parameters == low.llama_model_n_params(model.handle)
    assert weight.weight_bytes == low.llama_model_size(model.handle)
    assert (weight.window, weight.is_recurrent) == (0, False)
    model.free()


def test_a_model_that_does_not_write_is_not_weighed(small_model: ModelFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(low, "llama_model_has_decoder", lambda _model: False)
    with pytest.raises(ModelNotLoaded, match="does not write text on"):
        weigh(small_model.write())
