"""Two bots on one PostgreSQL while one or the other is killed all the time: `python -m tests.walks.two_processes 500 5`.

The arguments are the number of posts and the seconds between two kills. Some places are heard by one of the two (as shards
of Discord divide them), some by both. A bot that was killed comes back after a while, and is told what it had not taken in.
"""

import asyncio
import json
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random
from time import monotonic

from sqlalchemy import select

from bot.flow.opening import opened
from bot.ids import ChannelKey, Place, SessionId
from bot.posts import ChannelLimits
from bot.story.session import Session, with_length
from bot.story.settings import Length
from bot.story.turn import Role, VariantState
from storage.dialects import Database
from storage.store import SqlStore, open_store
from storage.tables import leases
from tests.builders import a_session
from tests.fakes.courier import TEST_PLATFORM
from tests.postgres import running
from tests.walks.shown_once import FilePlatform

PLACES = 24
PACE = 0.3
"""Seconds between two posts, on average."""
BACK_AFTER = 2.0
"""Seconds until a bot that was killed is started again."""
PATIENCE = 120.0
"""Seconds for everything to come right in the end."""


@dataclass(slots=True)
class Bot:
    """One process, and what it was told and has not taken in."""

    log: Path
    process: Process | None = None
    holder: str = ""
    untaken: deque[dict[str, str]] = field(default_factory=deque)
    _reading: asyncio.Task[None] | None = None

    async def start(self, url: str, platform: Path) -> None:
        """Start it, and tell it again what it had not taken in."""
        with self.log.open("ab") as log:
            words = ("-m", "tests.walks.one_of_two", url, str(platform))
            process = await asyncio.create_subprocess_exec(sys.executable, *words, stdin=PIPE, stdout=PIPE, stderr=log)
        assert process.stdout is not None
        self.holder = (await process.stdout.readline()).split()[1].decode()
        self.process = process
        self._reading = asyncio.create_task(self._read(process))
        for told in tuple(self.untaken):
            self._write(told)

    def tell(self, told: dict[str, str]) -> None:
        """Tell it of a post; it hears of it later if it is not there."""
        self.untaken.append(told)
        self._write(told)

    async def kill(self) -> None:
        """End it with no warning."""
        assert self.process is not None
        process, self.process = self.process, None
        process.send_signal(signal.SIGKILL)
        await process.wait()
        if self._reading:
            await self._reading

    async def end(self) -> int:
        """Let it end in peace; its exit status."""
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.close()
        return await self.process.wait()

    def _write(self, told: dict[str, str]) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.write(json.dumps(told).encode() + b"\n")

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None
        while (line := await process.stdout.readline()).endswith(b"\n"):  # a kill may cut the last one
            assert line.split()[1].decode() == self.untaken.popleft()["event"]


@dataclass(slots=True)
class Outcome:
    """What came of it: what is wrong, by kind, and how many seconds the places of each killed bot waited for the other."""

    posts: int
    kills: int
    seconds: float
    wrong: Counter[str]
    failovers: list[float]

    def __str__(self) -> str:
        waits = sorted(self.failovers)
        middle, longest = (waits[len(waits) // 2], waits[-1]) if waits else (0.0, 0.0)
        return (
            f"{self.posts} posts, {self.kills} kills, {self.seconds:.0f} s: wrong {dict(self.wrong)};"
            f" {len(waits)} places taken over, after {middle:.1f} s (median), {longest:.1f} s (longest)"
        )


@dataclass(slots=True)
class Walk:
    """People who post, two bots that answer, and whoever kills them."""

    url: str
    folder: Path
    posts: int
    between: float
    chance: Random = field(default_factory=lambda: Random(7))  # noqa: S311 - a test's dice
    bots: Sequence[Bot] = ()
    told: dict[str, list[str]] = field(default_factory=dict)
    failovers: list[float] = field(default_factory=list)
    kills: int = 0
    after: list[asyncio.Task[None]] = field(default_factory=list)

    async def run(self) -> Outcome:
        """Begin the stories, post and kill, and wait in peace until all has come right, or does not."""
        began, store, database = monotonic(), await open_store(self.url), Database(self.url)
        try:
            await self._begin(store)
            self.bots = tuple(Bot(self.folder / f"log-{number}.txt") for number in range(2))
            await asyncio.gather(*(self._start(bot) for bot in self.bots))
            await self._besieged(store, database)
            await self._come_right(store)
            wrong = await self._reckon(store)
            wrong["ended badly"] += sum([await bot.end() != 0 for bot in self.bots])
        finally:
            for bot in self.bots:
                if bot.process is not None and bot.process.returncode is None:
                    bot.process.kill()
            await store.close()
            await database.close()
        return Outcome(self.posts, self.kills, monotonic() - began, +wrong, self.failovers)

    @property
    def platform(self) -> FilePlatform:
        return FilePlatform(self.folder / "platform.db")

    async def _begin(self, store: SqlStore) -> None:
        for number in range(PLACES):
            place = Place(TEST_PLATFORM, ChannelKey(f"thread-{number}"))
            session = with_length(a_session(id=SessionId(f"session-{number}"), place=place), Length.UNLIMITED)
            await store.save(opened(session, ChannelLimits(80, streams=True)))
            self.told[str(place.channel)] = []

    async def _start(self, bot: Bot) -> None:
        await bot.start(self.url, self.platform.path)

    async def _besieged(self, store: SqlStore, database: Database) -> None:
        killing = asyncio.create_task(self._kill(store, database))
        for number in range(self.posts):
            await asyncio.sleep(self.chance.expovariate(1 / PACE))
            self._post(number)
        killing.cancel()
        with suppress(asyncio.CancelledError):
            await killing
        await asyncio.gather(*self.after)
        for bot in self.bots:  # The last kill may just have been under way.
            if bot.process is None:
                await self._start(bot)

    def _post(self, number: int) -> None:
        where = self.chance.randrange(PLACES)
        channel, text = f"thread-{where}", f"Tobias said the words of post {number}."
        self.told[channel].append(text)
        # A third is heard by both, the others by one each.
        for bot in self.bots if where % 3 == 2 else (self.bots[where % 3],):
            bot.tell({"event": f"event-{number}", "channel": channel, "text": text})

    async def _kill(self, store: SqlStore, database: Database) -> None:
        while True:
            await asyncio.sleep(self.between)
            bot = self.bots[self.kills % 2]
            if bot.process is None:
                continue
            holder = bot.holder
            await bot.kill()
            self.kills += 1
            self.after += [
                asyncio.create_task(self._time_failover(store, database, holder)),
                asyncio.create_task(self._come_back(bot)),
            ]

    async def _come_back(self, bot: Bot) -> None:
        await asyncio.sleep(BACK_AFTER)
        await self._start(bot)

    async def _time_failover(self, store: SqlStore, database: Database, holder: str) -> None:
        """How long what a bot left half done stays its own."""
        began = monotonic()
        waiting = {event.place for event in await store.waiting()}
        left = {*waiting, *await store.unfinished(), *await store.outstanding()} & await self._held(database, holder)
        while left:
            await asyncio.sleep(0.1)
            still = left & await self._held(database, holder)
            self.failovers += [monotonic() - began] * len(left - still)
            left = still

    async def _held(self, database: Database, holder: str) -> set[Place]:
        async with database.reading() as connection:
            query = select(leases.c.platform, leases.c.channel).where(leases.c.holder == holder)
            return {Place(TEST_PLATFORM, ChannelKey(row.channel)) for row in await connection.execute(query)}

    async def _come_right(self, store: SqlStore) -> None:
        began = monotonic()
        while monotonic() - began < PATIENCE:
            untaken = any(bot.untaken for bot in self.bots)
            if not untaken and not await store.waiting() and not await store.unfinished() and not await store.outstanding():
                return
            await asyncio.sleep(0.2)

    async def _reckon(self, store: SqlStore) -> Counter[str]:
        wrong = Counter({"shown twice": len(self.platform.shown_twice())})
        wrong["not taken in"] = sum(len(bot.untaken) for bot in self.bots)
        wrong["left waiting"] = len(await store.waiting())
        wrong["not brought"] = len(await store.outstanding())
        for channel, told in self.told.items():
            session = await store.session_at(Place(TEST_PLATFORM, ChannelKey(channel)))
            assert session is not None
            wrong.update(await self._compare(store, session, told))
        return wrong

    async def _compare(self, store: SqlStore, session: Session, told: list[str]) -> Counter[str]:
        turns = await store.turns(session.id)
        heard = Counter(turn.text for turn in turns if turn.role is Role.PLAYER)
        replies = [turn for turn in turns if turn.role is Role.CHARACTER]
        answered = [(turn.role, after.role) for turn, after in pairwise(turns)]
        shown = self.platform.standing(str(session.place.channel))
        return Counter(
            {
                "lost": sum(text not in heard for text in told),
                "doubled": sum(count - 1 for count in heard.values()),
                "out of order": int([turn.text for turn in turns if turn.role is Role.PLAYER] != told),
                "answered twice": sum(pair == (Role.CHARACTER, Role.CHARACTER) for pair in answered),
                "not answered": abs(len(replies) - 1 - len(told)),
                "not whole": sum(turn.variant.state is not VariantState.WHOLE for turn in replies),
                "shown otherwise": int(shown != [post for turn in replies for post in turn.posts]),
            }
        )


async def walk(posts: int, between: float) -> Outcome:
    """The walk, on a PostgreSQL of its own."""
    with running() as server, tempfile.TemporaryDirectory() as folder:
        return await Walk(server.url(server.create()), Path(folder), posts, between).run()


if __name__ == "__main__":
    print(asyncio.run(walk(int(sys.argv[1]), float(sys.argv[2]))))  # noqa: T201 - it is asked for
