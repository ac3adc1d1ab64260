"""LoRA adapters: files that change how a loaded model writes. It loads and names them; it reads no text with them."""

import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.llama import library
from adapters.llama.library import Handle, low
from adapters.llama.loading import LoadedModel
from bot.errors import ModelNotLoaded

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What an adapter can be called: a word that can stand in an address and behind the model's name and a colon."""

PREFIX = re.compile(r"^\w+: ")


@dataclass(frozen=True, slots=True)
class AdapterFile:
    """A LoRA adapter in the GGUF format, the name it is asked for by, and how strongly it counts (1 as it was trained)."""

    name: str
    path: Path
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter that was loaded for a model; it is freed with the model."""

    file: AdapterFile
    handle: Handle


def load_adapters(model: LoadedModel, files: Sequence[AdapterFile]) -> Mapping[str, Adapter]:
    """The adapters by their names; to be loaded before any context is made. Raises ModelNotLoaded, naming the wrong one."""
    for complaint in _wrong(files):
        raise ModelNotLoaded(complaint)
    return {file.name: Adapter(file, _load(model, file)) for file in files}


def _wrong(files: Sequence[AdapterFile]) -> Iterator[str]:
    for place, file in enumerate(files):
        if not NAME.fullmatch(file.name):
            yield (
                f"An adapter cannot be called {file.name!r}. Use up to 64 letters, digits, dots, dashes and underscores,"
                " a letter or digit first."
            )
        if any(other.name == file.name for other in files[:place]):
            yield f"Two adapters are called {file.name}. Give each a name of its own."
        if not math.isfinite(file.scale) or not file.scale:
            yield f"The adapter {file.name} has the scale {file.scale:g}; give a number other than 0, 1 for its full strength."
        if not file.path.is_file():
            yield f"There is no file of the adapter {file.name} at {file.path}. Check the path, or leave the adapter out."


def _load(model: LoadedModel, file: AdapterFile) -> Handle:
    with library.complaints() as lines:
        handle = low.llama_adapter_lora_init(model.handle, os.fsencode(file.path))
    if not handle:
        reason = PREFIX.sub("", lines[0]) if lines else "llama.cpp refused it without saying why"
        raise ModelNotLoaded(
            f"{file.path} cannot be used as the adapter {file.name}: {reason}."
            f" Choose a LoRA file in the GGUF format that was made for {model.facts.name}."
        )
    return handle
