"""The Runner port over llama.cpp's low-level functions.

Rule 1. llama.cpp ends the whole process when it is given a wrong index: whatever goes into a call is checked first.
Rule 2. Each slot has a cache of its own (`kv_unified` off), so that what one slot computes never depends on the others.
Rule 3. The logits belong to the context and are overwritten by the next call: they are drawn from before it.
"""

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from adapters.llama import library
from adapters.llama.context import Context, ContextSizes, Rows
from adapters.llama.dividing import Call, fillers, joint_calls, whole_calls
from adapters.llama.identity import fingerprint, identity
from adapters.llama.library import low
from adapters.llama.loading import LoadedModel
from adapters.llama.lora import Adapter, AdapterFile, load_adapters
from adapters.llama.proving import widest_exact
from adapters.llama.sampling import Sampler, draw_rows
from adapters.llama.sizing import RunnerSettings, plan
from adapters.llama.tokens import Vocabulary
from bot.errors import ModelNotLoaded, RunnerFailed, UnknownToken
from bot.ports.runner import RunnerShape, SlotState, Stretch
from bot.sampling import SamplingSettings

__all__ = ["LlamaRunner", "RunnerSettings"]

logger = logging.getLogger(__name__)


class LlamaRunner:
    """A loaded model with its cache. Takes the model over: `close` frees both. Raises ModelNotLoaded when made in vain."""

    def __init__(self, model: LoadedModel, settings: RunnerSettings, adapters: Sequence[AdapterFile] = ()) -> None:
        planned = plan(settings, parameters=model.parameters, on_gpu=model.on_gpu)
        self._model = model
        self._vocabulary = Vocabulary(model.handle)
        self._adapters = load_adapters(model, adapters)
        self._identity = _identity(model, planned.sizes, self._adapters.values())
        context = Context(model, planned.sizes)
        self._context: Context | None = context
        sizes = planned.sizes
        self._shape = RunnerShape(sizes.slots, sizes.context, planned.step, sizes.chunk, neighbours=not model.on_gpu)
        self._lengths = [0] * self._shape.slots
        self._read_with: list[str | None] = [None] * self._shape.slots
        self._samplers: dict[int, Sampler] = {}
        self._adapter = ""
        try:
            self._widths = self._prove(context, wanted=planned.exact)
        except RunnerFailed as failure:
            context.free()
            raise ModelNotLoaded(f"{model.path} was loaded, but its first step failed: {failure}") from failure
        self._is_exact = bool(self._widths)
        self._readers_left = threading.Condition()
        self._readers = 0
        self._is_closed = False

    @property
    def shape(self) -> RunnerShape:
        """Its sizes as llama.cpp granted them."""
        return self._shape

    @property
    def identity(self) -> str:
        """All that a saved state depends on, as one word."""
        return self._identity

    @property
    def adapters(self) -> tuple[str, ...]:
        """The names of the adapters that were loaded."""
        return tuple(self._adapters)

    @property
    def is_exact(self) -> bool:
        """Whether what a slot holds and draws depends on its own stretches alone."""
        return self._is_exact

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
        self._open(slot)
        self._check_tokens(history)
        try:
            self._samplers[slot] = Sampler(settings, seed, history, words=self._vocabulary)
        except ValueError as unknown:
            raise UnknownToken(f"{unknown}.") from unknown

    def step(self, stretches: Sequence[Stretch], adapter: str = "") -> tuple[int | None, ...]:
        """Read the stretches and draw where asked. After a failure the lengths follow what the cache says it holds."""
        context = self._check_step(stretches, adapter)
        drawn: list[int | None] = [None] * len(stretches)
        try:
            self._use(context, adapter)
            for call in self._calls(context, stretches, adapter):
                self._read(context, stretches, call, drawn)
        except RunnerFailed:
            self._ask_lengths(context, stretches)
            raise
        return tuple(drawn)

    def save(self, slot: int) -> SlotState:
        """A copy of what the slot holds."""
        return self._open(slot).save(slot)

    def restore(self, slot: int, state: SlotState, length: int) -> bool:
        """Put a saved state in the place of what the slot holds. False when it does not fit: the slot is empty then."""
        context = self._open(slot)
        fits = 0 <= length <= self._shape.context and state.nbytes > 0 and state.c_contiguous
        whole = fits and context.restore(slot, state) and context.length(slot) == length
        if not whole:
            context.empty(slot)
        self._lengths[slot] = length if whole else 0
        self._read_with[slot] = None
        return whole

    def keep(self, slot: int, length: int) -> bool:
        """Cut the slot's sequence to its first `length` tokens."""
        context = self._open(slot)
        if not 0 <= length <= self._lengths[slot]:
            raise RunnerFailed(f"Slot {slot} holds {self._lengths[slot]} tokens; it cannot keep {length}.")
        kept = context.cut(slot, length)
        if not kept:
            context.empty(slot)
        self._lengths[slot] = length if kept else 0
        if not self._lengths[slot]:
            self._read_with[slot] = None
        return kept

    def exchange(self, one: int, other: int) -> None:
        """Let two slots change places, by way of copies: llama.cpp moves nothing between the caches of two slots."""
        self._open(other)
        context = self._open(one)
        held = {slot: context.save(slot) if self._lengths[slot] else None for slot in (one, other)}
        for source, target in ((one, other), (other, one)):
            context.empty(target)
            state = held[source]
            if state is not None and not context.restore(target, state):
                raise RunnerFailed(f"Slot {source} could not take the place of slot {target}.")
        lengths, read_with = self._lengths, self._read_with
        lengths[one], lengths[other] = lengths[other], lengths[one]
        read_with[one], read_with[other] = read_with[other], read_with[one]
        samplers = {one: self._samplers.pop(other, None), other: self._samplers.pop(one, None)}
        self._samplers |= {slot: sampler for slot, sampler in samplers.items() if sampler}

    def close(self) -> None:
        """Give back all memory, once nobody reads the vocabulary any more; a second call does nothing."""
        with self._readers_left:
            self._is_closed = True
            self._readers_left.wait_for(lambda: not self._readers)
        context, self._context = self._context, None
        if context:
            context.free()
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

    def _calls(self, context: Context, stretches: Sequence[Stretch], adapter: str) -> Sequence[Call]:
        if self._model.on_gpu:
            return joint_calls(stretches, context.most)
        return whole_calls(stretches, self._widths.get(adapter, self._shape.slots))

    def _read(self, context: Context, stretches: Sequence[Stretch], call: Call, drawn: list[int | None]) -> None:
        """One call: read some of the stretches of a step, and draw for those of them that ask."""
        read = [stretches[place] for place in call]
        filling = fillers(read, self._lengths, room=context.room, gap=context.gap)
        if sum(len(stretch.tokens) for stretch in read) + len(filling) > context.most:
            filling = []
        context.decode(read, filling)
        for place in call:
            self._lengths[stretches[place].slot] += len(stretches[place].tokens)
        asking = [place for place in call if stretches[place].draws]
        if asking:
            tokens = self._draw([stretches[place].slot for place in asking], context.rows(len(asking)))
            for place, token in zip(asking, tokens, strict=True):
                drawn[place] = token

    def _draw(self, slots: Sequence[int], rows: Rows) -> Sequence[int]:
        try:
            return draw_rows([self._samplers[slot] for slot in slots], rows)
        except ValueError as failure:
            raise RunnerFailed(f"Nothing can be drawn: {failure}.") from failure

    def _use(self, context: Context, adapter: str) -> None:
        """Read with this adapter from now on; the graph that llama.cpp has at hand is lost when it is another one."""
        if adapter == self._adapter:
            return
        chosen = [self._adapters[adapter]] if adapter else []
        context.use_adapters([(each.handle, each.file.scale) for each in chosen])
        self._adapter = adapter

    def _ask_lengths(self, context: Context, stretches: Sequence[Stretch]) -> None:
        for stretch in stretches:
            self._lengths[stretch.slot] = context.length(stretch.slot)

    def _check_step(self, stretches: Sequence[Stretch], adapter: str) -> Context:
        """Raise RunnerFailed unless every index of the step is right."""
        if not self._context:
            raise RunnerFailed("The model was closed.")
        if adapter and adapter not in self._adapters:
            raise RunnerFailed(f"There is no adapter {adapter!r}.")
        if not 0 < sum(len(stretch.tokens) for stretch in stretches) <= self._shape.batch:
            raise RunnerFailed(f"A step takes between 1 and {self._shape.batch} tokens.")
        drawing: set[int] = set()
        ends: dict[int, int] = {}
        for stretch in stretches:
            self._open(stretch.slot)
            if stretch.slot in drawing:
                raise RunnerFailed(f"Slot {stretch.slot} draws before its last stretch of the step.")
            self._check_stretch(stretch, ends.get(stretch.slot, self._lengths[stretch.slot]), adapter)
            ends[stretch.slot] = stretch.start + len(stretch.tokens)
            if stretch.draws:
                drawing.add(stretch.slot)
        for slot in ends:
            self._read_with[slot] = adapter
        return self._context

    def _check_stretch(self, stretch: Stretch, length: int, adapter: str) -> None:
        self._check_tokens(stretch.tokens)
        if not 0 < len(stretch.tokens) <= self._shape.chunk:
            raise RunnerFailed(f"A stretch has between 1 and {self._shape.chunk} tokens.")
        if stretch.start != length:
            raise RunnerFailed(f"Slot {stretch.slot} goes on at {length}, not at {stretch.start}.")
        if length + len(stretch.tokens) > self._shape.context:
            raise RunnerFailed(f"Slot {stretch.slot} holds {self._shape.context} tokens at most.")
        if stretch.draws and stretch.slot not in self._samplers:
            raise RunnerFailed(f"Slot {stretch.slot} cannot draw before it began.")
        if self._read_with[stretch.slot] not in (None, adapter):
            raise RunnerFailed(f"Slot {stretch.slot} was read with another adapter so far: empty it first.")

    def _open(self, slot: int) -> Context:
        if not self._context:
            raise RunnerFailed("The model was closed.")
        if not 0 <= slot < self._shape.slots:
            raise RunnerFailed(f"There is no slot {slot}; there are {self._shape.slots}.")
        return self._context

    def _check_tokens(self, tokens: Sequence[int]) -> None:
        if tokens and not 0 <= min(tokens) <= max(tokens) < self._vocabulary.size:
            raise UnknownToken("Some of the tokens are none of this model's.")

    def _prove(self, context: Context, *, wanted: bool | None) -> Mapping[str, int]:
        """With each adapter ("" for none), how many slots can read a token together exactly. Empty where it is not promised.

        Adapters are floats nearly always, and floats are read alone.
        """
        slots = self._shape.slots
        if wanted is False:
            return {}
        widths = {"": widest_exact(context, slots, self._model.parameters), **dict.fromkeys(self._adapters, 1)}
        if wanted is None and min(widths.values()) < slots:
            logger.info("the same seed need not give the same reply: that would cost speed with these weights or adapters")
            return {}
        logger.info("the same seed gives the same reply; slots that read together: %s", widths)
        return widths


def _identity(model: LoadedModel, sizes: ContextSizes, adapters: Iterable[Adapter]) -> str:
    facts = [low.llama_print_system_info(), model.on_gpu, sizes.kv_type, sizes.flash_attention, "split", library.version]
    try:
        facts += [fingerprint(model.path)]
        facts += [(adapter.file.name, adapter.file.scale, fingerprint(adapter.file.path)) for adapter in adapters]
    except OSError as failure:
        raise ModelNotLoaded(f"{failure.filename} cannot be read again ({failure.strerror}). Start once more.") from failure
    return identity(facts)
