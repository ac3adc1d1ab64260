"""Model files, made small and broken in every way a file can be."""

from pathlib import Path

import gguf
import numpy as np
import pytest

from tests.models import DEMO_MODEL


@pytest.fixture
def small_model(tmp_path: Path) -> "ModelFiles":
    return ModelFiles(tmp_path)


class ModelFiles:
    """Writes GGUF files into a folder: hardly a model, but whole unless it is told to leave something out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def bytes(self, content: bytes) -> Path:
        path = self.folder / "broken.gguf"
        path.write_bytes(content)
        return path

    def cut(self, size: int) -> Path:
        return self.bytes(DEMO_MODEL.read_bytes()[:size])

    def write(
        self,
        architecture: str = "llama",
        *,
        weights: bool = True,
        vocabulary: bool = True,
        keys: dict[str, str] | None = None,
        words: tuple[tuple[str, gguf.TokenType], ...] = (),
    ) -> Path:
        path = self.folder / f"{architecture}.gguf"
        writer = gguf.GGUFWriter(path, architecture)
        for key, value in (keys or {}).items():
            writer.add_string(key, value)
        tokens = _tokens(words)
        if vocabulary:
            _add_vocabulary(writer, tokens)
        _add_shape(writer)
        if weights:
            _add_weights(writer, len(tokens))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path


WIDTH, HIDDEN = 32, 64


def _tokens(words: tuple[tuple[str, gguf.TokenType], ...]) -> list[tuple[str, gguf.TokenType]]:
    control = [("<unk>", gguf.TokenType.UNKNOWN), ("<s>", gguf.TokenType.CONTROL), ("</s>", gguf.TokenType.CONTROL)]
    singles = [(f"<0x{byte:02X}>", gguf.TokenType.BYTE) for byte in range(256)]
    return [
        *control,
        *singles,
        ("▁", gguf.TokenType.NORMAL),
        ("▁a", gguf.TokenType.NORMAL),
        ("a", gguf.TokenType.NORMAL),
        *words,
    ]


def _add_vocabulary(writer: gguf.GGUFWriter, tokens: list[tuple[str, gguf.TokenType]]) -> None:
    writer.add_tokenizer_model("llama")
    writer.add_token_list([text for text, _ in tokens])
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types([kind for _, kind in tokens])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


def _add_shape(writer: gguf.GGUFWriter) -> None:
    writer.add_context_length(256)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(1)
    writer.add_layer_norm_rms_eps(1e-5)


def _add_weights(writer: gguf.GGUFWriter, vocabulary: int) -> None:
    shapes = {
        "token_embd": (vocabulary, WIDTH),
        "output": (vocabulary, WIDTH),
        "output_norm": (WIDTH,),
        "blk.0.attn_norm": (WIDTH,),
        "blk.0.ffn_norm": (WIDTH,),
        **{f"blk.0.attn_{part}": (WIDTH, WIDTH) for part in ("q", "k", "v", "output")},
        "blk.0.ffn_gate": (HIDDEN, WIDTH),
        "blk.0.ffn_up": (HIDDEN, WIDTH),
        "blk.0.ffn_down": (WIDTH, HIDDEN),
    }
    dice = np.random.default_rng(1)
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", dice.normal(0, 0.05, shape).astype(np.float32))
