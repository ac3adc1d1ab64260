"""What stands at the head of a GGUF file: its keys, and which tensors it holds. It knows no library and reads no weight.

llama.cpp tells the keys of a model that it has loaded, but neither lists among them nor anything of an adapter.
"""

import mmap
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from types import MappingProxyType

from adapters.llama.quantisation import TENSOR_TYPES

MAGIC = b"GGUF"
VERSIONS = (2, 3)
SCALARS = MappingProxyType(
    {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}  # by GGUF's numbers
)
TEXT, LIST = 8, 9
LONGEST_KEPT = 1024
"""Lists that are longer are only counted: they are vocabularies. Lists of a number per layer are kept."""

MOST_TEXTS = 10_000_000
MOST_DIMENSIONS = 8

Value = int | float | str | tuple[int | float, ...] | None


class Damaged(Exception):
    """The head of the file cannot be read to its end."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor as the head describes it: what it is, not its numbers. `offset` counts from where the weights begin."""

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)

    @property
    def size(self) -> int:
        """Its bytes; 0 where the type is not known here."""
        kind = TENSOR_TYPES.get(self.kind)
        return self.elements // kind.block * kind.size if kind else 0


@dataclass(frozen=True, slots=True)
class Header:
    """The head of a file. A long list, or one of texts, has no value in `keys`; `lengths` counts the members of every list."""

    keys: Mapping[str, Value]
    lengths: Mapping[str, int]
    tensors: tuple[Tensor, ...]
    end: int
    """Where the head ends, in bytes; the weights follow, aligned."""

    def text(self, key: str) -> str:
        """The text at a key; empty where there is none."""
        value = self.keys.get(key)
        return value if isinstance(value, str) else ""

    @property
    def is_adapter(self) -> bool:
        """Whether the file changes a model instead of being one."""
        return self.text("general.type") == "adapter"

    @property
    def parameters(self) -> int:
        """How many numbers all its tensors hold."""
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def weight_bytes(self) -> int:
        """What they take in the file."""
        return sum(tensor.size for tensor in self.tensors)

    @property
    def last_byte(self) -> int:
        """The length that the file must at least have."""
        alignment = self.keys.get("general.alignment", 32)
        step = alignment if isinstance(alignment, int) and alignment > 0 else 32
        return -(-self.end // step) * step + max((tensor.offset + tensor.size for tensor in self.tensors), default=0)

    def shares(self) -> dict[str, float]:
        """The types of its tensors with their share of the bytes, the largest first."""
        sizes = Counter[str]()
        for tensor in self.tensors:
            sizes[TENSOR_TYPES[tensor.kind].name if tensor.kind in TENSOR_TYPES else f"type {tensor.kind}"] += tensor.size
        return {name: size / max(1, self.weight_bytes) for name, size in sizes.most_common()}


def read_header(path: Path) -> Header:
    """The head of a GGUF file. Raises Damaged, OSError."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        try:
            return _Reading(content).header()
        except (struct.error, UnicodeDecodeError, OverflowError) as error:
            raise Damaged(str(error)) from error


@dataclass(slots=True)
class _Reading:
    """Reads one file from its beginning on. A count that the file cannot hold ends it as damaged."""

    content: mmap.mmap
    at: int = 0

    def header(self) -> Header:
        (magic,) = self.take("4s")
        version, tensors, keys = self.number("I"), self.number("Q"), self.number("Q")
        if magic != MAGIC or version not in VERSIONS:
            raise Damaged("it is not a GGUF file of a version that is in use")
        values: dict[str, Value] = {}
        lengths: dict[str, int] = {}
        for _ in range(keys):
            key = self.text()
            kind = self.number("I")
            if kind == LIST:
                values[key], lengths[key] = self.array()
            else:
                values[key] = self.value(kind)
        found = tuple(self.tensors(tensors))
        return Header(MappingProxyType(values), MappingProxyType(lengths), found, self.at)

    def take(self, layout: str) -> tuple[int | float | bytes, ...]:
        layout = f"<{layout}"
        values = struct.unpack_from(layout, self.content, self.at)
        self.at += struct.calcsize(layout)
        return values

    def number(self, letter: str) -> int:
        (value,) = self.take(letter)
        return int(value)

    def text(self) -> str:
        size = self.number("Q")
        self.require(size)
        self.at += size
        return self.content[self.at - size : self.at].decode()

    def value(self, kind: int) -> Value:
        if kind == TEXT:
            return self.text()
        if kind not in SCALARS:
            raise Damaged("a key has a value of no known kind")
        (value,) = self.take(SCALARS[kind])
        return None if isinstance(value, bytes) else value

    def array(self) -> tuple[Value, int]:
        kind, count = self.number("I"), self.number("Q")
        if kind in SCALARS:
            size = struct.calcsize(f"<{SCALARS[kind]}")
            self.require(count * size)
            if count <= LONGEST_KEPT:
                return struct.unpack_from(f"<{count}{SCALARS[kind]}", self.content, self.skip(count * size)), count
            self.skip(count * size)
            return None, count
        if kind != TEXT or count > MOST_TEXTS:
            raise Damaged("a list has members of no known kind, or too many")
        for _ in range(count):
            size = self.number("Q")
            self.require(size)
            self.at += size
        return None, count

    def tensors(self, count: int) -> Iterator[Tensor]:
        for _ in range(count):
            name = self.text()
            dimensions = self.number("I")
            if dimensions > MOST_DIMENSIONS:
                raise Damaged("a tensor has too many dimensions")
            shape = tuple(self.number("Q") for _ in range(dimensions))
            yield Tensor(name, shape, self.number("I"), self.number("Q"))

    def require(self, size: int) -> None:
        if size > len(self.content) - self.at:
            raise Damaged("a value is longer than the file")

    def skip(self, size: int) -> int:
        """Where the skipped bytes begin."""
        begun = self.at
        self.at += size
        return begun
