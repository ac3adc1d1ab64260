"""The whole bot on a real homeserver, killed again and again while people play in its rooms."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from time import monotonic

from adapters.matrix.keeping import Folder
from adapters.matrix.trust import Wish, log_in
from storage.store import open_store, sqlite_url
from tests.adapters.matrix.trust.asker import ScriptedAsker
from tests.builders import MIRA
from tests.homeserver.identities import Identity
from tests.homeserver.people import Person
from tests.homeserver.sealed import Sealed
from tests.homeserver.server import Login, Synapse
from tests.homeserver.shown import Shown
from tests.homeserver.wire import Refusal
from tests.walks.matrix.deaths import SEALED_STATIONS, STATIONS, STATIONS_OF_CHANGES, Death, Pack, pack
from tests.walks.matrix.fault_actor import DATABASE, MATRIX_FOLDER
from tests.walks.matrix.reckoning import ever_doubled, reckon
from tests.walks.quoting import NUMBER
from tests.walks.reckoning import Reckoning

LOG = "log.txt"
LONGEST_MOMENT = 9.0
"""Seconds after its start within which the bot dies that dies at some moment."""
PACE = 0.3
"""Seconds between two posts, on average."""
PATIENCE = 60.0
"""Seconds for everything to come right in the end."""


@dataclass(frozen=True, slots=True)
class Plan:
    """So many posts in two rooms, a kill at each station, and some at any moment. `has_changes`: people change what stands.

    After `life` seconds the bot is killed where it never came to its station.
    """

    is_sealed: bool
    messages: int = 80
    moments: int = 3
    seed: int = 1
    life: float = 20.0
    has_changes: bool = False

    @property
    def stations(self) -> Sequence[str]:
        """The stations at which it dies in such rooms, once at each."""
        if self.has_changes:
            return STATIONS_OF_CHANGES
        return SEALED_STATIONS if self.is_sealed else STATIONS


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: `deaths` are where the bot died, and `acts` what people did."""

    plan: Plan
    reckoning: Reckoning
    seconds: float
    deaths: Sequence[Death]
    acts: Counter[str]

    def __str__(self) -> str:
        found = self.reckoning
        wrong = "lost {}, doubled {}, out of order {}, strange {}".format(
            *map(len, (found.lost, found.doubled, found.disordered, found.strange))
        )
        first = f"seed {self.plan.seed}: {self.acts['post']} posts, {len(self.deaths)} kills, {self.seconds:.0f} s"
        deaths = ", ".join(map(str, self.deaths))
        return "\n".join(
            [first, wrong, f"stands: {dict(found.counts)}; acts: {dict(self.acts)}", f"deaths: {deaths}", *found.wrong]
        )


@dataclass(slots=True)
class Siege:
    """People who play in some rooms, and whoever kills the bot."""

    homeserver: Synapse
    bot: Login
    people: Sequence[Person]
    folder: Path
    plan: Plan
    chance: Random
    pack: Pack
    rooms: list[str] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)
    acts: Counter[str] = field(default_factory=Counter)
    _process: Process | None = None

    async def run(self) -> Outcome:
        """Open the stories in peace, play under siege, and wait in peace until all has come right, or does not."""
        began = monotonic()
        try:
            await self._start()
            await self._set_up()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._kill())
                group.create_task(self._play())
            await self._start()
            reckoning = await self._come_right()
        finally:
            await self._end()
        return Outcome(self.plan, reckoning, monotonic() - began, self.deaths, self.acts)

    async def _set_up(self) -> None:
        host, *guests = self.people
        for number in range(2):
            invited = [self.bot.user_id, *(each.user_id for each in guests)]
            room = await host.create_room(f"Tavern {number}", encrypted=self.plan.is_sealed, invite=invited)
            self.rooms.append(room)
            for guest in guests:
                await guest.join(room)
            await host.until(self._is_in(host, room), 30)
            await host.say(room, "!rp start Mira where:room")
            await host.until_shown(room, lambda shown: any(each.text == MIRA.greeting for each in shown), patience=30)

    def _is_in(self, host: Person, room: str) -> Callable[[], Awaitable[bool]]:
        async def look() -> bool:
            return await host.membership(room, self.bot.user_id) == "join"

        return look

    async def _start(self, end: Death = Death()) -> None:  # noqa: B008  a value
        self._log("start", f"to die {end}")
        told = json.dumps({"folder": str(self.folder), "station": end.crossing, "before": end.before})
        command = ("-m", "tests.walks.matrix.fault_actor", told)
        with (self.folder / LOG).open("a") as log:
            self._process = await asyncio.create_subprocess_exec(sys.executable, *command, stdin=PIPE, stderr=log)

    async def _end(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def _kill(self) -> None:
        """Have the bot die wherever the pack says; the one that opened the stories dies at some moment."""
        await self._dies_within(self.chance.uniform(0.0, 2.0))
        self.deaths.append(Death())
        while self.pack.left:
            if await self._dies_in_turn(self.pack.next):
                self.pack.done()
            else:
                self.pack.missed()

    async def _dies_in_turn(self, wanted: Sequence[Death]) -> bool:
        for end in wanted:
            if not await self._dies_at(end):
                return False
        return True

    async def _dies_at(self, end: Death) -> bool:
        """Whether the bot died where it should; otherwise it died at some moment."""
        await self._start(end)
        died = await self._dies_within(self.plan.life if end.station else self.chance.uniform(1.0, LONGEST_MOMENT))
        self.deaths.append(end if died else Death())
        return died or not end.station

    async def _dies_within(self, seconds: float) -> bool:
        """Whether the bot died at its station; otherwise it is dead now as well."""
        assert self._process is not None
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), seconds)
        code = self._process.returncode
        assert code in {None, -signal.SIGKILL}, f"see {LOG}"
        await self._end()
        return code is not None

    async def _play(self) -> None:
        """All posts, as fast as the kills go, and what else people do."""
        while self.acts["post"] < self.plan.messages:
            await asyncio.sleep(self.chance.uniform(0.0, 2 * PACE))
            author, room = self.chance.choice(self.people), self.chance.choice(self.rooms)
            if self._may_go_on():
                await self._act(author, room)
            elif self.pack.left and self.pack.next[0].station in {"edit", "delete"}:
                await self._ask_again(author, room)

    async def _act(self, author: Person, room: str) -> None:
        theirs: list[Shown] = []
        if self.plan.has_changes:
            theirs = [each for each in await author.shown(room) if each.sender == author.user_id and NUMBER.match(each.text)]
        match self.chance.randrange(12):
            case 0 | 1 if theirs:
                await self._edit(author, room, self.chance.choice(theirs[-3:]))
            case 2 if theirs:
                gone = self.chance.choice(theirs[-3:])
                self._note("redaction", gone.text)
                await author.redact(room, gone.event_id)
            case 3 | 4 if theirs:
                await self._ask_again(author, room)
            case _:
                text = f"Post {self.acts['post'] + 1:03} of {author.login.name}."
                self._note("post", text)
                await author.say(room, text)

    async def _edit(self, author: Person, room: str, message: Shown) -> None:
        text = f"{message.text.partition(' of ')[0]} of {author.login.name}, change {self.acts['edit'] + 1}."
        self._note("edit", text)
        await author.edit(room, message.event_id, text)

    async def _ask_again(self, author: Person, room: str) -> None:
        """For another version of the newest reply, or an older one."""
        replies = [each for each in await author.shown(room) if each.sender == self.bot.user_id and each.name is not None]
        sign = self.chance.choice(("", "🔄", "⬅️"))
        if sign:
            self._note("sign", sign)
            with suppress(Refusal):  # a sign that stands there already
                await author.react(room, replies[-1].event_id, sign)
        else:
            self._note("retry", room)
            await author.say(room, "!rp retry")

    def _may_go_on(self) -> bool:
        """Whether it is time for the next post: some are left for the last kill, and for those that are to be tried again."""
        died, left = len(self.deaths), self.pack.size
        return not left or self.acts["post"] * (died + left + 3) <= self.plan.messages * (died + 1)

    def _note(self, act: str, about: str) -> None:
        self.acts[act] += 1
        self._log(act, about)

    def _log(self, act: str, about: str) -> None:
        """Tell of something in the log of the bot."""
        with (self.folder / LOG).open("a") as log:
            log.write(f"{datetime.now(UTC):%H:%M:%S.%f} {act}: {about}\n")

    async def _come_right(self) -> Reckoning:
        """Wait until nothing is wrong, and a while after that, in which more could come; or until patience ends."""
        store, reader = await open_store(sqlite_url(self.folder / DATABASE)), self.people[0]
        until = monotonic() + PATIENCE
        try:
            while (await reckon(reader, self.bot.user_id, store, self.rooms)).wrong and monotonic() < until:
                await asyncio.sleep(0.5)
            await asyncio.sleep(2.0)
            found = await reckon(reader, self.bot.user_id, store, self.rooms)
            found.doubled += await ever_doubled(reader, self.bot.user_id, self.rooms, self.homeserver.before_redaction)
            return found
        finally:
            await store.close()


async def under_siege(homeserver: Synapse, folder: Path, plan: Plan) -> Outcome:
    """Play as is planned while the bot is killed."""
    bot = homeserver.register(homeserver.fresh_name("bot"))
    wish = Wish(homeserver=bot.homeserver, user=bot.user_id, password=bot.password)
    await log_in(wish, Folder(folder / MATRIX_FOLDER), ScriptedAsker())
    async with AsyncExitStack() as world:
        people = [await world.enter_async_context(_person(homeserver, name, plan)) for name in ("tobias", "wren")]
        for each in people if plan.is_sealed else ():
            # They are strict with each other, too.
            identity = Identity(each.user_id)
            await identity.publish(each.wire)
            await identity.vouch_for(each.wire, each.login.device_id)
        deaths = pack(plan.stations, plan.moments, plan.seed)
        return await Siege(homeserver, bot, people, folder, plan, Random(plan.seed), deaths).run()  # noqa: S311  a play


def _person(homeserver: Synapse, name: str, plan: Plan) -> Person:
    login = homeserver.register(homeserver.fresh_name(name))
    return Sealed(login, exclude_insecure=True) if plan.is_sealed else Person(login)
