"""Opening a model file: every way in which it can be unusable becomes one sentence that says what to do.

It reads the file's facts and its weights; it runs nothing.
"""

import ctypes
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from adapters.llama import library
from adapters.llama.library import Handle, low
from bot.errors import ModelNotLoaded
from bot.story.policy import Rating

MAGIC = b"GGUF"
RATING_KEY = "understudy.rating"
"""The key in the file's metadata that says whom the model is for: a string, "general" or "adult"."""

ADVICE = "Choose another GGUF file, or download this one again."

NO_MAPPING = low.LLAMA_LOAD_MODE_NONE
"""Asked to map a file and to allocate nothing, the library aborts the process."""

REASONS = MappingProxyType(
    {
        "unknown model architecture": "its architecture is not one that this version of llama.cpp knows",
        "this software only supports": "it is written in another version of the GGUF format",
        "not within the file bounds": "it is cut short",
        "failed to read": "it is cut short or damaged",
        "model vocabulary": "its vocabulary is missing or damaged",
        "key not found": "facts are missing from its metadata",
        "not found": "weights are missing from it",
        "unable to allocate": "there is not enough memory for it",
    }
)
"""What llama.cpp's log says (a part of a line) and what it means to whoever chose the file; the first that is found counts."""

NOISE = re.compile(r"^(\w+: )?(error loading model: )*")


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a model file says of itself. `trained_context` counts tokens; a text that it does not bring is empty.

    `begin_text` and `end_text` are how its begin- and end-of-sequence tokens are written.
    """

    name: str
    architecture: str
    trained_context: int
    rating: Rating
    chat_template: str = ""
    begin_text: str = ""
    end_text: str = ""


@dataclass(slots=True)
class LoadedModel:
    """A model in memory. `free` it once, after every context made from it. `on_gpu`: some of its layers may be on one."""

    handle: Handle
    path: Path
    facts: ModelFacts
    on_gpu: bool = False

    @property
    def parameters(self) -> int:
        """How many numbers its weights are."""
        return int(low.llama_model_n_params(self.handle))

    def free(self) -> None:
        """Give back its memory; a second call does nothing."""
        handle, self.handle = self.handle, None
        if handle:
            low.llama_model_free(handle)


@dataclass(frozen=True, slots=True)
class Weight:
    """What a model brings with it, in numbers. `window` 0: every layer looks back over the whole context."""

    facts: ModelFacts
    parameters: int
    weight_bytes: int
    file_type: int
    window: int
    is_recurrent: bool


def describe(path: Path) -> ModelFacts:
    """The facts of a model file, without reading its weights. Raises ModelNotLoaded."""
    check_file(path)
    params = low.llama_model_default_params()
    params.vocab_only = True
    with _opened(path, params) as handle:
        facts = _facts(handle, path)
        low.llama_model_free(handle)
        return facts


def weigh(path: Path) -> Weight:
    """What a model brings with it; every weight is looked for in the file, and none is read. Raises ModelNotLoaded."""
    check_file(path)
    params = low.llama_model_default_params()
    params.no_alloc = True
    params.load_mode = NO_MAPPING
    params.n_gpu_layers = 0
    params.use_extra_bufts = False
    with _opened(path, params) as handle:
        model = LoadedModel(handle, path, _facts(handle, path))
    try:
        _refuse_unfit(model)
        return Weight(
            facts=model.facts,
            parameters=model.parameters,
            weight_bytes=low.llama_model_size(handle),
            file_type=low.llama_model_ftype(handle),
            window=max(0, low.llama_model_n_swa(handle)),
            is_recurrent=low.llama_model_is_recurrent(handle) or low.llama_model_is_hybrid(handle),
        )
    finally:
        model.free()


def load(path: Path, *, gpu_layers: int) -> LoadedModel:
    """The model with its weights, `gpu_layers` of its layers on the GPU (negative: all). Raises ModelNotLoaded."""
    check_file(path)
    params = low.llama_model_default_params()
    params.n_gpu_layers = gpu_layers
    params.use_extra_bufts = not _has_amx()
    with _opened(path, params) as handle:
        on_gpu = gpu_layers != 0 and bool(low.llama_supports_gpu_offload())
        model = LoadedModel(handle, path, _facts(handle, path), on_gpu)
    try:
        _refuse_unfit(model)
    except ModelNotLoaded:
        model.free()
        raise
    return model


def check_file(path: Path) -> None:
    """Whether there is a GGUF file at all. Raises ModelNotLoaded."""
    if not path.exists():
        raise ModelNotLoaded(f"There is no model file at {path}. Check the path, or download the model first.")
    if not path.is_file():
        raise ModelNotLoaded(f"{path} is not a file. Give the path of a GGUF file, not of the folder that it is in.")
    try:
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
    except OSError as failure:
        sentence = f"{path} cannot be read ({failure.strerror}). Give the account that runs this program the right to read it."
        raise ModelNotLoaded(sentence) from failure
    if not start:
        raise ModelNotLoaded(f"{path} is empty. Download the model again.")
    if start != MAGIC:
        raise ModelNotLoaded(f"{path} is not a GGUF file. Choose a model in the GGUF format.")


@contextmanager
def _opened(path: Path, params: low.llama_model_params) -> Iterator[Handle]:
    library.start()
    with library.complaints() as lines:
        handle = low.llama_model_load_from_file(os.fsencode(path), params)
        if not handle:
            raise ModelNotLoaded(f"{path} cannot be loaded: {_reason(list(lines))}. {ADVICE}")
    yield handle


def _has_amx() -> bool:
    """Whether the library was built with Intel's AMX, which must then stay unused.

    GCC 12 compiles llama.cpp's set-up of the AMX tiles wrongly (it drops most of the configuration that `ldtilecfg` reads),
    and the first step ends the process. AMX hangs on the extra buffer types; without them its kernels are never taken.
    """
    return b"AMX_INT8 = 1" in (low.llama_print_system_info() or b"")


def _reason(lines: list[str]) -> str:
    for part, meaning in REASONS.items():
        for line in lines:
            if part in line:
                return f"{meaning} ({NOISE.sub('', line)})"
    return NOISE.sub("", lines[0]) if lines else "llama.cpp refused it without saying why"


def _refuse_unfit(model: LoadedModel) -> None:
    if unfit := _unfit(model):
        raise ModelNotLoaded(f"{model.path} cannot write replies: {unfit}. Choose a GGUF file of a language model.")


def _unfit(model: LoadedModel) -> str:
    vocabulary = low.llama_model_get_vocab(model.handle)
    if low.llama_vocab_n_tokens(vocabulary) <= 0 or low.llama_vocab_type(vocabulary) == 0:
        return "it has no vocabulary"
    if low.llama_model_has_encoder(model.handle) or not low.llama_model_has_decoder(model.handle):
        return f"a model of the architecture {model.facts.architecture} does not write text on from a prompt"
    if low.llama_model_n_params(model.handle) <= 0:
        return "it holds a vocabulary only"
    return ""


def _facts(handle: Handle, path: Path) -> ModelFacts:
    template = low.llama_model_chat_template(handle, None)
    vocabulary = low.llama_model_get_vocab(handle)
    architecture = _text(handle, "general.architecture")
    trained = _text(handle, f"{architecture}.context_length")
    return ModelFacts(
        name=_text(handle, "general.name") or path.stem,
        architecture=architecture,
        trained_context=int(trained) if trained.isdecimal() else 0,
        rating=_rating(_text(handle, RATING_KEY)),
        chat_template=template.decode("utf-8", "replace") if template else "",
        begin_text=_token_text(vocabulary, low.llama_vocab_bos(vocabulary)),
        end_text=_token_text(vocabulary, low.llama_vocab_eos(vocabulary)),
    )


def _token_text(vocabulary: Handle, token: int) -> str:
    if not 0 <= token < low.llama_vocab_n_tokens(vocabulary):
        return ""
    return (low.llama_vocab_get_text(vocabulary, token) or b"").decode("utf-8", "replace")


def _rating(text: str) -> Rating:
    """Only the two exact words count: whatever else stands there leaves the model unrated, which counts as adult."""
    return Rating(text) if text in {Rating.GENERAL, Rating.ADULT} else Rating.UNRATED


def _text(handle: Handle, key: str) -> str:
    """A value of the metadata; empty when there is none."""
    size = low.llama_model_meta_val_str(handle, key.encode(), None, 0)
    if size <= 0:
        return ""
    buffer = (ctypes.c_char * (size + 1))()
    low.llama_model_meta_val_str(handle, key.encode(), buffer, size + 1)
    return bytes(buffer.value).decode("utf-8", "replace")
