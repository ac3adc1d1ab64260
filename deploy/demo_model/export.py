"""Writes a trained network and its vocabulary as a GGUF file: Q8_0 matrices, F32 norms."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import sentencepiece
import torch

from .network import Network, Shape
from .vocabulary import BOS, EOS

DESCRIPTION = (
    "A very small model that shows the machinery of Understudy offline. It knows the manner of old novels and little "
    "else: do not judge roleplay by it."
)
_Q8_0 = gguf.GGMLQuantizationType.Q8_0


def export(work: Path, target: Path) -> None:
    """Write the model of the checkpoint in the work folder."""
    state = torch.load(work / "checkpoint.pt", weights_only=True)
    shape = Shape(**state["shape"])
    network = Network(shape)
    network.load_state_dict(state["network"])
    target.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(target, "llama")
    _describe(writer, shape)
    _add_vocabulary(writer, work / "vocabulary.model")
    for name, value in network.state_dict().items():
        _add_tensor(writer, name, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: gguf.GGUFWriter, shape: Shape) -> None:
    """Names, licence, rating and sizes."""
    writer.add_name("Understudy demo")
    writer.add_description(DESCRIPTION)
    writer.add_license("apache-2.0")
    writer.add_string("understudy.rating", "general")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(shape.norm_eps)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)


def _add_vocabulary(writer: gguf.GGUFWriter, path: Path) -> None:
    """The pieces with their scores and kinds, as llama.cpp's SPM tokenizer wants them."""
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(path))
    numbers = range(pieces.get_piece_size())
    writer.add_tokenizer_model("llama")
    writer.add_token_list([pieces.id_to_piece(i).encode() for i in numbers])
    writer.add_token_scores([pieces.get_score(i) for i in numbers])
    writer.add_token_types([_kind(pieces, i) for i in numbers])
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(EOS)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(True)


def _kind(pieces: sentencepiece.SentencePieceProcessor, number: int) -> int:
    """The GGUF token type of one piece."""
    if pieces.is_unknown(number):
        return int(gguf.TokenType.UNKNOWN)
    if pieces.is_control(number):
        return int(gguf.TokenType.CONTROL)
    return int(gguf.TokenType.BYTE if pieces.is_byte(number) else gguf.TokenType.NORMAL)


def _add_tensor(writer: gguf.GGUFWriter, name: str, value: torch.Tensor) -> None:
    """Add one weight under the name it has in the network, which is llama.cpp's own."""
    array = np.ascontiguousarray(value.float().numpy(), np.float32)
    if array.ndim > 1:
        writer.add_tensor(name, gguf.quants.quantize(array, _Q8_0), raw_dtype=_Q8_0)
    else:
        writer.add_tensor(name, array)
