"""Our server beside llama-server and llama_cpp.server over HTTP: tokens a second, and the processor time of a token.

Every round asks every server the same questions, one server after the other and each time another first, so that a busy
machine slows all alike. No prompt comes twice: nothing is found in a cache. The client is one process on the same cores.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.figures import median, spread
from tests.bench.models import model_file
from tests.bench.options import Options, Rows
from tests.bench.ours import OURS
from tests.bench.processes import Running
from tests.bench.prose import prose
from tests.bench.servers import DEFAULTS, NO_PEERS, PEER, SERIAL, Load, ServerKind, serving
from tests.bench.streams import ask, connection
from tests.bench.watch import track

KINDS = (OURS, PEER, DEFAULTS, SERIAL)
SLOTS = 16
SERIAL_ROUNDS = 1
"""llama_cpp.server writes one reply at a time: it needs no more than a look."""


@dataclass(frozen=True, slots=True)
class Case:
    """So many streams of prompts of this length, answered with so many tokens, in slots of `context` tokens.

    `bound` is what we promise against `rival`.
    """

    name: str
    streams: int
    prompt: int
    reply: int
    rounds: int
    rival: ServerKind
    bound: str
    context: int = 256


SHORT = [Case("short", streams, 30, 48, 5, PEER, "at least 0.95") for streams in (4, 8, 16)]
LONG = [Case("long", streams, 1_000, 64, rounds, DEFAULTS, "aim 1.3", 1280) for streams, rounds in ((4, 3), (8, 3), (16, 1))]
"""Reading 16,000 tokens takes a minute on two cores: by default there is one round of them, `--rounds 5` for five of all."""

WARM_UP = Case("warm up", 2, 30, 8, 1, PEER, "")
QUICK = [Case("short", 2, 30, 8, 1, PEER, ""), Case("long", 2, 100, 8, 1, DEFAULTS, "")]


@dataclass(slots=True)
class Taken:
    """What the rounds of a case showed of one server."""

    speeds: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)


def run(options: Options) -> Rows:
    """Labels and figures."""
    return asyncio.run(_measure(options))


async def _measure(options: Options) -> Rows:
    kinds = [kind for kind in KINDS if kind.is_there]
    rows: Rows = [] if PEER in kinds else [("http: llama-server", NO_PEERS)]
    model = model_file(options.shape("half"))
    for case in QUICK if options.is_quick else (*SHORT, *LONG):
        with tempfile.TemporaryDirectory() as name:
            load = Load(model, SLOTS, case.context, options.threads, Path(name), options.gpu_layers)
            rows += _rows(case, await _on_fresh_servers(case, kinds, load, options.times(case.rounds)))
    return rows


async def _on_fresh_servers(case: Case, kinds: Sequence[ServerKind], load: Load, rounds: int) -> dict[str, Taken]:
    """Started for each case, because all of them keep what they have read in memory: gigabytes of it, here for nothing."""
    async with AsyncExitStack() as stack:
        servers = [(kind, await stack.enter_async_context(serving(kind, load))) for kind in kinds]
        for kind, server in servers:
            await _once(WARM_UP, kind, server, 0, Taken())
        return await _rounds(case, servers, rounds)


async def _rounds(case: Case, servers: Sequence[tuple[ServerKind, Running]], rounds: int) -> dict[str, Taken]:
    taken = {kind.name: Taken() for kind, _ in servers}
    for number in track(range(rounds), f"{case.name} prompts, {case.streams} streams"):
        for kind, server in _rotated(servers, number):
            if kind.is_serial and (number >= SERIAL_ROUNDS or case.prompt > SHORT[0].prompt):
                continue
            await _once(case, kind, server, number, taken[kind.name])
    return taken


def _rotated(servers: Sequence[tuple[ServerKind, Running]], by: int) -> Sequence[tuple[ServerKind, Running]]:
    first = by % len(servers)
    return [*servers[first:], *servers[:first]]


async def _once(case: Case, kind: ServerKind, server: Running, number: int, taken: Taken) -> None:
    seeds = [f"{case.name} {case.streams} {number} {stream}" for stream in range(case.streams)]
    bodies = [kind.body(prose(seed, case.prompt), case.reply, session=seed) for seed in seeds]
    async with connection(server.url) as http:
        before, began = server.cpu_seconds(), time.perf_counter()
        heard = await asyncio.gather(*(ask(http, body) for body in bodies))
        seconds, cpu = time.perf_counter() - began, server.cpu_seconds() - before
    tokens = sum(each.tokens for each in heard)
    taken.speeds.append(tokens / seconds)
    taken.milliseconds.append(1_000 * cpu / tokens)


def _rows(case: Case, taken: dict[str, Taken]) -> Rows:
    title = f"http, {case.streams} streams, {case.prompt}-token prompts, {case.reply} new tokens"
    rows = [
        (f"{title}: {name}", f"{spread(each.speeds, ' tokens/s', 1)}, {median(each.milliseconds):.1f} CPU-ms a token")
        for name, each in taken.items()
        if each.speeds
    ]
    for rival in (PEER, DEFAULTS):
        if rival.name in taken:
            bound = f" ({case.bound})" if rival is case.rival and case.bound else ""
            rows.append((f"{title}: ours / {rival.name}{bound}", _ratio(taken[OURS.name], taken[rival.name])))
    return rows


def _ratio(ours: Taken, theirs: Taken) -> str:
    """Medians of the rounds' ratios: what slowed a round slowed both."""
    speed = spread(one / other for one, other in zip(ours.speeds, theirs.speeds, strict=True))
    cost = spread(one / other for one, other in zip(ours.milliseconds, theirs.milliseconds, strict=True))
    return f"{speed} tokens/s, {cost} CPU"
