"""What a model takes of a memory, and how many sessions fit beside it. It only reckons with what others read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from adapters.llama.header import Value

MOST_SESSIONS = 256
"""llama.cpp keeps no more sequences apart in one context."""

CELLS = 256
"""A session's cache is rounded up to so many tokens."""

STEP = 512
"""Tokens of one step that the buffers are counted for: the usual batch."""

FLOAT = 4
PROGRAM = 256 * 1024 * 1024
"""What the program itself takes with a model of any size: Python, its libraries, the vocabulary's texts."""

SUFFIXES = MappingProxyType({"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4})
DECIMAL = MappingProxyType({"": 1, "K": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4})


@dataclass(frozen=True, slots=True)
class CacheType:
    """A number format of the cache: so many numbers are one block of so many bytes."""

    name: str
    block: int
    size: int


F16 = CacheType("f16", 1, 2)
Q8_0 = CacheType("q8_0", 32, 34)
CACHE_TYPES = MappingProxyType({"f16": F16, "q8_0": Q8_0})


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a model its memory depends on. `key_heads` counts per layer how many heads of keys and values are kept."""

    key_heads: tuple[int, ...]
    key_length: int
    value_length: int
    width: int
    hidden: int
    vocabulary: int

    def cache_bytes(self, kind: CacheType) -> int | None:
        """What the cache takes per token; None where the heads cannot be cut into this format's blocks."""
        if self.key_length % kind.block or self.value_length % kind.block:
            return None
        return sum(self.key_heads) * (self.key_length + self.value_length) // kind.block * kind.size

    def buffer_bytes(self, context: int) -> int:
        """An allowance for what a step computes in, with flash attention (as on every processor by default).

        Per token of the step: the scores of all words, the mask over the context, and a few rows of each width. Without
        flash attention a step also holds 4 bytes per head and token of the context for each of its tokens.
        """
        return PROGRAM + STEP * FLOAT * (self.vocabulary + context + 4 * self.width + 3 * self.hidden)


def shape_of(keys: Mapping[str, Value], vocabulary: int) -> Shape | None:
    """The shape that the keys of a model file tell; None where they leave out what it takes."""
    architecture = keys.get("general.architecture")

    def number(name: str) -> int:
        value = keys.get(f"{architecture}.{name}", 0)
        largest = max(value, default=0) if isinstance(value, tuple) else value
        return int(largest) if isinstance(largest, int | float) else 0

    layers, width, heads = number("block_count"), number("embedding_length"), number("attention.head_count")
    if layers <= 0 or heads <= 0 or width <= 0:
        return None
    usual = width // heads
    return Shape(
        key_heads=_per_layer(keys.get(f"{architecture}.attention.head_count_kv", heads), layers),
        key_length=number("attention.key_length") or usual,
        value_length=number("attention.value_length") or usual,
        width=width,
        hidden=number("feed_forward_length"),
        vocabulary=vocabulary,
    )


def doubts(keys: Mapping[str, Value], *, window: int, is_recurrent: bool) -> tuple[str, ...]:
    """Why the real numbers may differ from this arithmetic, a sentence each."""
    architecture = keys.get("general.architecture")

    def has(name: str) -> bool:
        return bool(keys.get(f"{architecture}.{name}"))

    found = []
    if window:
        found.append(f"Some of its layers look back {window} tokens only; the cache may take less than is said here.")
    if is_recurrent:
        found.append("It keeps a state instead of a cache, or beside it; what a session takes is not known from here.")
    if has("attention.kv_lora_rank"):
        found.append("It stores its cache compressed; a session takes less than is said here.")
    if has("attention.shared_kv_layers"):
        found.append("Some of its layers share their cache; a session takes less than is said here.")
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Fit:
    """How many sessions of `context` tokens a memory holds beside the weights. None: this model has no such cache."""

    kind: CacheType
    per_token: int
    per_session: int
    sessions: int


def fit(shape: Shape, kind: CacheType, *, weights: int, memory: int, context: int) -> Fit | None:
    """How many sessions with caches of this kind fit; None where the model cannot have such a cache."""
    per_token = shape.cache_bytes(kind)
    if not per_token:
        return None
    per_session = per_token * (-(-context // CELLS) * CELLS)
    room = memory - weights - shape.buffer_bytes(context)
    return Fit(kind, per_token, per_session, min(MOST_SESSIONS, max(0, room // per_session)))


def parsed_size(text: str) -> int | None:
    """A number of bytes: "12GiB" and "12G" count in 1024s, "12GB" in 1000s, "800" is bytes. None for anything else."""
    found = re.fullmatch(r"(\d{1,15})(\.\d{1,6})?(?:([KMGT])(iB|B)?|B)?", text.strip())
    if not found or (found[2] and not found[3]):
        return None
    steps = DECIMAL if found[4] == "B" else SUFFIXES
    size = int(float(found[1] + (found[2] or "")) * steps[found[3] or ""])
    return size or None


def shown_size(count: int) -> str:
    """A number of bytes for a reader, counted in 1024s."""
    for suffix, power in (("GiB", 3), ("MiB", 2), ("KiB", 1)):
        if count >= 1024**power:
            return (
                f"{count / 1024**power:.3g} {suffix}" if count < 1000 * 1024**power else f"{count / 1024**power:.0f} {suffix}"
            )
    return f"{count} bytes"


def _per_layer(value: Value, layers: int) -> tuple[int, ...]:
    if isinstance(value, tuple):
        return tuple(int(each) for each in value[:layers])
    return (int(value),) * layers if isinstance(value, int | float) else (0,) * layers
