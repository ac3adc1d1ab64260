"""Small models and adapters with random weights, written by the tests: whole, and of the kind of numbers that is asked for."""

import ctypes
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

from adapters.llama import library
from adapters.llama.library import low

LAYERS, WIDTH, HEADS, HIDDEN, CONTEXT = 2, 256, 4, 512, 2048

KINDS = {
    "F32": gguf.GGMLQuantizationType.F32,
    "F16": gguf.GGMLQuantizationType.F16,
    "Q8_0": gguf.GGMLQuantizationType.Q8_0,
    "Q4_0": gguf.GGMLQuantizationType.Q4_0,
}

K_KINDS = {"Q4_K_M": low.LLAMA_FTYPE_MOSTLY_Q4_K_M, "Q6_K": low.LLAMA_FTYPE_MOSTLY_Q6_K}
"""Kinds that only llama.cpp itself can write."""


def write_model(path: Path, kind: str, *, seed: int = 1) -> Path:
    """A model of the llama architecture that knows the 256 bytes and speaks nonsense."""
    if kind in K_KINDS:
        return _quantized(write_model(path.with_suffix(".f32"), "F32", seed=seed), path, K_KINDS[kind])
    writer = gguf.GGUFWriter(path, "llama")
    words = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁"]
    _add_facts(writer, words)
    dice = np.random.default_rng(seed)
    for name, shape in _shapes(len(words)).items():
        values = dice.normal(0, 0.08, shape).astype(np.float32)
        # Norms stay floats in every model.
        _add(writer, name, values + 1 if values.ndim == 1 else values, "F32" if values.ndim == 1 else kind)
    return _finished(writer, path)


def write_adapter(
    path: Path, kind: str = "F32", *, seed: int = 1, rank: int = 32, model: tuple[int, int, int] = (6, 320, 64)
) -> Path:
    """A LoRA adapter for a model of these layers, this width and this width of its keys; the demo model's without more."""
    layers, width, keys = model
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(rank))
    dice = np.random.default_rng(seed)
    for layer in range(layers):
        for part, out in (("q", width), ("k", keys)):
            name = f"blk.{layer}.attn_{part}.weight"
            _add(writer, f"{name}.lora_a", dice.normal(0, 0.1, (rank, width)).astype(np.float32), kind)
            _add(writer, f"{name}.lora_b", dice.normal(0, 0.1, (out, rank)).astype(np.float32), kind)
    return _finished(writer, path)


def _add_facts(writer: gguf.GGUFWriter, words: list[str]) -> None:
    kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(words)
    writer.add_token_scores([0.0] * len(words))
    writer.add_token_types([*kinds, *[gguf.TokenType.BYTE] * 256, gguf.TokenType.NORMAL])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)


def _shapes(words: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"token_embd": (words, WIDTH), "output": (words, WIDTH), "output_norm": (WIDTH,)}
    for layer in range(LAYERS):
        shapes |= {f"blk.{layer}.{norm}_norm": (WIDTH,) for norm in ("attn", "ffn")}
        shapes |= {f"blk.{layer}.attn_{part}": (WIDTH, WIDTH) for part in ("q", "k", "v", "output")}
        shapes |= {f"blk.{layer}.ffn_{part}": (HIDDEN, WIDTH) for part in ("gate", "up")}
        shapes[f"blk.{layer}.ffn_down"] = (WIDTH, HIDDEN)
    return {f"{name}.weight": shape for name, shape in shapes.items()}


def _add(writer: gguf.GGUFWriter, name: str, values: npt.NDArray[np.float32], kind: str) -> None:
    if kind in {"F32", "F16"}:
        writer.add_tensor(name, values.astype(np.float16) if kind == "F16" else values)
    else:
        writer.add_tensor(name, gguf.quants.quantize(values, KINDS[kind]), raw_dtype=KINDS[kind])


def _finished(writer: gguf.GGUFWriter, path: Path) -> Path:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _quantized(source: Path, path: Path, kind: int) -> Path:
    library.start()
    params = low.llama_model_quantize_default_params()
    params.ftype = kind
    params.nthread = 1
    done = low.llama_model_quantize(bytes(source), bytes(path), ctypes.byref(params))
    assert done == 0, "llama.cpp could not quantise the model"
    return path
