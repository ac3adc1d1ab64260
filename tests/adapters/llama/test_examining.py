from pathlib import Path

import gguf
import numpy as np
import pytest

from adapters.llama.examining import AdapterReport, ModelReport, examine
from bot.errors import ModelNotLoaded
from bot.story.policy import Rating
from tests.adapters.llama.conftest import ModelFiles
from tests.models import DEMO_MODEL


def refusal(path: Path) -> str:
    with pytest.raises(ModelNotLoaded) as refused:
        examine(path)
    sentence = str(refused.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def model(path: Path) -> ModelReport:
    found = examine(path)
    assert isinstance(found, ModelReport)
    return found


def adapter_file(folder: Path, kind: str = "lora", rank: int = 4) -> Path:
    path = folder / "style.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", kind)
    writer.add_float32("adapter.lora.alpha", 16.0)
    writer.add_name("My style")
    writer.add_tensor("blk.0.attn_q.weight.lora_a", np.zeros((rank, 32), np.float32))
    writer.add_tensor("blk.0.attn_q.weight.lora_b", np.zeros((32, rank), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_the_demo_model_is_told_as_it_is() -> None:
    found = model(DEMO_MODEL)
    assert (found.facts.name, found.facts.architecture, found.facts.rating) == ("Understudy demo", "llama", Rating.GENERAL)
    assert (found.quantisation, next(iter(found.shares))) == ("Q8_0", "Q8_0")
    assert (found.vocabulary_kind, found.vocabulary_size) == ("SentencePiece", 4096)
    assert (found.prompt_format, found.format_trouble) == ("limarp", "")
    assert found.weight_bytes < DEMO_MODEL.stat().st_size < found.weight_bytes * 1.02
    assert found.parameters > found.weight_bytes * 0.9
    assert found.shape is not None
    assert found.doubts == ()


def test_a_file_that_does_not_name_its_mixture_is_told_by_its_tensors(small_model: ModelFiles) -> None:
    found = model(small_model.write())
    assert found.quantisation == "F32 (by its tensors)"
    assert found.parameters * 4 == found.weight_bytes


def test_a_chat_template_of_its_own_is_the_prompt_format(small_model: ModelFiles) -> None:
    template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    assert model(small_model.write(keys={"tokenizer.chat_template": template})).prompt_format == "gguf"


def test_a_chat_template_that_cannot_be_used_is_said_with_what_to_do(small_model: ModelFiles) -> None:
    found = model(small_model.write(keys={"tokenizer.chat_template": "{{ nonsense("}))
    assert found.prompt_format == ""
    assert "Set `format` to one of" in found.format_trouble


def test_an_adapter_is_told_apart_from_a_model(tmp_path: Path) -> None:
    found = examine(adapter_file(tmp_path, rank=4))
    assert isinstance(found, AdapterReport)
    assert (found.name, found.architecture, found.kind, found.alpha, found.rank) == ("My style", "llama", "lora", 16.0, 4)
    assert (found.parameters, found.weight_bytes) == (256, 1024)


def test_an_adapter_of_another_kind_is_refused(tmp_path: Path) -> None:
    assert "an adapter of the kind 'ia3'" in refusal(adapter_file(tmp_path, kind="ia3"))


def test_an_adapter_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = adapter_file(tmp_path)
    path.write_bytes(path.read_bytes()[:-512])
    assert "cut short" in refusal(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    assert "There is no model file" in refusal(tmp_path / "none.gguf")
    assert "not of the folder" in refusal(tmp_path)


@pytest.mark.parametrize(("content", "said"), [(b"", "is empty"), (b"Hello", "is not a GGUF file"), (b"GGUF", "cut short")])
def test_what_is_no_model_file_is_one_sentence(small_model: ModelFiles, content: bytes, said: str) -> None:
    assert said in refusal(small_model.bytes(content))


@pytest.mark.parametrize("size", [24, 200, 60_000, DEMO_MODEL.stat().st_size // 2, DEMO_MODEL.stat().st_size - 1])
def test_a_truncated_model_is_refused_though_no_weight_is_read(small_model: ModelFiles, size: int) -> None:
    assert "cut short" in refusal(small_model.cut(size))


def test_an_architecture_that_is_not_known_is_named(small_model: ModelFiles) -> None:
    assert "stagehand" in refusal(small_model.write("stagehand"))


def test_a_file_with_a_vocabulary_only_is_refused(small_model: ModelFiles) -> None:
    assert "weights are missing" in refusal(small_model.write(weights=False))


def test_a_file_without_a_vocabulary_is_refused(small_model: ModelFiles) -> None:
    assert "vocabulary" in refusal(small_model.write(vocabulary=False))
