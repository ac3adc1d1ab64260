"""The ears before a real homeserver: a bot that only listens and notes what it heard, and can be restarted."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from adapters.matrix.client import first_client
from adapters.matrix.heard import Heard, Reacted, Redacted, Rewritten, Said, Unreadable
from adapters.matrix.keeping import Folder
from adapters.matrix.line import Line
from adapters.matrix.rooms import Rooms
from adapters.matrix.running import Supervisor
from adapters.matrix.settings import Settings
from bot.metrics import Metrics
from bot.ports.clock import Clock
from tests.adapters.matrix.stage import account_of
from tests.fakes.store import MemoryStore
from tests.homeserver.between import Between
from tests.homeserver.people import Person, people
from tests.homeserver.server import MEMORY, Login, Synapse

PATIENCE = 15.0


@dataclass(slots=True)
class Recorder:
    """A listener that notes. `cares` says what concerns it; `before` is awaited before something is noted."""

    told: list[Heard] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    cares: Callable[[Heard], bool] = lambda _: True
    before: Callable[[Heard], Awaitable[None]] | None = None

    async def concerns(self, heard: Heard) -> bool:
        return self.cares(heard)

    async def heard(self, heard: Heard) -> None:
        if self.before is not None:
            await self.before(heard)
        self.told.append(heard)
        self.order.append(written(heard))

    async def gone(self, room: str) -> None:
        self.ended.append(room)
        self.order.append(f"gone from {room}")

    def texts(self, room: str) -> list[str]:
        return [written(each) for each in self.told if each.room == room]


def written(heard: Heard) -> str:
    match heard:
        case Said():
            return heard.text
        case Rewritten():
            return f"edit: {heard.text}"
        case Redacted():
            return "redaction"
        case Reacted():
            return heard.sign
        case Unreadable():
            return "unreadable"


@dataclass(slots=True)
class FastClock:
    """A clock that runs faster than the true one, and can be moved on."""

    speed: float = 20.0
    _since: float = field(default_factory=time.monotonic)
    _ticked: float = 0.0
    _passed: float = 0.0

    def now(self) -> float:
        # By the homeserver's clock, which writes the times of events.
        return time.time() + self._passed

    def ticks(self) -> float:
        return self._ticked + (time.monotonic() - self._since) * self.speed

    def run_at(self, speed: float) -> None:
        """From now on, run so fast. Who sleeps already sleeps on as before."""
        self._ticked, self._since, self.speed = self.ticks(), time.monotonic(), speed

    def pass_by(self, seconds: float) -> None:
        """Let this much time be over at once, for all who ask what time it is."""
        self._passed += seconds
        self._ticked += seconds

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)


async def kept(login: Login, path: Path) -> None:
    """Keep an account, with a new key store for its device."""
    account, folder = account_of(login), Folder(path)
    client = first_client(account, folder, Settings(folder=path))
    await client.close()
    folder.keep(account)


@dataclass(slots=True)
class Bot:
    """A bot that listens. Its store and folder outlast `stop`, and `crash`."""

    login: Login
    settings: Settings
    clock: Clock
    timeline: int = 50
    store: MemoryStore = field(default_factory=MemoryStore)
    listener: Recorder = field(default_factory=Recorder)
    metrics: Metrics = field(default_factory=Metrics)
    said: list[tuple[str, str]] = field(default_factory=list)
    line: Line = field(default_factory=Line)
    rooms: Rooms = field(init=False)
    supervisor: Supervisor = field(init=False)
    _life: asyncio.Task[None] | None = None

    @property
    def user_id(self) -> str:
        return self.login.user_id

    @property
    def folder(self) -> Folder:
        return Folder(self.settings.folder)

    async def log_in(self, login: Login) -> None:
        """What `understudy matrix login` does, as far as it matters here."""
        self.login = login
        await kept(login, self.settings.folder)

    def start(self) -> None:
        self.line, self.rooms = Line(), Rooms(self.store)
        self.supervisor = Supervisor(
            self.settings,
            self.folder,
            self.clock,
            self.line,
            self.rooms,
            self.store,
            self.listener,
            metrics=self.metrics,
            tell=self._tell,
            timeline=self.timeline,
        )
        self._life = asyncio.get_running_loop().create_task(self.supervisor.run())

    async def stop(self) -> None:
        if self._life is not None:
            await self.supervisor.close()
            self._life = None

    async def restart(self) -> None:
        await self.stop()
        self.start()

    async def until(self, look: Callable[[], object], patience: float = PATIENCE) -> None:
        async with asyncio.timeout(patience):
            while not look():
                await asyncio.sleep(0.01)

    async def until_connected(self) -> None:
        await self.until(lambda: self.supervisor.state.is_connected)

    async def until_heard(self, room: str, texts: list[str], patience: float = PATIENCE) -> None:
        """Wait until it heard as many things in a room, and see that they are these."""
        with suppress(TimeoutError):
            await self.until(lambda: len(self.listener.texts(room)) >= len(texts), patience)
        assert self.listener.texts(room) == texts

    async def until_in(self, room: str) -> None:
        await self.until(lambda: room in self.rooms.joined)

    async def _tell(self, room: str, sentence: str) -> None:
        self.said.append((room, sentence))


@asynccontextmanager
async def listening(
    login: Login, folder: Path, *, timeline: int = 50, clock: Clock | None = None, is_started: bool = True, **settings: Any
) -> AsyncGenerator[Bot, None]:
    """A bot that listens; it has been connected once, so that whatever comes from now on is heard.

    Its keys lie in memory where there is a file system for that: making a key store is dear on a disk.
    """
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else folder) as path:
        bot = Bot(login, Settings(folder=Path(path) / "matrix", **settings), clock or FastClock(), timeline)
        await bot.log_in(login)
        bot.start()
        try:
            await bot.until_connected()
            if not is_started:
                await bot.stop()
            yield bot
        finally:
            await bot.stop()


@asynccontextmanager
async def listening_through(
    homeserver: Synapse, login: Login, folder: Path, **wishes: Any
) -> AsyncGenerator[tuple[Bot, Between, Person], None]:
    """A bot that listens through a proxy which breaks what a test wants broken, and somebody who needs none."""
    async with (
        Between(homeserver.url) as between,
        people(homeserver, "mira") as (mira,),
        listening(between.through(login), folder, **wishes) as bot,
    ):
        yield bot, between, mira


async def room_with(bot: Bot, person: Person, name: str = "Tavern", **more: Any) -> str:
    """A room that somebody made, with the bot in it."""
    room = await person.create_room(name, invite=[bot.user_id], **more)
    await bot.until_in(room)
    return room
