import re

from gguf.constants import GGML_QUANT_SIZES
from llama_cpp import llama_cpp as low

from adapters.llama.quantisation import FILE_TYPES, TENSOR_TYPES


def test_the_types_of_tensors_are_those_of_the_format() -> None:
    theirs = {int(kind): (kind.name, *sizes) for kind, sizes in GGML_QUANT_SIZES.items()}
    assert {number: (kind.name, kind.block, kind.size) for number, kind in TENSOR_TYPES.items()} == theirs


def test_the_names_of_mixtures_are_those_of_the_library() -> None:
    theirs = {
        getattr(low, name): re.sub(r"^LLAMA_FTYPE_(MOSTLY|ALL)_|_MOE$", "", name)
        for name in dir(low)
        if name.startswith("LLAMA_FTYPE_") and name != "LLAMA_FTYPE_GUESSED"
    }
    assert theirs == FILE_TYPES
