"""llama.cpp's context, sized and asked in plain numbers: reading tokens, rows of logits, saved states. It checks no index.

llama.cpp ends the whole process when it is given a wrong index: only the runner, which checks them all, may use this.
"""

import ctypes
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from adapters.llama import library
from adapters.llama.library import Handle, low
from adapters.llama.loading import LoadedModel
from bot.errors import ModelNotLoaded, RunnerFailed
from bot.ports.runner import SlotState, Stretch

logger = logging.getLogger(__name__)

GRAIN = 256
"""llama.cpp rounds a sequence's context up to a multiple of this."""

GPU_GAP = 8
"""Idle slots worth filling between two that read: a row more costs next to nothing there. On a CPU it costs what it saves."""

NO_ROOM = 1
"""What llama_decode returns when the cache has no room."""

KV_TYPES = MappingProxyType({"f16": low.GGML_TYPE_F16, "q8_0": low.GGML_TYPE_Q8_0})

FLASH = MappingProxyType(
    {None: low.LLAMA_FLASH_ATTN_TYPE_AUTO, False: low.LLAMA_FLASH_ATTN_TYPE_DISABLED, True: low.LLAMA_FLASH_ATTN_TYPE_ENABLED}
)

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ContextSizes:
    """How big a context is made. `batch` is the most tokens of one call, `chunk` the most of one stretch.

    `flash_attention` None leaves the choice to llama.cpp.
    """

    slots: int
    context: int
    batch: int
    chunk: int
    threads: int
    kv_type: str
    cache_on_gpu: bool
    flash_attention: bool | None


class Context:
    """A context of a model, with a cache of its own for each slot. `free` it before the model."""

    def __init__(self, model: LoadedModel, sizes: ContextSizes) -> None:
        self._handle = _new_context(model, sizes)
        self._memory = low.llama_get_memory(self._handle)
        self._words = int(low.llama_vocab_n_tokens(low.llama_model_get_vocab(model.handle)))
        self._batch = _Batch(sizes.batch)
        self.room = int(low.llama_n_ctx_seq(self._handle))
        """Tokens that a slot has room for: more than asked for, where llama.cpp rounded up."""
        self.gap = GPU_GAP if model.on_gpu and not _forgets(model) else 0
        """How many idle slots between two that read are filled."""
        self.most = min(sizes.batch, int(low.llama_n_batch(self._handle)))
        """Tokens of one call at most: llama.cpp grants fewer than asked for where the whole cache is smaller."""

    def decode(self, stretches: Sequence[Stretch], filling: Sequence[Stretch] = ()) -> None:
        """Read stretches in one call, and of the filling nothing that stays. The slots must rise.

        Raises RunnerFailed; `length` tells what is in the slots then.
        """
        together = sorted((*stretches, *filling), key=lambda stretch: stretch.slot) if filling else stretches
        count = self._batch.fill(together)
        result = low.llama_decode(self._handle, self._batch.struct)
        for stretch in filling:
            self.cut(stretch.slot, stretch.start)
        if result != 0:
            reason = "its cache has no room" if result == NO_ROOM else f"llama.cpp answered {result}"
            raise RunnerFailed(f"The model could not read {count} tokens: {reason}.")

    def rows(self, count: int) -> Rows:
        """The logits of the `count` stretches that draw, of the last call, as a view that the next call overwrites."""
        pointer = low.llama_get_logits(self._handle)
        if not pointer:
            raise RunnerFailed("The model gave no numbers to draw from.")
        return np.ctypeslib.as_array(pointer, shape=(count, self._words))

    def length(self, slot: int) -> int:
        """How many tokens the cache holds for a slot."""
        return int(low.llama_memory_seq_pos_max(self._memory, slot)) + 1

    def cut(self, slot: int, length: int) -> bool:
        """Cut a slot to its first `length` tokens. False when the model cannot do that: the slot is as it was."""
        return bool(low.llama_memory_seq_rm(self._memory, slot, length, -1))

    def empty(self, slot: int) -> None:
        """Forget all of a slot."""
        low.llama_memory_seq_rm(self._memory, slot, -1, -1)

    def save(self, slot: int) -> SlotState:
        """The bytes of a slot: written once, into memory that was not zeroed before."""
        size = int(low.llama_state_seq_get_size(self._handle, slot))
        buffer = np.empty(size, dtype=np.uint8)
        written = int(low.llama_state_seq_get_data(self._handle, _bytes_at(buffer), size, slot))
        if not 0 < written <= size:
            raise RunnerFailed(f"What slot {slot} holds cannot be saved.")
        return buffer[:written].data.toreadonly()

    def restore(self, slot: int, state: SlotState) -> bool:
        """Put saved bytes into a slot. False when llama.cpp does not take all of them: empty the slot then."""
        buffer = np.frombuffer(state, dtype=np.uint8)
        with library.complaints() as lines:
            taken = int(low.llama_state_seq_set_data(self._handle, _bytes_at(buffer), len(buffer), slot))
        if taken != len(buffer):
            logger.info("a saved state was not taken: %s", "; ".join(lines) or f"{taken} of {len(buffer)} bytes fitted")
        return taken == len(buffer)

    def use_adapters(self, adapters: Sequence[tuple[Handle, float]]) -> None:
        """From now on, read with these adapters, each with its scale, and no others."""
        pointers = (low.llama_adapter_lora_p_ctypes * max(len(adapters), 1))(*(handle for handle, _ in adapters))
        scales = (ctypes.c_float * max(len(adapters), 1))(*(scale for _, scale in adapters))
        if low.llama_set_adapters_lora(self._handle, pointers, len(adapters), scales) != 0:
            raise RunnerFailed("llama.cpp did not take the adapter.")

    def free(self) -> None:
        """Give back its memory; a second call does nothing."""
        handle, self._handle = self._handle, None
        if handle:
            low.llama_free(handle)


class _Batch:
    """What llama_decode reads, in arrays of our own that are filled as a whole."""

    def __init__(self, size: int) -> None:
        self._tokens = np.zeros(size, dtype=np.int32)
        self._positions = np.zeros(size, dtype=np.int32)
        self._slots = np.zeros(size, dtype=np.int32)
        self._draws = np.zeros(size, dtype=np.int8)
        self._ones = np.ones(size, dtype=np.int32)
        self._slots_at = self._slots.ctypes.data + self._slots.itemsize * np.arange(size, dtype=np.uintp)
        self.struct = low.llama_batch(
            n_tokens=0,
            token=self._tokens.ctypes.data_as(ctypes.POINTER(low.llama_token)),
            embd=None,
            pos=self._positions.ctypes.data_as(ctypes.POINTER(low.llama_pos)),
            n_seq_id=self._ones.ctypes.data_as(ctypes.POINTER(ctypes.c_int32)),
            seq_id=self._slots_at.ctypes.data_as(ctypes.POINTER(ctypes.POINTER(low.llama_seq_id))),
            logits=self._draws.ctypes.data_as(ctypes.POINTER(ctypes.c_int8)),
        )

    def fill(self, stretches: Sequence[Stretch]) -> int:
        """Take these stretches in this order; returns their tokens together."""
        at = 0
        for stretch in stretches:
            end = at + len(stretch.tokens)
            self._tokens[at:end] = stretch.tokens
            self._positions[at:end] = np.arange(stretch.start, stretch.start + end - at)
            self._slots[at:end] = stretch.slot
            self._draws[at:end] = 0
            self._draws[end - 1] = stretch.draws
            at = end
        self.struct.n_tokens = at
        return at


def _bytes_at(buffer: npt.NDArray[np.uint8]) -> object:
    return buffer.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))


def _forgets(model: LoadedModel) -> bool:
    """Whether a token cannot be cut off again: such a model keeps sums, not tokens."""
    return bool(low.llama_model_is_recurrent(model.handle) or low.llama_model_is_hybrid(model.handle))


def _new_context(model: LoadedModel, sizes: ContextSizes) -> Handle:
    params = low.llama_context_default_params()
    per_slot = -(-sizes.context // GRAIN) * GRAIN
    params.n_ctx = per_slot * sizes.slots
    params.n_seq_max = sizes.slots
    params.n_batch = sizes.batch
    params.n_ubatch = min(max(sizes.chunk, sizes.slots), sizes.batch)
    params.n_threads = params.n_threads_batch = sizes.threads
    params.type_k = params.type_v = KV_TYPES[sizes.kv_type]
    params.flash_attn_type = FLASH[sizes.flash_attention]
    params.kv_unified = False
    # Without layers on a GPU nothing goes there, not even the big products of a long stretch: they would come out otherwise.
    params.offload_kqv = sizes.cache_on_gpu and model.on_gpu
    params.op_offload = model.on_gpu
    params.no_perf = True
    with library.complaints() as lines:
        context = low.llama_init_from_model(model.handle, params)
        if context and low.llama_get_memory(context):
            return context
        reason = lines[0] if lines else "llama.cpp did not say why"
    if context:
        low.llama_free(context)
    raise ModelNotLoaded(
        f"The model cannot be run with {sizes.slots} slots of {sizes.context} tokens: {reason}."
        " Choose a shorter context or fewer slots."
    )
