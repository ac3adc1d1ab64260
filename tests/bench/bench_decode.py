"""Writing with the whole LimaRP chain through our engine, beside the same steps of bare llama.cpp with greedy picking.

Both run in this process, on the same sizes and in turns. Timed is only the stretch in which all sequences are being written.
"""

import asyncio
import time
from contextlib import aclosing
from pathlib import Path

from adapters.llama.engine import open_engine
from bot.engine.threaded import ThreadedEngine
from bot.ids import SessionId
from bot.ports.engine import GenerationRequest, Segment, TextDelta
from bot.sampling import LIMARP
from tests.bench.bare import Bare
from tests.bench.figures import median, spread
from tests.bench.models import model_file
from tests.bench.options import Options, Rows
from tests.bench.prose import prose
from tests.bench.watch import track

SEQUENCES = (1, 4, 8, 16)
SLOTS, CONTEXT = 16, 256
PROMPT, REPLY = 32, 64
ROUNDS = 5
BOUND = 0.88


def run(options: Options) -> Rows:
    """Labels and figures."""
    path = model_file(options.shape("half"))
    bare = Bare(path, slots=SLOTS, context=CONTEXT, threads=options.threads, gpu_layers=options.gpu_layers)
    try:
        return asyncio.run(_compare(path, bare, options))
    finally:
        bare.close()


async def _compare(path: Path, bare: Bare, options: Options) -> Rows:
    engine = open_engine(path, context=CONTEXT, slots=SLOTS, threads=options.threads, gpu_layers=options.gpu_layers)
    rows: Rows = []
    try:
        await _ours(engine, 1, "warm up")
        for sequences in SEQUENCES[:2] if options.is_quick else SEQUENCES:
            rows += await _rounds(engine, bare, sequences, options.times(ROUNDS))
    finally:
        await engine.close()
    return rows


async def _rounds(engine: ThreadedEngine, bare: Bare, sequences: int, rounds: int) -> Rows:
    ours, theirs = [], []
    for number in track(range(rounds), f"writing {sequences} at once"):
        for is_ours in (True, False) if number % 2 else (False, True):
            if is_ours:
                ours.append(await _ours(engine, sequences, f"{number}"))
            else:
                theirs.append(await _bare(engine, bare, sequences, f"{number}"))
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    figure = f"{spread(ratios)}: {median(ours):.1f} of {median(theirs):.1f} tokens/s"
    return [(f"writing {sequences} at once: ours / bare llama_decode, greedy (at least {BOUND})", figure)]


async def _ours(engine: ThreadedEngine, sequences: int, seed: str) -> float:
    """Tokens a second between the moment when all are being written and the moment when the first of them ends."""
    streams = await asyncio.gather(*(_stream(engine, f"{seed} {sequence}") for sequence in range(sequences)))
    began, ended = max(stamps[0][0] for stamps in streams), min(stamps[-1][0] for stamps in streams)
    return sum(count for stamps in streams for at, count in stamps if began < at <= ended) / (ended - began)


async def _stream(engine: ThreadedEngine, seed: str) -> list[tuple[float, int]]:
    """When each stretch of one reply came, and of how many tokens it was."""
    segments = (Segment(prose(seed, PROMPT)),)
    request = GenerationRequest(SessionId(seed), segments, REPLY, LIMARP, seed=1)
    async with aclosing(engine.generate(request)) as stream:
        return [(time.perf_counter(), len(item.token_ids)) async for item in stream if isinstance(item, TextDelta)]


async def _bare(engine: ThreadedEngine, bare: Bare, sequences: int, seed: str) -> float:
    prompts = [
        [token for part in await engine.tokenize((Segment(prose(f"{seed} {sequence}", PROMPT)),)) for token in part]
        for sequence in range(sequences)
    ]
    return bare.tokens_per_second(prompts, REPLY - 1)
