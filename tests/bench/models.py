"""Model files with random weights: the shape and the work of a real language model, and none of its knowledge.

They are written so that they go on writing words for as long as they are asked to: one dimension of the embedding is a
large constant, and the output row of every token that is not a plain word holds a negative weight there. No server has to be
told to ignore an end token, and what a model writes is tokenised anew much as it was written, as real prose is.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from string import ascii_lowercase, printable
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt

from adapters.llama import library
from adapters.llama.library import low
from adapters.llama.loading import RATING_KEY
from tests.house.project import ROOT

BUILD = ROOT / "build"
FILES = BUILD / "bench"
REAL_VOCABULARY = "llama_cpp_python-*/vendor/llama.cpp/models/ggml-vocab-llama-spm.gguf"
"""Where `make bench-peers` leaves Llama's vocabulary, below build/peers."""

NAME = "bench"
"""How every model is asked for."""

VOCABULARY = 32_000
CONTEXT = 16_384
BLOCK = 32
SPREAD = 73.3
"""The standard deviation of a byte between -127 and 127 of which all values are equally likely."""

LOGIT_SPREAD = 3.0
"""The standard deviation of the logits of plain words: flatter than a trained model's, so harder on a sampler."""

BAN = -1.5
CONSTANT_SHARE = 4.0
"""The square of the constant over the width: its share of the mean square, beside about 1 and another 0.8 for each layer."""
EMBEDDING, OUTPUT = "token_embd.weight", "output.weight"

Bytes = npt.NDArray[np.uint8]
Matrix = tuple[str, int, int]
"""A name, rows and columns."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The sizes of a llama-architecture model."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    hidden: int

    @property
    def constant(self) -> float:
        """What stands in the first dimension of every token's embedding."""
        return float((CONSTANT_SHARE * self.width) ** 0.5)

    @property
    def output_spread(self) -> float:
        """The standard deviation of the output's weights, from which logits of the wanted one come."""
        share = 1 + CONSTANT_SHARE / (1 + 0.8 * self.layers)
        return float(LOGIT_SPREAD * (share / self.width) ** 0.5)

    @property
    def kv_width(self) -> int:
        """How wide keys and values are."""
        return self.width // self.heads * self.kv_heads


SHAPES = {
    "tiny": ModelShape(layers=2, width=256, heads=4, kv_heads=2, hidden=768),
    "small": ModelShape(layers=4, width=1024, heads=8, kv_heads=4, hidden=2816),
    "half": ModelShape(layers=8, width=2048, heads=16, kv_heads=8, hidden=5632),
    "seven": ModelShape(layers=32, width=4096, heads=32, kv_heads=8, hidden=14_336),
}
"""0.02, 0.11, 0.5 and 7 billion weights; the last is Mistral-7B's shape, for machines with a GPU."""


@dataclass(frozen=True, slots=True)
class Words:
    """A vocabulary: the tokens' texts, scores and kinds."""

    origin: str
    texts: list[str]
    scores: list[float]
    kinds: list[int]

    @property
    def plain(self) -> npt.NDArray[np.bool_]:
        """Which tokens are a space and a word of plain letters: all that the models write."""
        normal = gguf.TokenType.NORMAL
        pairs = zip(self.texts, self.kinds, strict=True)
        return np.array([kind == normal and bool(re.fullmatch("▁[A-Za-z]+", text)) for text, kind in pairs])


def model_file(name: str, folder: Path = FILES, words: Words | None = None) -> Path:
    """The model of this size as Q4_K_M; written once, which takes seconds (half a billion weights: a minute)."""
    words = words or _real_words() or made_words()
    path = folder / f"{name}-{words.origin}-Q4_K_M.gguf"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        raw, unfinished = path.with_suffix(".q8_0"), path.with_suffix(".part")
        _write(raw, SHAPES[name], words)
        _quantise(raw, unfinished)
        raw.unlink()
        unfinished.rename(path)
    return path


def _real_words() -> Words | None:
    found = sorted((BUILD / "peers").glob(REAL_VOCABULARY))
    if not found:
        return None
    fields = gguf.GGUFReader(found[-1]).fields
    lists: dict[str, Any] = {part: fields[f"tokenizer.ggml.{part}"].contents() for part in ("tokens", "scores", "token_type")}
    return Words("spm", lists["tokens"], lists["scores"], lists["token_type"])


def made_words() -> Words:
    """Bytes, single characters, and all words of one to four letters until the vocabulary is full."""
    kinds = gguf.TokenType
    entries = [("<unk>", kinds.UNKNOWN), ("<s>", kinds.CONTROL), ("</s>", kinds.CONTROL)]
    entries += [(f"<0x{byte:02X}>", kinds.BYTE) for byte in range(256)]
    entries += [(character, kinds.NORMAL) for character in ("▁", *printable.split(" ")[0])]
    letters = (product(ascii_lowercase, repeat=length) for length in range(1, 5))
    words = ("▁" + "".join(word) for some in letters for word in some)
    entries += [(word, kinds.NORMAL) for word in islice(words, VOCABULARY - len(entries))]
    scores = [-float(index) for index in range(len(entries))]
    return Words("made", [text for text, _ in entries], scores, [int(kind) for _, kind in entries])


def _write(path: Path, shape: ModelShape, words: Words) -> None:
    """The model as Q8_0, one tensor at a time: seven billion weights need not fit into memory."""
    writer = gguf.GGUFWriter(path, "llama")
    _add_facts(writer, shape, words)
    plan = list(_plan(shape))
    for name, rows, columns in plan:
        size = (rows, columns // BLOCK * 34)
        writer.add_tensor_info(name, size, np.dtype(np.uint8), size[0] * size[1], gguf.GGMLQuantizationType.Q8_0)
    for name in _norms(shape):
        writer.add_tensor_info(name, (shape.width,), np.dtype(np.float32), 4 * shape.width)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    dice = np.random.default_rng(shape.width)
    for name, rows, columns in plan:
        writer.write_tensor_data(_weights(dice, (name, rows, columns), shape, words))
    for _ in _norms(shape):
        writer.write_tensor_data(np.ones(shape.width, np.float32))
    writer.close()


def _add_facts(writer: gguf.GGUFWriter, shape: ModelShape, words: Words) -> None:
    writer.add_name(NAME)
    writer.add_string(RATING_KEY, "general")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(words.texts))
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(words.texts)
    writer.add_token_scores(words.scores)
    writer.add_token_types(words.kinds)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)


def _plan(shape: ModelShape) -> Iterator[Matrix]:
    """Every matrix: its name, its rows and its columns."""
    yield EMBEDDING, VOCABULARY, shape.width
    yield OUTPUT, VOCABULARY, shape.width
    for layer in range(shape.layers):
        yield f"blk.{layer}.attn_q.weight", shape.width, shape.width
        yield f"blk.{layer}.attn_k.weight", shape.kv_width, shape.width
        yield f"blk.{layer}.attn_v.weight", shape.kv_width, shape.width
        yield f"blk.{layer}.attn_output.weight", shape.width, shape.width
        yield f"blk.{layer}.ffn_gate.weight", shape.hidden, shape.width
        yield f"blk.{layer}.ffn_up.weight", shape.hidden, shape.width
        yield f"blk.{layer}.ffn_down.weight", shape.width, shape.hidden


def _norms(shape: ModelShape) -> Iterator[str]:
    yield "output_norm.weight"
    for layer in range(shape.layers):
        yield from (f"blk.{layer}.{part}_norm.weight" for part in ("attn", "ffn"))


def _weights(dice: np.random.Generator, matrix: Matrix, shape: ModelShape, words: Words) -> Bytes:
    """A matrix of random bytes as Q8_0 blocks: a scale of half precision, then 32 values each."""
    name, rows, columns = matrix
    spread = {EMBEDDING: 1.0, OUTPUT: shape.output_spread}.get(name, columns**-0.5)
    blocks = np.empty((rows, columns // BLOCK, 34), np.uint8)
    blocks[:, :, :2] = np.frombuffer(np.float16(spread / SPREAD).tobytes(), np.uint8)
    values = dice.integers(-127, 128, (rows, columns // BLOCK, BLOCK), np.int8)
    blocks[:, :, 2:] = values.view(np.uint8)
    if name in {EMBEDDING, OUTPUT}:
        first = (values[:, 0, :] * np.float32(spread / SPREAD)).astype(np.float32)
        first[:, 0] = shape.constant if name == EMBEDDING else np.where(words.plain, 0.0, BAN)
        blocks[:, 0, :] = gguf.quants.quantize(first, gguf.GGMLQuantizationType.Q8_0)
    return blocks.reshape(rows, -1)


def _quantise(source: Path, target: Path) -> None:
    library.start()
    params = low.llama_model_quantize_default_params()
    params.ftype = low.LLAMA_FTYPE_MOSTLY_Q4_K_M
    params.allow_requantize = True
    with library.complaints() as lines:
        failed = low.llama_model_quantize(os.fsencode(source), os.fsencode(target), params)
    if failed:
        raise RuntimeError(f"{source} could not be quantised: {lines[0] if lines else failed}")
