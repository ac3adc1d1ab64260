"""The commands of the recipe, in their order: prepare, train, export, measure."""

# ruff: noqa: PLC0415 -- every command loads only the libraries that it needs itself

from __future__ import annotations

import argparse
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .corpus import Text
    from .vocabulary import Vocabulary


def prepare(given: argparse.Namespace) -> None:
    """Read the novels, train the vocabulary and write the samples of every pass."""
    from .corpus import read_novels
    from .novels import HELD_OUT
    from .vocabulary import Vocabulary, train_vocabulary

    given.work.mkdir(parents=True, exist_ok=True)
    texts = read_novels(given.corpus)
    learned = [text for text in texts if text.key not in HELD_OUT]
    path = given.work / "vocabulary.model"
    if not path.exists():
        train_vocabulary(learned, path)
    write_pass(Vocabulary(path), [text for text in texts if text.key in HELD_OUT], given.work, 0)
    for number in range(1, given.passes + 1):
        write_pass(Vocabulary(path), learned, given.work, number)


def write_pass(vocabulary: Vocabulary, texts: list[Text], work: Path, number: int) -> None:
    """Make samples of every text once; number 0 are the held-out ones."""
    from . import shards
    from .console import report
    from .samples import Writer

    writer = Writer(vocabulary, Random(number))  # noqa: S311 -- reproducible, not secret
    samples = [s for text in texts for s in (*writer.walk(text), *writer.prose(text))]
    shards.save(samples, work / (f"pass-{number:02d}.npz" if number else "held-out.npz"))
    report("pass", number, len(samples), "samples", sum(len(s.tokens) for s in samples), "tokens")


def train(given: argparse.Namespace) -> None:
    """Train, or go on training, for this many minutes in all."""
    from .train import train as run

    run(given.work, given.minutes, given.workers)


def export(given: argparse.Namespace) -> None:
    """Write the GGUF file."""
    from .export import export as write

    write(given.work, given.model)


def measure(given: argparse.Namespace) -> None:
    """Measure the GGUF file."""
    from .measure import measure as run

    run(given.work, given.model, given.prompts, given.threads)


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="demo_model", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (prepare, train, export, measure):
        one = commands.add_parser(command.__name__, help=command.__doc__, description=command.__doc__)
        one.set_defaults(run=command)
        one.add_argument("--work", type=Path, required=True, metavar="DIR", help="folder for everything made on the way")
        if command is prepare:
            one.add_argument("--corpus", type=Path, required=True, metavar="DIR", help="folder with the novels as text files")
            one.add_argument("--passes", type=int, default=10, help="how often the novels are made into samples")
        if command is train:
            one.add_argument("--minutes", type=float, default=95.0, help="training time in all")
        if command is train:
            one.add_argument("--workers", type=int, default=2, help="processes of one thread each")
        if command in {export, measure}:
            one.add_argument("--model", type=Path, required=True, metavar="FILE", help="the GGUF file")
        if command is measure:
            one.add_argument("--threads", type=int, default=1)
            one.add_argument("--prompts", type=int, default=60, help="how many held-out prompts to ask")
    given = parser.parse_args()
    given.run(given)


if __name__ == "__main__":
    main()
