"""Opens the engine of this process on a model file: the one door that the wiring uses."""

import logging
import os
from pathlib import Path

from adapters.llama.loading import LoadedModel, load
from adapters.llama.runner import LlamaRunner, RunnerSettings
from adapters.llama.selfcheck import check_sampling
from bot.engine.threaded import ThreadedEngine
from bot.errors import ModelNotLoaded
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
    gpu_layers: int = -1,
    rating: Rating | None = None,
) -> ThreadedEngine:
    """The engine on this model file, ready to write. Takes seconds; `close` it at the end. Raises ModelNotLoaded.

    `context` is per slot, in tokens; above the trained context it is cut to that with a warning, because what a model
    writes beyond it is noise. `threads` None takes all cores that this process may use but one: the threads wait for
    each other at every step, so that with one of them held up by other work all would crawl.
    `batch` is how many tokens a step reads at most. `gpu_layers` negative puts all layers on the GPU, if there is one.
    `rating` None takes what the file says.
    """
    check_sampling()
    model = load(path, gpu_layers=gpu_layers)
    size = _context_size(context, model)
    settings = RunnerSettings(slots, size, min(batch, size), threads or _spare_cores(), cache_on_gpu=gpu_layers != 0)
    try:
        runner = LlamaRunner(model, settings)
    except ModelNotLoaded:
        model.free()
        raise
    return ThreadedEngine(runner, model=model.facts.name, rating=rating or model.facts.rating)


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
