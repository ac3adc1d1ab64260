"""200 threads at once on a loopback Discord: from a player's message to the character's first post on the wire.

The bot is a process of its own; all times are taken on Discord's side, from the moment at which the message is handed to the
gateway's writer to the moment at which the post has come in. The pause in which messages are joined, and what the engine takes,
are taken off. The threads stand in so many channels that Discord's budget for a channel's webhook is not what is measured.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.bench.discord_bot import Orders
from tests.bench.figures import median, percentile
from tests.bench.options import Options, Rows
from tests.bench.prose import prose
from tests.fakes.discord import Channel, LoopbackDiscord, User
from tests.fakes.discord.exchange import Exchange

THREADS, PARENTS = 200, 50
QUICK_THREADS, QUICK_PARENTS = 8, 4
JOIN, ENGINE = 3.0, 0.0
"""Seconds in which messages are joined, as by default, and that the engine takes."""

SPREAD, MINUTE = 10.0, 60.0
HEARTBEAT = 2.0
"""Seconds between two heartbeats, as the loopback Discord asks for them: many, so that a late one would be seen."""

LATE = 0.5
PATIENCE = 120.0
QUIET = 2.0
"""Seconds without a request after which everything that a post brings with it is taken to be done."""

STARTED = 6.0
"""The same at the start: the library waits for guilds before it calls itself ready."""

READY = 60.0
BOUND = 0.050
POSTS = "POST /webhooks/"


@dataclass(frozen=True, slots=True)
class Case:
    """One round: the messages within so many seconds, with Discord's known budgets or without any."""

    name: str
    seconds: float
    budgets: bool = False


CASES = (
    Case("first burst after the start", 0.0),
    Case("burst", 0.0),
    Case("spread over 10 s", SPREAD),
    Case("spread over a minute, Discord's budgets", MINUTE, budgets=True),
)


@dataclass(slots=True)
class Round:
    """What is seen on Discord's side: when each thread's message went out, and when its first post came in."""

    sent: dict[int, float] = field(default_factory=dict)
    came: dict[int, float] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    newest: float = 0.0

    def heard(self, exchange: Exchange) -> None:
        """A request has been answered."""
        self.newest = time.monotonic()
        self.asked[kind(exchange)] += 1
        self.refused += exchange.status == 429
        if exchange.route.startswith(POSTS) and exchange.status < 300:
            self.came.setdefault(int(exchange.query.get("thread_id", 0)), self.newest)

    @property
    def waits(self) -> list[float]:
        """Seconds from message to post beyond what is configured."""
        return [self.came[thread] - at - JOIN - ENGINE for thread, at in self.sent.items() if thread in self.came]


@dataclass(slots=True)
class Stage:
    """The loopback Discord with its threads, and the bot's process."""

    discord: LoopbackDiscord
    threads: Sequence[Channel]
    player: User
    bot: asyncio.subprocess.Process
    numbers: "count[int]" = field(default_factory=count)

    async def tell(self) -> dict[str, float]:
        """What the bot tells of itself since it was last asked."""
        assert self.bot.stdin
        assert self.bot.stdout
        self.bot.stdin.write(b"\n")
        await self.bot.stdin.drain()
        found: dict[str, float] = json.loads(await self.bot.stdout.readline())
        return found


def run(options: Options) -> Rows:
    """Labels and figures."""
    return asyncio.run(_measure(options))


async def _measure(options: Options) -> Rows:
    rows: Rows = []
    with tempfile.TemporaryDirectory() as name:
        async with _stage(Path(name), options) as stage:
            for case in [each for each in CASES for _ in range(options.times(1))]:
                rows += await _played(stage, case)
            late = stage.discord.gateway.late_beats(LATE)
            worst = max((each.after - HEARTBEAT for each in stage.discord.gateway.beats), default=0.0)
            beats = len(stage.discord.gateway.beats)
            rows.append(
                ("heartbeats late", f"{len(late)} of {beats}; the latest by {worst * 1000:.0f} ms (bound: none by 500)")
            )
    return rows


@asynccontextmanager
async def _stage(folder: Path, options: Options) -> AsyncGenerator[Stage, None]:
    threads, parents = (QUICK_THREADS, QUICK_PARENTS) if options.is_quick else (THREADS, PARENTS)
    async with LoopbackDiscord() as discord:
        discord.gateway.heartbeat_s = HEARTBEAT
        guild, player = discord.add_guild("Harbour"), discord.add_user("Tobias")
        channels = [discord.add_channel(guild, f"tavern {number}") for number in range(parents)]
        opened = [await discord.open_thread(player, channels[n % parents], f"evening {n}") for n in range(threads)]
        Orders(discord.token, tuple(each.id for each in opened), JOIN, ENGINE).write(folder)
        with (folder / "log").open("wb") as log:
            bot = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.bench.discord_bot", str(folder)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=os.environ | discord.environment(),
            )
        try:
            await discord.wait_until_ready(seconds=READY)
            stage = Stage(discord, opened, player, bot)
            seen = Round()
            discord.on_exchange.append(seen.heard)
            await _quiet(seen, STARTED)
            discord.on_exchange.remove(seen.heard)
            yield stage
        finally:
            assert bot.stdin
            bot.stdin.close()
            await bot.wait()


async def _played(stage: Stage, case: Case) -> Rows:
    if case.budgets:
        stage.discord.limits.use_known()
    seen, before = Round(), await stage.tell()
    stage.discord.on_exchange.append(seen.heard)
    try:
        await _write(stage, case, seen)
        async with asyncio.timeout(PATIENCE):
            while len(seen.came) < len(stage.threads):
                await asyncio.sleep(0.05)
        await _quiet(seen, QUIET)
    finally:
        stage.discord.on_exchange.remove(seen.heard)
    return _rows(case, seen, before, await stage.tell())


async def _write(stage: Stage, case: Case, seen: Round) -> None:
    """Every thread gets a message of its player."""
    began, step = time.monotonic(), case.seconds / len(stage.threads)
    for number, thread in enumerate(stage.threads):
        await asyncio.sleep(max(0.0, began + number * step - time.monotonic()))
        seen.sent[thread.id] = time.monotonic()
        await stage.discord.post(stage.player, thread, prose(f"post {next(stage.numbers)}", 40))


async def _quiet(seen: Round, seconds: float) -> None:
    """Until nothing has been asked of Discord for so long."""
    seen.newest = time.monotonic()
    while time.monotonic() - seen.newest < seconds:
        await asyncio.sleep(0.1)


def kind(exchange: Exchange) -> str:
    """What a request is about: the method, and the path without its numbers and tokens."""
    words = exchange.path.strip("/").split("/")
    return " ".join((exchange.method, *(word for word in words if word.isascii() and word.replace("-", "").isalpha())))[:40]


def _rows(case: Case, seen: Round, before: dict[str, float], after: dict[str, float]) -> Rows:
    waits, posts = [each * 1000 for each in seen.waits], max(1, len(seen.came))
    asked = ", ".join(f"{many / posts:.2f} {what}" for what, many in seen.asked.most_common(6))
    beyond = f"p90 {percentile(waits, 0.9):.0f}, p99 {percentile(waits, 0.99):.0f}, longest {max(waits, default=0):.0f}"
    busy = f"{(after['cpu'] - before['cpu']) / posts * 1000:.1f} ms of processor time a post"
    held = f"the event loop held for {after['stall'] * 1000:.0f} ms at most (bound 100)"
    return [
        (f"{case.name}: message to first post", f"p50 {median(waits):.0f} ms (bound {BOUND * 1000:.0f}), {beyond}"),
        (f"{case.name}: requests a post", f"{seen.asked.total() / posts:.2f} ({asked}); refused {seen.refused}"),
        (f"{case.name}: the bot", f"{busy}; {held}"),
    ]
