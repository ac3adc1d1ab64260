"""The labelled sentences: those that the rules were developed with, and those that were held out. All are non-explicit."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.safety import frames
from tests.safety.frames import Frame

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Labelled:
    """A sentence, the category it was written for, and whether somebody in it is, or appears to be, a minor."""

    category: str
    text: str
    is_minor: bool
    is_written: bool
    """By hand; not by a frame."""


@cache
def developed() -> tuple[Labelled, ...]:
    """What the rules were developed with. What was held out first is part of it since it was measured and mended."""
    minors = (*frames.DEVELOPED_MINOR, *frames.FIRST_HELD_OUT_MINOR)
    benign = (*frames.DEVELOPED_BENIGN, *frames.FIRST_HELD_OUT_BENIGN)
    written = (*_written("developed.tsv"), *_written("first_held_out.tsv"))
    return (*written, *_filled(minors, is_minor=True), *_filled(benign, is_minor=False))


@cache
def held_out() -> tuple[Labelled, ...]:
    """What no rule was ever changed for; all of it is written by hand."""
    return tuple(_written("held_out.tsv"))


def _written(name: str) -> Iterator[Labelled]:
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        label, category, text = line.split("\t")
        yield Labelled(category, text, label == "+", is_written=True)


def _filled(filled: Iterable[Frame], *, is_minor: bool) -> Iterator[Labelled]:
    for frame in filled:
        for category, text in frame.filled():
            yield Labelled(category, text, is_minor, is_written=False)
