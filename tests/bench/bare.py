"""Steps of bare llama.cpp with greedy picking: the yardstick for what our engine adds. It knows no engine of ours."""

import ctypes
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from adapters.llama.library import low
from adapters.llama.loading import load


class Bare:
    """A model with a context of split sequences, stepped as fast as Python can."""

    def __init__(self, path: Path, *, slots: int, context: int, threads: int, gpu_layers: int) -> None:
        self._model = load(path, gpu_layers=gpu_layers)
        params = low.llama_context_default_params()
        params.n_ctx, params.n_seq_max = slots * context, slots
        params.n_batch = params.n_ubatch = 512
        params.n_threads = params.n_threads_batch = threads
        params.kv_unified = False
        params.no_perf = True
        self._context = low.llama_init_from_model(self._model.handle, params)
        if not self._context:
            raise RuntimeError(f"llama.cpp made no context of {slots} times {context} tokens")
        vocabulary = low.llama_model_get_vocab(self._model.handle)
        self._width = int(low.llama_vocab_n_tokens(vocabulary))
        self._batch = low.llama_batch_init(512, 0, 1)
        self._seconds = 0.0

    def tokens_per_second(self, prompts: Sequence[Sequence[int]], steps: int) -> float:
        """How fast `write` writes; reading the prompts is not timed."""
        self.write(prompts, steps)
        return len(prompts) * steps / self._seconds

    def write(self, prompts: Sequence[Sequence[int]], steps: int) -> list[list[int]]:
        """Read the prompts, then write `steps` tokens to each, side by side: the rows of all steps."""
        low.llama_memory_clear(low.llama_get_memory(self._context), True)
        newest = [self._read(slot, prompt) for slot, prompt in enumerate(prompts)]
        at = [len(prompt) for prompt in prompts]
        rows = []
        began = time.perf_counter()
        for _ in range(steps):
            newest = self._step(newest, at)
            at = [position + 1 for position in at]
            rows.append(newest)
        self._seconds = time.perf_counter() - began
        return rows

    def close(self) -> None:
        """Give back all memory."""
        low.llama_batch_free(self._batch)
        low.llama_free(self._context)
        self._model.free()

    def _read(self, slot: int, prompt: Sequence[int]) -> int:
        for index, token in enumerate(prompt):
            self._put(index, token, index, slot, draws=index == len(prompt) - 1)
        return self._decode(len(prompt), 1)[0]

    def _step(self, tokens: Sequence[int], at: Sequence[int]) -> list[int]:
        for slot, (token, position) in enumerate(zip(tokens, at, strict=True)):
            self._put(slot, token, position, slot, draws=True)
        return self._decode(len(tokens), len(tokens))

    def _put(self, index: int, token: int, position: int, slot: int, *, draws: bool) -> None:
        batch = self._batch
        batch.token[index] = token
        batch.pos[index] = position
        batch.n_seq_id[index] = 1
        batch.seq_id[index][0] = slot
        batch.logits[index] = draws

    def _decode(self, tokens: int, rows: int) -> list[int]:
        self._batch.n_tokens = tokens
        if answer := low.llama_decode(self._context, self._batch):
            raise RuntimeError(f"llama_decode answered {answer}")
        pointer = ctypes.cast(low.llama_get_logits(self._context), ctypes.POINTER(ctypes.c_float))
        logits = np.ctypeslib.as_array(pointer, shape=(rows, self._width))
        return [int(token) for token in logits.argmax(axis=1)]
