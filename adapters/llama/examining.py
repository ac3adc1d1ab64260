"""What `check` tells of a model file: whether it can be used, and what it would take. It loads no weights and shows nothing."""

from dataclasses import dataclass
from pathlib import Path

from adapters.llama.chat_template import template_format
from adapters.llama.header import Damaged, Header, read_header
from adapters.llama.loading import ADVICE, ModelFacts, check_file, weigh
from adapters.llama.quantisation import FILE_TYPES
from adapters.llama.sizes import Shape, doubts, shape_of
from bot.errors import ModelNotLoaded

VOCABULARIES = {
    "llama": "SentencePiece",
    "gpt2": "byte-level BPE",
    "bert": "WordPiece",
    "t5": "Unigram",
    "rwkv": "RWKV",
    "plamo2": "PLaMo 2",
    "gemma4": "BPE of Gemma 4",
}
"""By `tokenizer.ggml.model`."""

GUESSED = 1024
"""llama.cpp adds this to a file type that it guessed itself."""

LORA_DOWN = ".lora_a"


@dataclass(frozen=True, slots=True)
class ModelReport:
    """A model that can be used. `shape` None: its keys do not tell what a session takes. `format_trouble` empty: none."""

    path: Path
    facts: ModelFacts
    parameters: int
    weight_bytes: int
    quantisation: str
    shares: dict[str, float]
    vocabulary_kind: str
    vocabulary_size: int
    prompt_format: str
    format_trouble: str
    shape: Shape | None
    doubts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AdapterReport:
    """A LoRA adapter: it changes a model of `architecture` and is none. `alpha` over `rank` is how strongly, at scale 1."""

    path: Path
    name: str
    architecture: str
    kind: str
    alpha: float
    rank: int
    parameters: int
    weight_bytes: int


def examine(path: Path) -> ModelReport | AdapterReport:
    """What is in a file. Raises ModelNotLoaded when it is neither a model that can be used nor an adapter."""
    check_file(path)
    try:
        header = read_header(path)
    except OSError as failure:
        raise ModelNotLoaded(f"{path} cannot be read ({failure.strerror}). {ADVICE}") from failure
    except Damaged:
        # Whatever is wrong with it, llama.cpp's own words for it are the ones that people can look up.
        weigh(path)
        raise ModelNotLoaded(f"{path} cannot be loaded: it is damaged. {ADVICE}") from None
    return _adapter(path, header) if header.is_adapter else _model(path, header)


def _adapter(path: Path, header: Header) -> AdapterReport:
    if path.stat().st_size < header.last_byte:
        raise ModelNotLoaded(f"{path} cannot be loaded: it is cut short. {ADVICE}")
    ranks = [tensor.shape[1] for tensor in header.tensors if tensor.name.endswith(LORA_DOWN) and len(tensor.shape) > 1]
    kind = header.text("adapter.type")
    if kind != "lora" or not ranks:
        raise ModelNotLoaded(
            f"{path} is an adapter of the kind {kind or 'unknown'!r}. Choose a LoRA adapter in the GGUF format."
        )
    alpha = header.keys.get("adapter.lora.alpha")
    return AdapterReport(
        path=path,
        name=header.text("general.name") or path.stem,
        architecture=header.text("general.architecture"),
        kind=kind,
        alpha=float(alpha) if isinstance(alpha, int | float) else 0.0,
        rank=max(ranks),
        parameters=header.parameters,
        weight_bytes=header.weight_bytes,
    )


def _model(path: Path, header: Header) -> ModelReport:
    weight = weigh(path)
    size = header.lengths.get("tokenizer.ggml.tokens", 0)
    kind = header.text("tokenizer.ggml.model")
    words, trouble = _format(weight.facts)
    return ModelReport(
        path=path,
        facts=weight.facts,
        parameters=weight.parameters,
        weight_bytes=weight.weight_bytes,
        quantisation=_quantisation(weight.file_type),
        shares=header.shares(),
        vocabulary_kind=VOCABULARIES.get(kind, kind),
        vocabulary_size=size,
        prompt_format=words,
        format_trouble=trouble,
        shape=shape_of(header.keys, size),
        doubts=doubts(header.keys, window=weight.window, is_recurrent=weight.is_recurrent),
    )


def _quantisation(file_type: int) -> str:
    """The usual name of a mixture; one that the file does not state is guessed by llama.cpp from its tensors."""
    name = FILE_TYPES.get(file_type % GUESSED, f"type {file_type % GUESSED}")
    return f"{name} (by its tensors)" if file_type >= GUESSED else name


def _format(facts: ModelFacts) -> tuple[str, str]:
    """What `format = "auto"` comes to for this model, and what is wrong with that."""
    if not facts.chat_template:
        return "limarp", ""
    try:
        template_format(facts)
    except ModelNotLoaded as unusable:
        return "", str(unusable)
    return "gguf", ""
