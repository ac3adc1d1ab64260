"""What can be chosen when a benchmark is run. It measures nothing."""

import argparse
import os
from dataclasses import dataclass

SHAPES = ("tiny", "small", "half", "seven")
"""The models that the benchmarks write, by size: see tests.bench.models."""

Rows = list[tuple[str, str]]
"""What a benchmark gives back: what was measured, and the figure with its unit."""


@dataclass(frozen=True, slots=True)
class Options:
    """How the benchmarks of the engine run. An empty `model` and no `rounds` leave the choice to each benchmark.

    `is_quick` takes the smallest model and the smallest counts: it shows that everything works, and its figures mean nothing.
    """

    is_quick: bool = False
    model: str = ""
    rounds: int | None = None
    threads: int = os.cpu_count() or 1
    gpu_layers: int = 0

    def shape(self, usual: str) -> str:
        """The name of the model to write: the one asked for, or the benchmark's own choice."""
        return self.model or ("tiny" if self.is_quick else usual)

    def times(self, usual: int) -> int:
        """How many rounds to run."""
        return self.rounds or (1 if self.is_quick else usual)


def parse(words: list[str]) -> tuple[list[str], Options]:
    """The names of the benchmarks asked for, and the options. Ends the program when they make no sense."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Run benchmarks and print one table.")
    parser.add_argument("names", nargs="*", help="which benchmarks (all of them when none is named)")
    parser.add_argument("--quick", action="store_true", help="smallest sizes: does it run? (the figures mean nothing)")
    parser.add_argument("--model", choices=SHAPES, default="", help="the size of the random model of the engine's benchmarks")
    parser.add_argument("--rounds", type=int, help="rounds of each measurement of the engine's benchmarks")
    parser.add_argument("--threads", type=int, default=Options().threads, help="CPU threads of every engine measured")
    parser.add_argument("--gpu-layers", type=int, default=0, help="layers on the GPU (-1: all), for every engine measured")
    given = parser.parse_args(words)
    return given.names, Options(given.quick, given.model, given.rounds, given.threads, given.gpu_layers)
