"""The workload this project exists for: many threads, few slots, long stories that each grow by a post and a reply.

First every story is read for the first time, with a post and a reply; then come three rounds in which every thread gets a
post and a reply, in another order each time, eight threads at once; then the server is ended and started anew, and there is
one more round. Counted are the tokens of prompts that were handed to the model, while somebody waited or ahead of need,
over the new tokens: the last reply where its header changes, the post, and their headers.

At last some threads whose slots were taken long ago come back one by one, on a server that does nothing else; beside them
the same stories under another character's name, which no cache can know.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.story.session import Session
from bot.story.settings import Length
from tests.bench import stories
from tests.bench.figures import median, percentile
from tests.bench.models import model_file
from tests.bench.options import Options, Rows
from tests.bench.ours import OURS, our_side
from tests.bench.processes import Running
from tests.bench.servers import NO_PEERS, PEER, SERIAL, Load, ServerKind, serving
from tests.bench.sides import PeerSide, Side
from tests.bench.stories import Counter
from tests.bench.streams import Heard, connection
from tests.bench.watch import track

SLOTS, CONTEXT = 8, 4_096
ROUNDS, PROBES, PROBE_REPLY = 3, 4, 4
MODES = {"no modifier": None, "modifier in the newest header": Length.SHORT}
AIM, RETURN_AIM = 1.05, 0.1


@dataclass(frozen=True, slots=True)
class Size:
    """How many threads there are, how many are asked at once, how long their stories and replies are."""

    threads: int = 32
    at_once: int = SLOTS
    whole: int = stories.WHOLE
    reply: int = stories.REPLY
    rounds: int = ROUNDS


QUICK = Size(threads=12, at_once=4, whole=300, reply=8, rounds=1)


@dataclass(slots=True)
class Round:
    """What one round showed. `read` is None where the server does not tell; `aside` is the time of reading ahead after it."""

    name: str
    new: int = 0
    read: int | None = None
    seconds: float = 0.0
    aside: float = 0.0
    firsts: list[float] = field(default_factory=list)

    @property
    def figure(self) -> str:
        """The cell of the table."""
        told = "does not tell what it read" if self.read is None else f"read {self.read} of {self.new} new"
        ratio = "" if self.read is None else f" = {self.read / self.new:.3f}"
        aside = f" and {self.aside:.1f} s of reading ahead" if self.aside > 1 else ""
        return (
            f"{told}{ratio}; {self.seconds:.1f} s{aside}; first text {median(self.firsts):.2f} s,"
            f" p95 {percentile(self.firsts, 0.95):.2f} s"
        )


def run(options: Options) -> Rows:
    """Labels and figures."""
    return asyncio.run(_measure(options))


async def _measure(options: Options) -> Rows:
    size = QUICK if options.is_quick else Size()
    model = model_file(options.shape("small"))
    rows: Rows = []
    for mode, length in MODES.items():
        for kind in (OURS, PEER):
            if not kind.is_there:
                rows.append((f"threads, {mode}: {kind.name}", NO_PEERS))
                continue
            with tempfile.TemporaryDirectory() as name:
                load = Load(model, SLOTS, CONTEXT, options.threads, Path(name), options.gpu_layers)
                rows += [
                    (f"threads, {mode}: {kind.name}, {what}", figure)
                    for what, figure in await _played(kind, load, length, size)
                ]
    return rows + await _serial(model, options, size)


async def _played(kind: ServerKind, load: Load, length: Length | None, size: Size) -> Rows:
    """All rounds on one server, with its restart in between."""
    table = Table(kind, size, stories.counter(load.model), [stories.opened(n, length, size.whole) for n in range(size.threads)])
    rounds: list[Round] = []
    async with serving(kind, load) as server, _side(kind, server) as side:
        for name in ("first reading", *(f"round {number + 1}" for number in range(size.rounds))):
            rounds += [await table.round(side, name)]
    async with serving(kind, load) as server, _side(kind, server) as side:
        rounds.append(await table.round(side, "round after a restart"))
        returning, anew = await table.probes(side)
    rows = [(each.name + _bound(kind, each), each.figure) for each in rounds]
    aim = f" (aim {RETURN_AIM})" if kind is OURS else ""
    figure = f"{median(returning) / median(anew):.3f}: {median(returning) * 1e3:.0f} of {median(anew) * 1e3:.0f} ms"
    return [*rows, (f"first text of a returning thread alone / of reading it anew{aim}", figure)]


def _bound(kind: ServerKind, each: Round) -> str:
    return f" (aim {AIM})" if kind is OURS and each.name != "first reading" else ""


@asynccontextmanager
async def _side(kind: ServerKind, server: Running) -> AsyncGenerator[Side]:
    async with connection(server.url) as http:
        if kind is not OURS:
            yield PeerSide(kind, http)
            return
        async with our_side(server.url, http) as side:
            yield side


@dataclass(slots=True)
class Table:
    """All threads of one server, and their stories as they stand."""

    kind: ServerKind
    size: Size
    counter: Counter
    sessions: list[Session]
    played: int = 0

    async def round(self, side: Side, name: str) -> Round:
        """A post and a reply in every thread, some threads at once."""
        order = list(range(len(self.sessions)))
        random.Random(self.played).shuffle(order)  # noqa: S311  no secret hangs on it
        self.played += 1
        shown, gate, before = Round(name), asyncio.Semaphore(self.size.at_once), await side.read()
        progress = iter(track(range(len(order)), f"{self.kind.name}, {name}"))
        next(progress)
        began = time.perf_counter()

        async def turn(number: int) -> None:
            async with gate:
                heard = await self._turn(side, number, shown)
            shown.firsts.append(heard.first)
            next(progress, None)

        await asyncio.gather(*(turn(number) for number in order))
        shown.seconds = time.perf_counter() - began
        await side.settle()
        shown.aside = time.perf_counter() - began - shown.seconds
        after = await side.read()
        shown.read = None if after is None or before is None else after - before
        return shown

    async def probes(self, side: Side) -> tuple[list[float], list[float]]:
        """Seconds to the first text of threads that come back alone, and of the same stories read anew."""
        order = list(range(len(self.sessions)))
        random.Random(self.played - 1).shuffle(order)  # noqa: S311  the last round's order: its first are longest away
        returning: list[float] = []
        anew: list[float] = []
        for number in order[:PROBES]:
            session = stories.posted(self.sessions[number], f"probe {number}")
            stranger = replace(session, id=type(session.id)(f"anew-{session.id}"))
            stranger = replace(stranger, character=replace(stranger.character, name=f"Anew{number}"))
            for seen, each in ((returning, session), (anew, stranger)):
                seen.append((await side.reply(each, stories.prompt_of(each), PROBE_REPLY)).first)
                await side.settle()
        return returning, anew

    async def _turn(self, side: Side, number: int, shown: Round) -> Heard:
        session = stories.posted(self.sessions[number], f"thread {number} post {self.played}")
        prompt = stories.prompt_of(session)
        is_first = self.played == 1
        shown.new += self.counter.tokens(prompt.segments) if is_first else self.counter.new_tokens(session, prompt)
        heard = await side.reply(session, prompt, self.size.reply)
        self.sessions[number] = stories.answered(session, heard.text, heard.token_ids)
        await side.rest(self.sessions[number])
        return heard


async def _serial(model: Path, options: Options, size: Size) -> Rows:
    """llama_cpp.server reads every story anew, one after the other: a few threads show what a thread costs."""
    few = replace(size, threads=min(4, size.threads), rounds=1)
    with tempfile.TemporaryDirectory() as name:
        load = Load(model, 1, CONTEXT, options.threads, Path(name), options.gpu_layers)
        table = Table(SERIAL, few, stories.counter(model), [stories.opened(n, None, few.whole) for n in range(few.threads)])
        async with serving(SERIAL, load) as server, _side(SERIAL, server) as side:
            await table.round(side, "first reading")
            again = await table.round(side, "round 1")
    return [(f"threads, no modifier: {SERIAL.name}, round 1 of {few.threads} threads only", again.figure)]
