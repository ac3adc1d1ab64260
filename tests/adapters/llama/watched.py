"""A runner of the real model that keeps what it draws from, to the last bit."""

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.llama.context import Rows
from adapters.llama.loading import LoadedModel
from adapters.llama.lora import AdapterFile
from adapters.llama.runner import LlamaRunner, RunnerSettings


@dataclass(frozen=True, slots=True)
class Seen:
    """The logits from which a slot drew."""

    slot: int
    row: Rows


class WatchedRunner(LlamaRunner):
    """`seen` are copies of all rows that were drawn from, in order."""

    def __init__(self, model: LoadedModel, settings: RunnerSettings, adapters: Sequence[AdapterFile] = ()) -> None:
        self.seen: list[Seen] = []
        super().__init__(model, settings, adapters)

    def _draw(self, slots: Sequence[int], rows: Rows) -> Sequence[int]:
        self.seen += [Seen(slot, row.copy()) for slot, row in zip(slots, rows, strict=True)]
        return super()._draw(slots, rows)
