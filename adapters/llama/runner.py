"""The Runner port over llama.cpp's low-level functions.

Rule 1. llama.cpp ends the whole process when it is given a wrong index: whatever goes into a call is checked first.
Rule 2. Each slot has a cache of its own (`kv_unified` off), so that what one slot computes never depends on the others.
Rule 3. The logits belong to the context and are overwritten by the next step: they are read before `step` returns.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adapters.llama import library
from adapters.llama.library import Handle, low
from adapters.llama.loading import LoadedModel
from adapters.llama.sampling import Sampler, draw_rows
from adapters.llama.tokens import Vocabulary
from bot.errors import ModelNotLoaded, RunnerFailed, UnknownToken
from bot.ports.runner import RunnerShape, Stretch
from bot.sampling import SamplingSettings

MOST_SLOTS = 256
"""LLAMA_MAX_SEQ: with more sequences llama.cpp makes no context."""

GRAIN = 256
"""llama.cpp rounds a sequence's context up to a multiple of this."""

NO_ROOM = 1
"""What llama_decode returns when the cache has no room."""


@dataclass(frozen=True, slots=True)
class RunnerSettings:
    """Sizes of a runner: slots, tokens that a slot holds, tokens of a step, CPU threads, and whether the GPU has the cache."""

    slots: int
    context: int
    batch: int
    threads: int
    cache_on_gpu: bool = True


class LlamaRunner:
    """A loaded model with its cache. Takes the model over: `close` frees both. Raises ModelNotLoaded when made in vain."""

    def __init__(self, model: LoadedModel, settings: RunnerSettings) -> None:
        if not 1 <= settings.slots <= MOST_SLOTS:
            raise ModelNotLoaded(f"{settings.slots} slots cannot be had; choose between 1 and {MOST_SLOTS}.")
        self._model = model
        self._vocabulary = Vocabulary(model.handle)
        self._context = _new_context(model, settings)
        self._memory = low.llama_get_memory(self._context)
        context = min(settings.context, int(low.llama_n_ctx_seq(self._context)))
        batch = min(settings.batch, int(low.llama_n_batch(self._context)))
        self._shape = RunnerShape(settings.slots, context, batch)
        self._batch = low.llama_batch_init(batch, 0, 1)
        self._lengths = [0] * settings.slots
        self._samplers: dict[int, Sampler] = {}
        self._readers_left = threading.Condition()
        self._readers = 0
        self._is_closed = False

    @property
    def shape(self) -> RunnerShape:
        """Its sizes as llama.cpp granted them, never more than was asked for."""
        return self._shape

    def tokenize(self, text: str, *, special: bool, first: bool) -> tuple[int, ...]:
        """The tokens of a stretch of text."""
        with self._reading():
            return self._vocabulary.tokenize(text, special=special, first=first)

    def piece(self, token: int) -> bytes:
        """The bytes that a token spells."""
        with self._reading():
            if not self._vocabulary.holds(token):
                raise UnknownToken(f"{token} is not a token of this model.")
            return self._vocabulary.piece(token)

    def is_end(self, token: int) -> bool:
        """Whether this token ends a reply."""
        return self._vocabulary.is_end(token)

    def begin(self, slot: int, settings: SamplingSettings, seed: int, history: Sequence[int]) -> None:
        """Set how the slot draws from now on."""
        self._check_slot(slot)
        self._check_tokens(history)
        try:
            self._samplers[slot] = Sampler(settings, seed, history, words=self._vocabulary)
        except ValueError as unknown:
            raise UnknownToken(f"{unknown}.") from unknown

    def step(self, stretches: Sequence[Stretch]) -> tuple[int | None, ...]:
        """Read the stretches and draw where asked. After a failure the lengths follow what the cache says it holds."""
        self._check_step(stretches)
        self._fill(stretches)
        result = low.llama_decode(self._context, self._batch)
        if result != 0:
            self._ask_lengths(stretches)
            reason = "its cache has no room" if result == NO_ROOM else f"llama.cpp answered {result}"
            raise RunnerFailed(f"The model could not read {self._batch.n_tokens} tokens: {reason}.")
        for stretch in stretches:
            self._lengths[stretch.slot] += len(stretch.tokens)
        return self._draw(stretches)

    def keep(self, slot: int, length: int) -> bool:
        """Cut the slot's sequence to its first `length` tokens."""
        self._check_slot(slot)
        if not 0 <= length <= self._lengths[slot]:
            raise RunnerFailed(f"Slot {slot} holds {self._lengths[slot]} tokens; it cannot keep {length}.")
        kept = bool(low.llama_memory_seq_rm(self._memory, slot, length, -1))
        if not kept:
            low.llama_memory_seq_rm(self._memory, slot, -1, -1)
        self._lengths[slot] = length if kept else 0
        return kept

    def close(self) -> None:
        """Give back all memory, once nobody reads the vocabulary any more; a second call does nothing."""
        with self._readers_left:
            self._is_closed = True
            self._readers_left.wait_for(lambda: not self._readers)
        context, self._context = self._context, None
        if context:
            low.llama_batch_free(self._batch)
            low.llama_free(context)
            self._model.free()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """The vocabulary cannot be freed while somebody reads it, from whatever thread."""
        with self._readers_left:
            if self._is_closed:
                raise RunnerFailed("The model was closed.")
            self._readers += 1
        try:
            yield
        finally:
            with self._readers_left:
                self._readers -= 1
                self._readers_left.notify_all()

    def _draw(self, stretches: Sequence[Stretch]) -> tuple[int | None, ...]:
        drawn: list[int | None] = []
        last = -1
        for stretch in stretches:
            last += len(stretch.tokens)
            drawn.append(self._draw_one(stretch.slot, last) if stretch.draws else None)
        return tuple(drawn)

    def _draw_one(self, slot: int, index: int) -> int:
        try:
            return draw_rows([self._samplers[slot]], self._row(index)[np.newaxis])[0]
        except ValueError as failure:
            raise RunnerFailed(f"Nothing can be drawn: {failure}.") from failure

    def _row(self, index: int) -> npt.NDArray[np.float32]:
        """The logits of one token of the last step, as a view that the next step overwrites."""
        pointer = low.llama_get_logits_ith(self._context, index)
        if not pointer:
            raise RunnerFailed("The model gave no numbers to draw from.")
        return np.ctypeslib.as_array(pointer, shape=(self._vocabulary.size,))

    def _fill(self, stretches: Sequence[Stretch]) -> None:
        batch, at = self._batch, 0
        for stretch in stretches:
            for offset, token in enumerate(stretch.tokens):
                batch.token[at] = token
                batch.pos[at] = stretch.start + offset
                batch.n_seq_id[at] = 1
                batch.seq_id[at][0] = stretch.slot
                batch.logits[at] = 0
                at += 1
            batch.logits[at - 1] = int(stretch.draws)
        batch.n_tokens = at

    def _ask_lengths(self, stretches: Sequence[Stretch]) -> None:
        for stretch in stretches:
            self._lengths[stretch.slot] = int(low.llama_memory_seq_pos_max(self._memory, stretch.slot)) + 1

    def _check_step(self, stretches: Sequence[Stretch]) -> None:
        if not self._context:
            raise RunnerFailed("The model was closed.")
        if not 0 < sum(len(stretch.tokens) for stretch in stretches) <= self._shape.batch:
            raise RunnerFailed(f"A step takes between 1 and {self._shape.batch} tokens.")
        if len({stretch.slot for stretch in stretches}) < len(stretches):
            raise RunnerFailed("A step takes one stretch for each slot at most.")
        for stretch in stretches:
            self._check_stretch(stretch)

    def _check_stretch(self, stretch: Stretch) -> None:
        self._check_slot(stretch.slot)
        self._check_tokens(stretch.tokens)
        length = self._lengths[stretch.slot]
        if not stretch.tokens:
            raise RunnerFailed(f"The stretch for slot {stretch.slot} is empty.")
        if stretch.start != length:
            raise RunnerFailed(f"Slot {stretch.slot} goes on at {length}, not at {stretch.start}.")
        if length + len(stretch.tokens) > self._shape.context:
            raise RunnerFailed(f"Slot {stretch.slot} holds {self._shape.context} tokens at most.")
        if stretch.draws and stretch.slot not in self._samplers:
            raise RunnerFailed(f"Slot {stretch.slot} cannot draw before it began.")

    def _check_slot(self, slot: int) -> None:
        if not self._context:
            raise RunnerFailed("The model was closed.")
        if not 0 <= slot < self._shape.slots:
            raise RunnerFailed(f"There is no slot {slot}; there are {self._shape.slots}.")

    def _check_tokens(self, tokens: Sequence[int]) -> None:
        if tokens and not 0 <= min(tokens) <= max(tokens) < self._vocabulary.size:
            raise UnknownToken("Some of the tokens are none of this model's.")


def _new_context(model: LoadedModel, settings: RunnerSettings) -> Handle:
    params = low.llama_context_default_params()
    per_slot = -(-settings.context // GRAIN) * GRAIN
    params.n_ctx = per_slot * settings.slots
    params.n_seq_max = settings.slots
    params.n_batch = settings.batch
    params.n_ubatch = min(settings.batch, params.n_ubatch)
    params.n_threads = params.n_threads_batch = settings.threads
    params.type_k = params.type_v = low.GGML_TYPE_F16
    params.kv_unified = False
    params.offload_kqv = settings.cache_on_gpu
    params.no_perf = True
    with library.complaints() as lines:
        context = low.llama_init_from_model(model.handle, params)
        if context and low.llama_get_memory(context):
            return context
        reason = lines[0] if lines else "llama.cpp did not say why"
    if context:
        low.llama_free(context)
    raise ModelNotLoaded(
        f"The model cannot be run with {settings.slots} slots of {settings.context} tokens: {reason}."
        " Choose a shorter context or fewer slots."
    )
