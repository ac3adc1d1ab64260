"""The commands of the recipe: prepare, train, export, measure."""

from __future__ import annotations

import argparse
from pathlib import Path
from random import Random


def prepare(corpus: Path, work: Path, passes: int) -> None:
    """Read the novels, train the vocabulary and write the samples of every pass."""
    from . import shards
    from .corpus import read_novels
    from .novels import HELD_OUT
    from .samples import Writer
    from .vocabulary import Vocabulary, train_vocabulary

    work.mkdir(parents=True, exist_ok=True)
    texts = read_novels(corpus)
    learned = [text for text in texts if text.key not in HELD_OUT]
    if not (work / "vocabulary.model").exists():
        train_vocabulary(learned, work / "vocabulary.model")
    vocabulary = Vocabulary(work / "vocabulary.model")
    for number in range(passes + 1):
        held = number == 0
        writer = Writer(vocabulary, Random(number), held_out=held)
        sources = [text for text in texts if text.key in HELD_OUT] if held else learned
        samples = [s for text in sources for s in (*writer.walk(text), *writer.prose(text))]
        shards.save(samples, work / ("held-out.npz" if held else f"pass-{number:02d}.npz"))
        print(number, len(samples), "samples", sum(len(s.tokens) for s in samples), "tokens", flush=True)


def train(work: Path, minutes: float, threads: int) -> None:
    """Train, or go on training, for this many minutes in all."""
    import torch

    from .network import Shape
    from .train import Training

    torch.set_num_threads(threads)
    Training(work, minutes, Shape()).run()


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="demo_model", description=__doc__)
    parser.add_argument("command", choices=("prepare", "train", "export", "measure"))
    parser.add_argument("--corpus", type=Path, metavar="DIR", help="folder with the novels as text files")
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="folder for everything made on the way")
    parser.add_argument("--passes", type=int, default=10, help="how often the novels are made into samples")
    parser.add_argument("--minutes", type=float, default=80.0, help="training time in all")
    parser.add_argument("--model", type=Path, metavar="FILE", help="the GGUF file to write or to measure")
    parser.add_argument("--prompts", type=int, default=60, help="how many held-out prompts to measure with")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    if given.command == "prepare":
        prepare(given.corpus, given.work, given.passes)
    elif given.command == "train":
        train(given.work, given.minutes, given.threads)
    elif given.command == "export":
        from .export import export

        export(given.work, given.model)
    else:
        from .measure import measure

        measure(given.work, given.model, given.prompts, given.threads)


if __name__ == "__main__":
    main()
