"""Where the contract of whoever reads Matrix rooms is tested: the fake, and what is real before a homeserver.

The same acts are done in both. In the fake, a homeserver's part is played by what it was told.
"""

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from adapters.matrix.commands.past import Past
from adapters.matrix.commands.walls import Reads
from adapters.matrix.ears.reading import MESSAGE, SEALED, read
from adapters.matrix.heard import Said, Unreadable
from tests.adapters.matrix.commands.noted import NotedHomeserver
from tests.adapters.matrix.posting.scene import Scene, post_in, scene_on, sealed_person
from tests.homeserver import contents
from tests.homeserver.people import Person
from tests.homeserver.sealed import Sealed
from tests.homeserver.server import Synapse

MEGOLM = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AwgA", "sender_key": "a", "session_id": "b", "device_id": "C"}
"""What nobody has the key of."""


class Rooms(Protocol):
    """Rooms with the bot, Tobias and Mirela in them, and who is asked what stands there. All acts return event ids."""

    @property
    def past(self) -> Reads: ...

    @property
    def bot(self) -> str: ...

    def user(self, name: str) -> str: ...

    async def room(self, *, encrypted: bool = False) -> str: ...

    async def send(self, room: str, content: Mapping[str, Any], by: str = "tobias", kind: str = MESSAGE) -> str:
        """An event of any content; encrypted where the room is."""
        ...

    async def seal(self, room: str, about: Mapping[str, Any], by: str = "tobias") -> str:
        """A message that the bot has no key of, with this beside what is encrypted."""
        ...

    async def set_state(self, room: str, kind: str, content: Mapping[str, Any]) -> str: ...

    async def redact(self, room: str, event: str, by: str = "tobias") -> str: ...

    async def post(self, room: str, text: str, root: str = "") -> str:
        """A post of the bot's, as Mira."""
        ...

    async def before_it_came(self, text: str) -> tuple[str, str]:
        """A room, and a message in it that was written before the bot came, which it may not see."""
        ...

    async def send_away(self, room: str) -> None:
        """The bot is put out of a room."""
        ...


@dataclass(slots=True)
class NotedRooms:
    """Rooms of the fake."""

    past: NotedHomeserver = field(default_factory=NotedHomeserver)
    bot: str = "@bot:matrix.test"
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def user(self, name: str) -> str:
        return f"@{name}:matrix.test"

    async def room(self, *, encrypted: bool = False) -> str:
        return f"!room-{next(self._numbers)}-{encrypted}"

    async def send(self, room: str, content: Mapping[str, Any], by: str = "tobias", kind: str = MESSAGE) -> str:
        return self._happens(room, self.user(by), {"type": kind, "content": content})

    async def seal(self, room: str, about: Mapping[str, Any], by: str = "tobias") -> str:
        event, related = f"$event-{next(self._numbers)}", about.get("m.relates_to", {})
        root = related["event_id"] if related.get("rel_type") == "m.thread" else ""
        if related.get("rel_type") != "m.replace":
            self.past.note(Unreadable(room=room, event=event, sender=self.user(by), at=1.0, why="No key.", root=root))
        return event

    async def set_state(self, room: str, kind: str, content: Mapping[str, Any]) -> str:
        return self._happens(room, self.user("tobias"), {"type": kind, "content": content, "state_key": ""})

    async def redact(self, room: str, event: str, by: str = "tobias") -> str:
        return self._happens(room, self.user(by), {"type": "m.room.redaction", "content": {"redacts": event}})

    async def post(self, room: str, text: str, root: str = "") -> str:
        event = f"$event-{next(self._numbers)}"
        self.past.note(Said(room=room, event=event, sender=self.bot, at=1.0, text=text, root=root, as_name="Mira"))
        return event

    async def before_it_came(self, text: str) -> tuple[str, str]:
        assert text
        return await self.room(), f"$event-{next(self._numbers)}"

    async def send_away(self, room: str) -> None:
        self.past.away.add(room)

    def _happens(self, room: str, sender: str, event: Mapping[str, Any]) -> str:
        name = f"$event-{next(self._numbers)}"
        if heard := read({**event, "sender": sender, "event_id": name, "origin_server_ts": 1000}, room):
            self.past.note(heard)
        return name


@dataclass(slots=True)
class RealRooms:
    """Rooms of a homeserver."""

    scene: Scene
    people: Mapping[str, Sealed]
    past: Past
    _encrypted: set[str] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def bot(self) -> str:
        return self.scene.login.user_id

    def user(self, name: str) -> str:
        return self.people[name].user_id

    async def room(self, *, encrypted: bool = False) -> str:
        room = await self.scene.room(self.people["tobias"], encrypted=encrypted)
        await self.people["tobias"].invite(room, self.user("mirela"))
        await self.people["mirela"].join(room)
        if encrypted:
            self._encrypted.add(room)
        return room

    async def send(self, room: str, content: Mapping[str, Any], by: str = "tobias", kind: str = MESSAGE) -> str:
        if room not in self._encrypted:
            return await Person.send(self.people[by], room, kind, dict(content))
        event = await self.people[by].send(room, kind, dict(content))
        await self.scene.sync()
        return event

    async def seal(self, room: str, about: Mapping[str, Any], by: str = "tobias") -> str:
        return await Person.send(self.people[by], room, SEALED, MEGOLM | dict(about))

    async def set_state(self, room: str, kind: str, content: Mapping[str, Any]) -> str:
        return await self.people["tobias"].set_state(room, kind, dict(content))

    async def redact(self, room: str, event: str, by: str = "tobias") -> str:
        return await self.people[by].redact(room, event)

    async def post(self, room: str, text: str, root: str = "") -> str:
        post = post_in(room, text, f"key-{next(self._numbers)}", root=root)
        return (await self.scene.new_courier().send(post)).message

    async def before_it_came(self, text: str) -> tuple[str, str]:
        room = await self.people["tobias"].create_room(history="joined")
        event = await self.send(room, contents.message(text))
        await self.people["tobias"].invite(room, self.bot)
        await self.scene.join(room)
        return room, event

    async def send_away(self, room: str) -> None:
        await self.people["tobias"].kick(room, self.bot)


@asynccontextmanager
async def real_rooms(homeserver: Synapse, folder: Path) -> AsyncGenerator[Rooms, None]:
    async with (
        scene_on(homeserver, folder) as scene,
        sealed_person(scene, "tobias") as tobias,
        sealed_person(scene, "mirela") as mirela,
    ):
        yield RealRooms(scene, {"tobias": tobias, "mirela": mirela}, Past(scene.line))
