"""A bot on a loopback Discord that is killed again and again while people play and Discord is in trouble.

`python -m tests.walks.discord.under_siege [messages] [kills] [seed]` prints what came of it.
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from time import monotonic

from storage.store import open_store
from tests.fakes.discord import Channel, LoopbackDiscord, Message, User
from tests.fakes.discord.asking import NotOffered
from tests.fakes.discord.faults import RANDOM_KINDS
from tests.walks.discord.reckoning import reckon
from tests.walks.reckoning import Reckoning

STATIONS = (
    *("receive", "bookmark", "save", "save:last", "generate", "delta", "claim", "attempt", "send", "settle", "resting"),
    *("warm", "read_back", "postpone", "edit"),
)
"""Where the bot dies: just before one of the first crossings of this name took effect, or just after."""
SOME_MOMENT = "some moment"
OFTEN = 4
"""It is one of so many first crossings; of the stretches of a reply, one of ten times as many."""
NEED_TROUBLE = frozenset({"read_back", "postpone"})
"""Stations that are come by only where Discord is in trouble."""
WORSE_RATE = 0.25
"""The share of requests that fail while the bot is to die at a station that needs it."""
KINDS = (*RANDOM_KINDS, "502 before", "503 after")
LOG = "log.txt"
PACE = 0.35
"""Seconds between two acts of players, on average."""
PATIENCE = 200.0
"""Seconds for everything to come right in the end: a channel takes 28 posts of characters in a minute."""


@dataclass(frozen=True, slots=True)
class Plan:
    """So many posts and kills. `rate` is the share of requests that fail.

    After `life` seconds the bot is killed where it never came to its station.
    """

    messages: int = 200
    kills: int = 20
    seed: int = 1
    rate: float = 0.04
    life: float = 9.0


@dataclass(slots=True)
class Outcome:
    """What came of it. `dealt` are the faults by kind, `deaths` where the bot died, `acts` what players did."""

    seed: int
    reckoning: Reckoning
    seconds: float
    deaths: list[str]
    acts: Counter[str]
    dealt: Counter[str]
    identifies: int
    starts: int

    def __str__(self) -> str:
        found = self.reckoning
        first = f"seed {self.seed}: {self.acts['post']} posts, {len(self.deaths)} kills, {self.dealt.total()} faults"
        lines = [
            f"{first}, {self.seconds:.0f} s",
            "lost {}, doubled {}, out of order {}, strange {}".format(
                *map(len, (found.lost, found.doubled, found.disordered, found.strange))
            ),
            f"stands: {dict(found.counts)}; acts: {dict(self.acts)}; IDENTIFY {self.identifies} in {self.starts} starts",
            f"deaths: {', '.join(self.deaths)}",
            f"faults: {dict(self.dealt)}",
        ]
        return "\n".join(lines + found.wrong)


@dataclass(slots=True)
class Siege:
    """People who play in some threads, and whoever kills the bot."""

    discord: LoopbackDiscord
    folder: Path
    plan: Plan
    chance: Random
    people: list[User] = field(default_factory=list)
    threads: list[Channel] = field(default_factory=list)
    deaths: list[str] = field(default_factory=list)
    acts: Counter[str] = field(default_factory=Counter)
    starts: int = 0
    _station: str = ""
    _bot: Process | None = None

    async def run(self) -> Outcome:
        """Open the stories in peace, play under siege, and wait in peace until all has come right, or does not."""
        began = monotonic()
        await self._set_up()
        try:
            reckoning = await self._besieged()
        finally:
            await self._end()
        dealt = Counter(kind for _, kind in self.discord.faults.dealt)
        identifies = len(self.discord.gateway.identifies)
        return Outcome(self.plan.seed, reckoning, monotonic() - began, self.deaths, self.acts, dealt, identifies, self.starts)

    async def _besieged(self) -> Reckoning:
        await self._start()
        await self.discord.wait_until(lambda: all(self._has_begun(each) for each in self.threads), 30)
        self._trouble(self.plan.rate)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._kill())
            group.create_task(self._play())
        self.discord.faults.clear()
        await self._start()
        return await self._come_right()

    async def _set_up(self) -> None:
        discord, guild = self.discord, self.discord.add_guild("Harbour")
        self.people = [discord.add_user(name) for name in ("Tobias", "Aled", "Wren")]
        for number in range(5):
            channel = discord.add_channel(guild, f"tavern-{number}")
            self.threads.append(await discord.open_thread(self.people[0], channel, f"Thread {number}"))
        forum = discord.add_channel(guild, "stories", "forum")
        self.threads.append(await discord.open_post(self.people[0], forum, "Forum post", "Here a story is played."))

    def _has_begun(self, thread: Channel) -> bool:
        return any(each.webhook_id for each in self.discord.messages(thread))

    def _trouble(self, rate: float) -> None:
        self.discord.faults.random(self.chance.randrange(1 << 30), rate, KINDS)

    async def _start(self, station: str = "", *, before: bool = False) -> None:
        self._log("start", f"to die {'before' if before else 'after'} {station or SOME_MOMENT}")
        threads = [each.id for each in self.threads]
        told = {"folder": str(self.folder), "token": self.discord.token, "threads": threads}
        command = ("-m", "tests.walks.discord.fault_actor", json.dumps({**told, "station": station, "before": before}))
        environment = os.environ | self.discord.environment()
        with (self.folder / LOG).open("a") as log:
            self._bot = await asyncio.create_subprocess_exec(sys.executable, *command, stdin=PIPE, stderr=log, env=environment)
        self.starts += 1

    async def _end(self) -> None:
        if self._bot is not None:
            with suppress(ProcessLookupError):
                self._bot.kill()
            await self._bot.wait()

    async def _kill(self) -> None:
        """Have the bot die as often as is wanted: the one that opened the stories, then others at stations and some moments."""
        await self._dies_within(self.chance.uniform(0.0, 1.0))
        self.deaths.append(SOME_MOMENT)
        for station in self._ends():
            self._station, before = station, self.chance.random() < 0.5
            self._trouble(WORSE_RATE if self.plan.rate and station in NEED_TROUBLE else self.plan.rate)
            nth = self.chance.randint(1, OFTEN * 10 if station == "delta" else OFTEN)
            crossing = station if station in {"", "save:last"} else f"{station}:{nth}"
            await self._start(crossing, before=before)
            died = await self._dies_within(self.plan.life if station else self.chance.uniform(0.5, self.plan.life))
            self.deaths.append(f"{'before' if before else 'after'} {crossing}" if died else SOME_MOMENT)

    async def _dies_within(self, seconds: float) -> bool:
        """Whether the bot died at its station; otherwise it is dead now as well."""
        assert self._bot is not None
        with suppress(TimeoutError):
            await asyncio.wait_for(self._bot.wait(), seconds)
        code = self._bot.returncode
        assert code in {None, -signal.SIGKILL}, f"see {LOG}"
        await self._end()
        return code is not None

    def _ends(self) -> list[str]:
        """The stations at which it dies after that, and "" where at some moment; a shuffled pack."""
        left = self.plan.kills - 1
        ends = list(STATIONS) if left >= len(STATIONS) else self.chance.sample(STATIONS, left // 2)
        ends += [""] * (left - len(ends))
        self.chance.shuffle(ends)
        return ends

    async def _play(self) -> None:
        """All posts, as fast as the kills go, and what else people do."""
        while self.acts["post"] < self.plan.messages:
            await asyncio.sleep(self.chance.uniform(0.0, 2 * PACE))
            if self.acts["post"] * (self.plan.kills + 1) <= self.plan.messages * (len(self.deaths) + 1):
                await self._act(self.chance.choice(self.threads))
            elif self._station == "edit":
                await self._retry(self.chance.choice(self.threads))

    async def _act(self, thread: Channel) -> None:
        author = self.chance.choice(self.people)
        theirs = [each for each in self.discord.messages(thread)[-20:] if each.author is author and each.id != thread.id]
        match self.chance.randrange(16):
            case 0 if theirs:
                await self._edit(self.chance.choice(theirs))
            case 1 if theirs:
                gone = self.chance.choice(theirs)
                self._note("delete", gone.content)
                await self.discord.delete(gone)
            case 2:
                await self._retry(thread)
            case 3 if self.discord.gateway.connected:
                gateway = self.discord.gateway
                trouble = self.chance.choice((gateway.cut, gateway.ask_reconnect, gateway.invalidate))
                self._note("gateway", trouble.__name__)
                await trouble()
            case _:
                text = f"Post {self.acts['post'] + 1:03} of {author.name}."
                self._note("post", text)
                await self.discord.post(author, thread, text)

    async def _edit(self, message: Message) -> None:
        number = message.content.partition(" of ")[0]
        text = f"{number} of {message.author.name}, change {self.acts['edit'] + 1}."
        self._note("edit", text)
        await self.discord.edit(message.author, message, text)

    async def _retry(self, thread: Channel) -> None:
        """By a button where one is worn, else by the command; where nobody answers, nothing comes of it."""
        worn = [each for each in self.discord.messages(thread) if "us:retry" in each.custom_ids]
        has_posts = any(not each.author.is_bot and each.id != thread.id for each in self.discord.messages(thread))
        if not has_posts or not self.discord.gateway.connected:
            return
        with suppress(NotOffered):
            if worn:
                await self.discord.press(self.chance.choice(self.people), worn[-1], "us:retry")
            else:
                await self.discord.slash(self.chance.choice(self.people), thread, "retry")
            self._note("retry", thread.name)

    def _note(self, act: str, about: str) -> None:
        self.acts[act] += 1
        self._log(act, about)

    def _log(self, act: str, about: str) -> None:
        """Tell of something in the log of the bot."""
        with (self.folder / LOG).open("a") as log:
            log.write(f"{datetime.now(UTC):%H:%M:%S.%f} {act}: {about}\n")

    async def _come_right(self) -> Reckoning:
        """Wait until nothing is wrong, and a while after that, in which more could come; or until patience ends."""
        store = await open_store(f"sqlite+aiosqlite:///{self.folder / 'story.db'}")
        until = monotonic() + PATIENCE
        try:
            while (await reckon(self.discord, store, self.threads)).wrong and monotonic() < until:
                await asyncio.sleep(0.5)
            await asyncio.sleep(2.0)
            return await reckon(self.discord, store, self.threads)
        finally:
            await store.close()


async def under_siege(folder: Path, plan: Plan) -> Outcome:
    """Play as is planned while the bot is killed and its requests fail."""
    async with LoopbackDiscord() as discord:
        return await Siege(discord, folder, plan, Random(plan.seed)).run()  # noqa: S311  a play


def main() -> None:
    """Be under siege once, and tell what came of it."""
    asked = [int(each) for each in sys.argv[1:]]
    folder = tempfile.mkdtemp(prefix="under-siege-")
    print(asyncio.run(under_siege(Path(folder), Plan(*asked))))  # noqa: T201  what the script is for
    print(f"the log of the bot is in {folder}")  # noqa: T201  likewise


if __name__ == "__main__":
    main()
