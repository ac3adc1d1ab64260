"""A courier of Matrix before a real homeserver, with a proxy between them, people in the rooms, and frozen time."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nio import AsyncClient, SyncResponse

from adapters.matrix.client import first_client, new_client
from adapters.matrix.keeping import Account, Folder
from adapters.matrix.line import Line
from adapters.matrix.posting.courier import MatrixCourier
from adapters.matrix.posting.looking import Looking
from adapters.matrix.rooms import Rooms
from adapters.matrix.settings import Settings
from adapters.matrix.words import place_of
from bot.ids import Place, PostKey
from bot.ports.clock import Clock
from bot.ports.store import Shown as Standing
from bot.posts import OutboundPost, Speaker, Voice
from tests.fakes.clock import FrozenClock
from tests.fakes.store import MemoryStore
from tests.homeserver.between import Between
from tests.homeserver.people import Person
from tests.homeserver.sealed import Sealed
from tests.homeserver.server import Login, Synapse

MIRA = Speaker(Voice.CHARACTER, "Mira")
MACHINERY = Speaker(Voice.MACHINERY, "Understudy")

SEND = "/send/m.room."
"""What the line of every message on its way to the homeserver holds."""


@dataclass(slots=True)
class Scene:
    """A bot in front of a homeserver, and Tobias, who makes its rooms.

    `faces` are the pictures of the characters by name; `standing` is what the store says that stands, by turn.
    """

    homeserver: Synapse
    between: Between
    tobias: Person
    login: Login
    folder: Path
    clock: Clock
    frozen: FrozenClock
    rooms: Rooms
    settings: Settings
    line: Line = field(default_factory=Line)
    faces: dict[str, bytes] = field(default_factory=dict)
    standing: dict[int, list[Standing]] = field(default_factory=dict)
    couriers: list[MatrixCourier] = field(default_factory=list)
    asked_for_faces: int = 0

    @property
    def client(self) -> AsyncClient:
        return self.line.client

    async def open(self, login: Login | None = None) -> None:
        """The bot comes, with the keys that it had, or as another device, with new ones."""
        login = login or self.login
        folder, account = Folder(self.folder / login.device_id), account_of(login, self.between)
        is_new = not folder.key_store(account).exists()
        self.line.open((first_client if is_new else new_client)(account, folder, self.settings))
        await self.sync()

    def forget(self, folder: Path) -> None:
        """As if nothing had been asked or kept yet; what is kept from now on is in this folder."""
        self.settings = Settings(folder=folder)
        self.between.asked.clear()
        self.faces.clear()
        self.standing.clear()
        self.asked_for_faces = 0

    async def end(self) -> None:
        """End what couriers do beside the walk."""
        while self.couriers:
            await self.couriers.pop().close()

    async def close(self) -> None:
        """It goes, and all that it remembered."""
        await self.end()
        if self.line.is_open:
            client = self.client
            self.line.close()
            await client.close()  # type: ignore[no-untyped-call]  # the library's

    async def restart(self, login: Login | None = None) -> MatrixCourier:
        """It goes and comes again."""
        await self.close()
        self.rooms = Rooms(MemoryStore())
        await self.open(login)
        return self.new_courier()

    async def sync(self) -> None:
        """Hear what there is to hear."""
        is_first = not self.client.next_batch
        news = await self.client.sync(0, full_state=is_first)
        assert isinstance(news, SyncResponse), news
        for room, joined in news.rooms.join.items():
            events = [event.source for event in (*joined.state, *joined.timeline.events)]
            await self.rooms.tell(room, [event for event in events if "state_key" in event])

    def new_courier(self) -> MatrixCourier:
        """A courier that knows nothing yet."""
        courier = MatrixCourier(self.line, self.rooms, self.settings, self.clock, self.face_of, self.shown)
        self.couriers.append(courier)
        return courier

    async def face_of(self, place: Place, name: str) -> bytes:
        assert place.platform == "matrix"
        self.asked_for_faces += 1
        return self.faces.get(name, b"")

    async def shown(self, place: Place, turn: int) -> Sequence[Standing]:
        return [each for each in self.standing.get(turn, ()) if each.post.place == place]

    async def room(self, owner: Person | None = None, **wishes: Any) -> str:
        """A room that somebody made, with the bot in it."""
        room = await (owner or self.tobias).create_room(invite=[self.login.user_id], **wishes)
        await self.join(room)
        if wishes.get("encrypted") and self.client.should_upload_keys:
            await self.client.keys_upload()
        return room

    async def join(self, room: str) -> None:
        await self.client.join(room)
        await self.sync()

    def looking(self) -> Looking:
        return Looking(self.line)

    async def bodies(self, room: str, root: str | None = None) -> list[str]:
        """What Tobias sees in a room or thread, in order."""
        return [each.body for each in await self.tobias.shown(room, root)]

    async def sent(self, room: str, reader: Person | None = None) -> list[dict[str, Any]]:
        """Every message that the bot ever sent there as it stands in the timeline, in order."""
        return [
            dict(event)
            for event in await (reader or self.tobias).timeline(room)
            if event["sender"] == self.login.user_id and event["type"] in {"m.room.message", "m.room.encrypted"}
        ]


async def until_it_rests(clock: FrozenClock) -> None:
    """Until something waits for time to pass."""
    async with asyncio.timeout(5):
        while not clock.sleeping or clock.sleeping[0] <= 0:
            await asyncio.sleep(0.005)


@asynccontextmanager
async def scene_on(homeserver: Synapse, folder: Path, clock: Clock | None = None) -> AsyncGenerator[Scene, None]:
    """A scene on a homeserver. In the end nothing may still run."""
    login = homeserver.register(homeserver.fresh_name("bot"))
    frozen = FrozenClock()
    async with Between(homeserver.url) as between, Person(homeserver.register(homeserver.fresh_name("tobias"))) as tobias:
        settings = Settings(folder=folder)
        rooms = Rooms(MemoryStore())
        scene = Scene(homeserver, between, tobias, login, folder, clock or frozen, frozen, rooms, settings)
        await scene.open()
        try:
            yield scene
        finally:
            between.calm()
            await scene.close()


@asynccontextmanager
async def sealed_person(scene: Scene, name: str = "aled") -> AsyncGenerator[Sealed, None]:
    """Somebody whose client encrypts."""
    async with Sealed(scene.homeserver.register(scene.homeserver.fresh_name(name))) as person:
        yield person


def account_of(login: Login, between: Between) -> Account:
    return Account(
        homeserver=between.url,
        user_id=login.user_id,
        device_id=login.device_id,
        access_token=login.access_token,
        pickle_key="only for tests",
    )


def post_in(  # noqa: PLR0913 what a post can have
    room: str,
    text: str,
    key: str = "key-1",
    *,
    root: str = "",
    speaker: Speaker = MIRA,
    turn: int = 3,
    position: int | None = 0,
) -> OutboundPost:
    """A post for a room, or for a thread of it."""
    return OutboundPost(PostKey(key), place_of(room, root), turn, position, 0, speaker, text)
