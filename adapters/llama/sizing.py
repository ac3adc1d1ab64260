"""From what the operator asks for to the sizes of a context: the rules and the defaults. It loads and measures nothing.

Nothing here may depend on how fast the machine is today: the chunk decides how a story is divided, and thereby what is
written after it, so the same model on the same kind of machine has to give the same one.
"""

from dataclasses import dataclass

from adapters.llama.context import KV_TYPES, ContextSizes
from bot.errors import ModelNotLoaded

MOST_SLOTS = 256
"""LLAMA_MAX_SEQ: with more sequences llama.cpp makes no context."""

GPU_CHUNK = 512
CPU_CHUNKS = (16, 24, 32, 40, 48, 64, 96, 128, 192, 256)
SHORT_CONTEXT = 256
"""Tokens of a slot up to which flash attention is faster on a CPU, and sums up alike for one slot and for many."""

CPU_WORK = 20e9
"""Parameters times tokens that a stretch may come to on a CPU: a few tenths of a second on two cores."""


@dataclass(frozen=True, slots=True)
class RunnerSettings:
    """What a runner is asked to be: slots, tokens that a slot holds, tokens of a step, tokens of a stretch, CPU threads.

    `batch` is raised to what one stretch beside one token for every other slot needs. `chunk` None takes the usual one for
    the model. `kv_type` is "f16" or "q8_0"; `flash_attention` and `exact` None decide by what they cost: see `plan`.
    """

    slots: int
    context: int
    batch: int
    threads: int
    chunk: int | None = None
    cache_on_gpu: bool = True
    kv_type: str = "f16"
    flash_attention: bool | None = None
    exact: bool | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes of the context, the most tokens of a step, and whether exactness is wanted (None: where it costs nothing)."""

    sizes: ContextSizes
    step: int
    exact: bool | None


def plan(settings: RunnerSettings, *, parameters: int, on_gpu: bool) -> Plan:
    """What the settings come to for a model of so many parameters. Raises ModelNotLoaded for what cannot be had together.

    Flash attention is left to llama.cpp where layers are on a GPU. On a CPU it is on for a q8_0 cache, which needs it, and for
    short contexts, where it saves an eighth of a step. Otherwise it is off: over an f16 cache it is slower from 500 tokens
    on, and divides a context of 512 and more among the threads for a slot that is read alone, but not beside others, so
    that replies cannot be exact.
    """
    if not 1 <= settings.slots <= MOST_SLOTS:
        raise ModelNotLoaded(f"{settings.slots} slots cannot be had; choose between 1 and {MOST_SLOTS}.")
    for name in ("context", "batch", "chunk", "threads"):
        if (number := getattr(settings, name)) is not None and number < 1:
            raise ModelNotLoaded(f"The setting {name} is {number}; it must be at least 1.")
    if settings.kv_type not in KV_TYPES:
        raise ModelNotLoaded(f"A cache of the type {settings.kv_type!r} cannot be had; choose one of {', '.join(KV_TYPES)}.")
    if settings.kv_type != "f16" and settings.flash_attention is False:
        raise ModelNotLoaded("A q8_0 cache needs flash attention: leave flash attention on, or choose an f16 cache.")
    flash = settings.flash_attention
    if flash is None and not on_gpu:
        flash = settings.kv_type != "f16" or settings.context <= SHORT_CONTEXT
    chunk = min(settings.chunk or usual_chunk(parameters, on_gpu=on_gpu), settings.context)
    step = max(settings.batch, chunk + settings.slots - 1)
    sizes = ContextSizes(
        slots=settings.slots,
        context=settings.context,
        batch=step,
        chunk=chunk,
        threads=settings.threads,
        kv_type=settings.kv_type,
        cache_on_gpu=settings.cache_on_gpu,
        flash_attention=flash,
    )
    return Plan(sizes, step, _exact(settings, sizes, on_gpu=on_gpu))


def usual_chunk(parameters: int, *, on_gpu: bool) -> int:
    """The tokens of a stretch when none are asked for: 512 on a GPU, else the fewer the larger the model is, from 256 to 16.

    What a longer stretch costs is the time that all running replies stand still; what a shorter one costs is that all
    weights are fetched more often.
    """
    if on_gpu:
        return GPU_CHUNK
    return max((chunk for chunk in CPU_CHUNKS if chunk * parameters <= CPU_WORK), default=CPU_CHUNKS[0])


def _exact(settings: RunnerSettings, sizes: ContextSizes, *, on_gpu: bool) -> bool | None:
    in_the_way = ""
    if on_gpu:
        in_the_way = "with layers on a GPU: put none there"
    elif sizes.flash_attention and sizes.kv_type == "f16" and sizes.context > SHORT_CONTEXT:
        in_the_way = "with flash attention over an f16 cache: leave it off"
    if settings.exact and in_the_way:
        raise ModelNotLoaded(f"Exact replies cannot be promised {in_the_way}, or do without exactness.")
    return False if in_the_way else settings.exact
