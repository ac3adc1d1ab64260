"""How long running streams stand still while the engine reads somebody's prompt of 4,000 tokens, over HTTP."""

import asyncio
import tempfile
from itertools import pairwise
from pathlib import Path

import aiohttp

from tests.bench.figures import median, percentile
from tests.bench.models import model_file
from tests.bench.options import Options, Rows
from tests.bench.ours import OURS, TARGET_SECONDS
from tests.bench.processes import Running
from tests.bench.prose import prose
from tests.bench.servers import NO_PEERS, PEER, Load, ServerKind, serving
from tests.bench.streams import Heard, ask, connection
from tests.bench.watch import track

STREAMS = 4
SLOTS, CONTEXT = STREAMS + 1, 4_352
PROMPT, LONG_PROMPT, LONG_REPLY = 30, 4_000, 4
QUICK_PROMPT = 400
RUNNING = 12
"""Stretches of text after which a stream counts as running."""
ROUNDS = 3
PATIENCE = 60_000
KINDS = (OURS, PEER)


def run(options: Options) -> Rows:
    """Labels and figures."""
    return asyncio.run(_measure(options))


async def _measure(options: Options) -> Rows:
    length = QUICK_PROMPT if options.is_quick else LONG_PROMPT
    rows: Rows = []
    for kind in KINDS:
        if not kind.is_there:
            rows.append((f"stall: {kind.name}", NO_PEERS))
            continue
        with tempfile.TemporaryDirectory() as name:
            load = Load(model_file(options.shape("half")), SLOTS, CONTEXT, options.threads, Path(name), options.gpu_layers)
            async with serving(kind, load) as server:
                rows.append(await _rounds(kind, server, length, options.times(ROUNDS)))
    return rows


async def _rounds(kind: ServerKind, server: Running, length: int, rounds: int) -> tuple[str, str]:
    before, during, reading = [], [], []
    async with connection(server.url) as http:
        for number in track(range(rounds), f"{kind.name} reads {length} tokens"):
            calm, busy, seconds = await _once(kind, http, f"stall {number}", length)
            before += calm
            during += busy
            reading.append(seconds)
    bound = f" (at most {2 * TARGET_SECONDS * 1e3:.0f} ms)" if kind is OURS else ""
    figure = (
        f"p99 {percentile(during, 0.99) * 1e3:.0f} ms, median {median(during) * 1e3:.0f} ms"
        f" ({median(before) * 1e3:.0f} ms before); first text of the long prompt after {median(reading):.1f} s"
    )
    return f"stall: {kind.name}, gap between tokens of {STREAMS} streams while {length} tokens are read{bound}", figure


async def _once(
    kind: ServerKind, http: aiohttp.ClientSession, seed: str, length: int
) -> tuple[list[float], list[float], float]:
    """The gaps before the long prompt came and while it was read, and how long its reader waited."""
    watched = [Heard(0.0) for _ in range(STREAMS)]
    bodies = [kind.body(prose(f"{seed} {n}", PROMPT), CONTEXT - 2 * PROMPT, f"{seed} {n}") for n in range(STREAMS)]
    tasks = [asyncio.create_task(ask(http, body, heard)) for body, heard in zip(bodies, watched, strict=True)]
    try:
        await _until_running(watched, tasks)
        long = await ask(http, kind.body(prose(f"{seed} long", length), LONG_REPLY, f"{seed} long"))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    pairs = [pair for heard in watched for pair in pairwise(heard.stamps)]
    calm = [later - earlier for earlier, later in pairs if later <= long.asked]
    busy = [later - earlier for earlier, later in pairs if later > long.asked and earlier < long.stamps[0]]
    return calm, busy, long.first


async def _until_running(watched: list[Heard], tasks: list[asyncio.Task[Heard]]) -> None:
    for _ in range(PATIENCE):
        if any(task.done() for task in tasks):
            await asyncio.gather(*tasks)  # raises what went wrong
            raise RuntimeError("a stream ended before the long prompt was read")
        if all(len(heard.stamps) >= RUNNING for heard in watched):
            return
        await asyncio.sleep(0.01)
    raise RuntimeError("the streams did not begin")
