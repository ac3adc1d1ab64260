"""Run as a process of its own: thousands of short replies on one runner, and what its memory came to on the way.

python -m tests.adapters.llama.many_requests MODEL REQUESTS
"""

import random
import resource
import sys
from dataclasses import dataclass
from pathlib import Path

from adapters.llama.loading import load
from adapters.llama.runner import LlamaRunner, RunnerSettings
from bot.ports.runner import SlotState, Stretch
from bot.sampling import LIMARP

SLOTS, CHUNK, CONTEXT = 4, 32, 256
SETTINGS = RunnerSettings(SLOTS, CONTEXT, 64, 1, CHUNK)
SHELF = 8
"""States that are kept at a time."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A saved state and what it holds."""

    state: SlotState
    length: int


@dataclass(slots=True)
class Request:
    """A reply that is being written in a slot."""

    length: int
    unread: tuple[int, ...]
    left: int


class Crowd:
    """Writes replies side by side, each of a few tokens, many of them broken off; slots are saved and restored between."""

    def __init__(self, runner: LlamaRunner, dice: random.Random) -> None:
        self._runner = runner
        self._dice = dice
        self._shelf: list[Kept] = []
        self._writing: dict[int, Request] = {}
        self.done = 0

    def step(self) -> None:
        """One step for all that write; who is done or loses patience makes room for the next."""
        for slot in range(SLOTS):
            if slot not in self._writing:
                self._writing[slot] = self._next(slot)
        stretches = [self._stretch(slot, request) for slot, request in self._writing.items()]
        for stretch, token in zip(stretches, self._runner.step(stretches), strict=True):
            self._take(self._writing[stretch.slot], token)
        for slot, request in list(self._writing.items()):
            if not request.left or self._dice.random() < 0.05:
                self._end(slot, request)

    def _next(self, slot: int) -> Request:
        kept = self._dice.choice(self._shelf) if self._shelf and self._dice.random() < 0.5 else None
        if kept:
            assert self._runner.restore(slot, kept.state, kept.length)
        else:
            self._runner.keep(slot, 0)
        prompt = tuple(self._dice.randrange(3, 259) for _ in range(self._dice.randint(1, 60)))
        self._runner.begin(slot, LIMARP, self._dice.randrange(1000), prompt)
        return Request(kept.length if kept else 0, prompt, self._dice.randint(1, 12))

    def _stretch(self, slot: int, request: Request) -> Stretch:
        tokens = request.unread[: CHUNK // 2]
        return Stretch(slot, tokens, request.length, draws=len(tokens) == len(request.unread))

    def _take(self, request: Request, token: int | None) -> None:
        read = request.unread[: CHUNK // 2]
        request.length += len(read)
        request.unread = request.unread[len(read) :]
        if token is not None:
            request.unread = (token,)
            request.left -= 1

    def _end(self, slot: int, request: Request) -> None:
        if request.length < CONTEXT // 2:
            self._shelf = [*self._shelf, Kept(self._runner.save(slot), request.length)][-SHELF:]
        del self._writing[slot]
        self.done += 1


def peak() -> int:
    """The most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main(path: Path, requests: int) -> None:
    """Print the peak of memory after a tenth of the requests, and after all."""
    runner = LlamaRunner(load(path, gpu_layers=0), SETTINGS)
    crowd = Crowd(runner, random.Random(11))  # noqa: S311 - dice for a test
    for target in (requests // 10, requests):
        while crowd.done < target:
            crowd.step()
        sys.stdout.write(f"{peak()}\n")
    runner.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
