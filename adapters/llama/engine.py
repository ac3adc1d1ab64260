"""Opens the engine of this process on a model file: the one door that the wiring uses."""

import logging
import os
from pathlib import Path

from adapters.llama.identity import content
from adapters.llama.loading import LoadedModel, load
from adapters.llama.lora import AdapterFile
from adapters.llama.runner import LlamaRunner, RunnerSettings
from adapters.llama.selfcheck import check_sampling
from bot.engine.threaded import DEFAULT, SharingSettings, ThreadedEngine
from bot.errors import ModelNotLoaded
from bot.ports.shelf import Shelf
from bot.story.policy import Rating

logger = logging.getLogger(__name__)

USUAL_CONTEXT = 4096
"""Tokens per slot when none are asked for (or fewer, where the model was trained on fewer): half a gigabyte for 7B."""


def open_engine(  # noqa: PLR0913 - each is a line of the configuration
    path: Path,
    *,
    context: int | None = None,
    slots: int = 1,
    threads: int | None = None,
    batch: int = 512,
    chunk: int | None = None,
    gpu_layers: int = -1,
    cache_on_gpu: bool = True,
    kv_type: str = "f16",
    flash_attention: bool | None = None,
    exact: bool | None = None,
    adapters: tuple[AdapterFile, ...] = (),
    rating: Rating | None = None,
    sharing: SharingSettings = DEFAULT,
    shelf: Shelf | None = None,
) -> ThreadedEngine:
    """The engine on this model file, ready to write. Takes seconds; `close` it at the end. Raises ModelNotLoaded.

    `slots` is how many replies are written at a time and how many stories stay in the model's own memory, each with room
    for `context` tokens; above the trained context that is cut with a warning, because what a model writes beyond it is
    noise. The memory is taken at once: 128 KiB a token for a Mistral of 7B, so 4 GiB for 8 slots of 4096.
    `threads` None takes all cores that this process may use but one: the threads wait for each other at every step, so that
    with one of them held up by other work all would crawl.
    `batch` is how many tokens a step reads at most, `chunk` how many of one story without a pause for the others; None
    takes what suits the size of the model (`adapters.llama.sizing`). Another chunk divides stories otherwise: replies of
    the same seed are others then.
    `gpu_layers` negative puts all layers on the GPU, if there is one; `cache_on_gpu` False leaves the memory for stories to
    the host: slower, but room on a small card.
    `kv_type` "q8_0" keeps stories in half the memory; on a CPU, steps over stories of 1,400 tokens took twice as long, and
    the numbers are a little coarser. It needs flash attention. `flash_attention` None decides: on a GPU as llama.cpp does,
    on a CPU only for q8_0, because over f16 it takes exactness away there, and time from 500 tokens on.
    `exact` None promises the same reply to the same seed and story whatever else is written at the time, where that costs
    nothing: on a CPU with Q8_0 or Q4_0 weights and no adapters. True has it with any weights on a CPU: K-quants then write
    fewer replies together (a quarter slower with eight of them, half as fast with sixteen), floats and adapters one by one.
    False never looks for it.
    `adapters` are loaded with the model, ready to be asked for by name; replies with different ones never share a step.
    `rating` None takes what the file says. `sharing` is how the model is shared, and `shelf` what keeps the states of stories
    that find no room in memory.
    """
    check_sampling()
    model = load(path, gpu_layers=gpu_layers)
    settings = RunnerSettings(
        slots=slots,
        context=_context_size(context, model),
        batch=batch,
        threads=threads or _spare_cores(),
        chunk=chunk,
        cache_on_gpu=cache_on_gpu,
        kv_type=kv_type,
        flash_attention=flash_attention,
        exact=exact,
    )
    try:
        runner = LlamaRunner(model, settings, adapters)
    except ModelNotLoaded:
        model.free()
        raise
    return _shared(runner, model, rating or model.facts.rating, sharing, shelf)


def _shared(
    runner: LlamaRunner, model: LoadedModel, rating: Rating, sharing: SharingSettings, shelf: Shelf | None
) -> ThreadedEngine:
    mark = content(model.path)
    return ThreadedEngine(runner, model=model.facts.name, rating=rating, fingerprint=mark, sharing=sharing, shelf=shelf)


def _context_size(asked: int | None, model: LoadedModel) -> int:
    trained = model.facts.trained_context or USUAL_CONTEXT
    size = asked or min(USUAL_CONTEXT, trained)
    if size > trained:
        logger.warning("%s was trained on %d tokens: the context of %d asked for is cut to that", model.path, trained, size)
    return min(size, trained)


def _spare_cores() -> int:
    """How many cores this process may use, less one for everything else; at least one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores - 1)
