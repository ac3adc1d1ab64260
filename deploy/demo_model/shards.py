"""Keeps encoded samples in files and packs them into training rows of one length."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .samples import Sample
from .vocabulary import EOS

POOL = 64  # samples looked at for filling a row
Row = tuple[NDArray[np.int64], NDArray[np.float32]]


def save(samples: list[Sample], path: Path) -> None:
    """Write samples as three flat arrays and their labels."""
    ends = np.cumsum([len(s.tokens) for s in samples])
    tokens = np.array([t for s in samples for t in s.tokens], np.uint16)
    weights = np.array([w for s in samples for w in s.weights], np.uint8)
    np.savez(path, tokens=tokens, weights=weights, ends=ends, labels=np.array([s.label for s in samples]))


def load(path: Path) -> list[Sample]:
    """Read samples back."""
    with np.load(path) as data:
        tokens, weights, ends, labels = (data[key] for key in ("tokens", "weights", "ends", "labels"))
    starts = [0, *ends[:-1]]
    pairs = zip(starts, ends, labels, strict=True)
    return [Sample(tokens[a:b], weights[a:b], str(label)) for a, b, label in pairs]


def pack(samples: list[Sample], length: int, rng: np.random.Generator) -> Iterator[Row]:
    """Fill rows of `length` + 1 tokens with whole samples in random order; what does not fit waits for a later row."""
    waiting = [samples[i] for i in rng.permutation(len(samples)) if len(samples[i].tokens) <= length]
    pool: list[Sample] = []
    while waiting or pool:
        while waiting and len(pool) < POOL:
            pool.append(waiting.pop())
        yield _row(pool, length)


def _row(pool: list[Sample], length: int) -> Row:
    """Take one sample and then, again and again, the longest that still fits."""
    tokens = np.full(length + 1, EOS, np.int64)
    weights = np.zeros(length + 1, np.float32)
    chosen, at = pool.pop(0), 0
    while True:
        end = at + len(chosen.tokens)
        tokens[at:end] = chosen.tokens
        weights[at:end] = np.asarray(chosen.weights, np.float32) / 10
        weights[at] = 0.0  # nothing foretells where a sample starts
        at = end
        fitting = [i for i, sample in enumerate(pool) if at + len(sample.tokens) <= length + 1]
        if not fitting:
            return tokens, weights
        chosen = pool.pop(fitting[0] if len(pool) < POOL // 8 else max(fitting, key=lambda i: len(pool[i].tokens)))
