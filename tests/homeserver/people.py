"""Somebody with a plain client on a homeserver: what they do, and what they see. It knows nothing of our own adapter."""

import asyncio
import itertools
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar, cast

from tests.homeserver import contents
from tests.homeserver.contents import Content
from tests.homeserver.server import Login, Synapse
from tests.homeserver.shown import Event, Shown, everything, in_thread, reactions
from tests.homeserver.wire import Refusal, Wire, part

Seen = TypeVar("Seen")
PATIENCE = 10.0
PAGE = 500


class Person:
    """A device of somebody. Rooms and events are named by their ids; whatever the homeserver refuses raises Refusal."""

    def __init__(self, login: Login) -> None:
        self.login = login
        self.user_id = login.user_id
        self.wire = Wire(login)
        self._numbers = itertools.count(1)
        self._begun = f"{time.monotonic_ns():x}"
        self._since: str | None = None
        self._typing: dict[str, list[str]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self.wire.close()

    # Rooms and who is in them.

    async def create_room(  # noqa: PLR0913 what a person may wish of a room
        self,
        name: str = "",
        *,
        version: str | None = None,
        encrypted: bool = False,
        public: bool = False,
        direct: bool = False,
        invite: Sequence[str] = (),
        history: str | None = None,
        power: Content | None = None,
    ) -> str:
        """Make a room, by default one for invited people, of the homeserver's own version; returns its id.

        A direct one is noted as such in this person's account data, as clients do.
        """
        wish = contents.room(
            name=name,
            version=version,
            encrypted=encrypted,
            public=public,
            direct=direct,
            invite=invite,
            history=history,
            power=power,
        )
        room = str((await self.wire.ask("POST", "/createRoom", wish))["room_id"])
        if direct:
            known = await self.account_data("m.direct")
            await self.set_account_data("m.direct", known | {user: [*known.get(user, []), room] for user in invite})
        return room

    async def invite(self, room: str, user_id: str) -> None:
        await self._about(room, "invite", {"user_id": user_id})

    async def join(self, room: str) -> None:
        await self._about(room, "join", {})

    async def leave(self, room: str) -> None:
        """Leave a room, or turn an invitation down."""
        await self._about(room, "leave", {})

    async def kick(self, room: str, user_id: str, reason: str = "") -> None:
        await self._about(room, "kick", {"user_id": user_id, "reason": reason})

    async def ban(self, room: str, user_id: str, reason: str = "") -> None:
        await self._about(room, "ban", {"user_id": user_id, "reason": reason})

    async def unban(self, room: str, user_id: str) -> None:
        await self._about(room, "unban", {"user_id": user_id})

    async def membership(self, room: str, user_id: str) -> str:
        """`join`, `invite`, `leave`, `ban` or `knock`; `leave` also for somebody who was never here."""
        return str((await self.state(room, "m.room.member", user_id)).get("membership", "leave"))

    async def set_state(self, room: str, kind: str, content: Content, key: str = "") -> str:
        """Set a state event; returns its id."""
        return str((await self.wire.ask("PUT", f"/rooms/{part(room)}/state/{part(kind)}/{part(key)}", content))["event_id"])

    async def state(self, room: str, kind: str, key: str = "") -> Content:
        """The content of a state event; empty where there is none."""
        try:
            return cast("Content", await self.wire.ask("GET", f"/rooms/{part(room)}/state/{part(kind)}/{part(key)}"))
        except Refusal as refusal:
            if refusal.code == "M_NOT_FOUND":
                return {}
            raise

    async def set_power(self, room: str, users: Mapping[str, int] | None = None, **levels: Any) -> None:
        """Change power levels: of users, and of keys such as `events_default`; the others stay."""
        power = await self.state(room, "m.room.power_levels")
        power |= {"users": power.get("users", {}) | dict(users or {})} | levels
        await self.set_state(room, "m.room.power_levels", power)

    async def set_join_rule(self, room: str, rule: str) -> None:
        await self.set_state(room, "m.room.join_rules", {"join_rule": rule})

    async def set_history(self, room: str, visibility: str) -> None:
        await self.set_state(room, "m.room.history_visibility", {"history_visibility": visibility})

    async def entomb(self, room: str, successor: str) -> None:
        """Say that another room is this one's successor."""
        content = {"body": "This room has been replaced", "replacement_room": successor}
        await self.set_state(room, "m.room.tombstone", content)

    async def upgrade(self, room: str, version: str) -> str:
        """Have the homeserver make a successor of a room, which names this one as its predecessor; returns its id."""
        answer = await self.wire.ask("POST", f"/rooms/{part(room)}/upgrade", {"new_version": version})
        return str(answer["replacement_room"])

    # What they write.

    async def send(self, room: str, kind: str, content: Content) -> str:
        """Send any event as it is given; returns its id."""
        path = f"/rooms/{part(room)}/send/{part(kind)}/{self.next_transaction()}"
        return str((await self.wire.ask("PUT", path, content))["event_id"])

    async def say(  # noqa: PLR0913 what a client may put into a message
        self,
        room: str,
        body: str,
        *,
        msgtype: str = "m.text",
        html: str | None = None,
        thread: str | None = None,
        reply_to: str | None = None,
        mentions: Sequence[str] = (),
    ) -> str:
        """Send a message: m.text, m.emote or m.notice; returns the event's id."""
        content = contents.message(body, msgtype=msgtype, html=html, thread=thread, reply_to=reply_to, mentions=mentions)
        return await self.send(room, "m.room.message", content)

    async def edit(self, room: str, event_id: str, body: str, html: str | None = None) -> str:
        """Put another text in the place of a message; returns the id of the edit."""
        return await self.send(room, "m.room.message", contents.edit(event_id, contents.message(body, html=html)))

    async def react(self, room: str, event_id: str, key: str) -> str:
        """Set a reaction beside an event; returns the reaction's id, by which it is redacted."""
        return await self.send(room, "m.reaction", contents.reaction(event_id, key))

    async def redact(self, room: str, event_id: str, reason: str = "") -> str:
        """Take the content of an event away; returns the id of the redaction."""
        path = f"/rooms/{part(room)}/redact/{part(event_id)}/{self.next_transaction()}"
        return str((await self.wire.ask("PUT", path, {"reason": reason}))["event_id"])

    async def upload(self, data: bytes, media_type: str, name: str) -> str:
        """Store a file; returns its mxc address."""
        return await self.wire.upload(data, media_type, name)

    async def send_file(  # noqa: PLR0913 what a client may say of a file
        self,
        room: str,
        data: bytes,
        name: str,
        media_type: str,
        *,
        caption: str | None = None,
        thread: str | None = None,
        reply_to: str | None = None,
    ) -> str:
        """Send an image or another file, perhaps with a caption; returns the event's id."""
        content = contents.file(name, media_type, len(data), caption) | await self._stored(room, data, name, media_type)
        if about := contents.belonging(thread, reply_to):
            content["m.relates_to"] = about
        return await self.send(room, "m.room.message", content)

    async def start_typing(self, room: str, seconds: float = 30) -> None:
        wish = {"typing": True, "timeout": int(seconds * 1000)}
        await self.wire.ask("PUT", f"/rooms/{part(room)}/typing/{part(self.user_id)}", wish)

    async def stop_typing(self, room: str) -> None:
        await self.wire.ask("PUT", f"/rooms/{part(room)}/typing/{part(self.user_id)}", {"typing": False})

    async def set_account_data(self, kind: str, content: Content, room: str | None = None) -> None:
        """Keep something on the homeserver for oneself alone, perhaps about a room."""
        await self.wire.ask("PUT", self._account_data_path(kind, room), content)

    async def account_data(self, kind: str, room: str | None = None) -> Content:
        """What was kept; empty where nothing was."""
        try:
            return cast("Content", await self.wire.ask("GET", self._account_data_path(kind, room)))
        except Refusal as refusal:
            if refusal.code == "M_NOT_FOUND":
                return {}
            raise

    async def set_display_name(self, name: str) -> None:
        await self.wire.ask("PUT", f"/profile/{part(self.user_id)}/displayname", {"displayname": name})

    # What they see.

    async def timeline(self, room: str) -> list[Event]:
        """All events of a room that this person may see, oldest first."""
        events: list[Event] = []
        query: dict[str, str | int] = {"dir": "f", "limit": PAGE}
        while True:
            page = await self.wire.ask("GET", f"/rooms/{part(room)}/messages", **query)
            events += page["chunk"]
            if "end" not in page:
                return events
            query["from"] = page["end"]

    async def event(self, room: str, event_id: str) -> Event:
        return cast("Event", await self.wire.ask("GET", f"/rooms/{part(room)}/event/{part(event_id)}"))

    def opened(self, room: str, event: Event) -> Event:  # noqa: ARG002 with encryption it matters
        """An event as it was before it was encrypted; as it is where this device may not read it."""
        return event

    async def shown(self, room: str, root: str | None = None) -> list[Shown]:
        """What stands outside threads, or in one (its root first), oldest first: edits applied, redacted messages gone."""
        return in_thread(await self.shown_everywhere(room), root)

    async def shown_everywhere(self, room: str) -> list[Shown]:
        """All messages that stand, in threads and outside, oldest first."""
        return everything(await self.timeline(room))

    async def reactions(self, room: str, event_id: str) -> dict[str, list[str]]:
        """Who stands by which reaction to an event: keys with user ids."""
        return reactions(await self.timeline(room), event_id)

    async def typing(self, room: str) -> list[str]:
        """Who is typing, by their ids."""
        await self.sync(0)
        return self._typing.get(room, [])

    async def download(self, mxc: str) -> bytes:
        """The bytes that are stored, as they are stored."""
        return await self.wire.download(mxc)

    async def open_file(self, content: Mapping[str, Any]) -> bytes:
        """The file of a message's content as its recipients see it, decrypted where it is encrypted."""
        return await self.download(content["url"])

    async def until(self, look: Callable[[], Awaitable[Seen]], patience: float = PATIENCE) -> Seen:
        """Look until something is there, and return it; between looks, wait for news of the homeserver.

        `look` returns what was seen, or something empty to go on. Raises AssertionError after `patience` seconds.
        """
        deadline = time.monotonic() + patience
        while not (seen := await look()):
            left = deadline - time.monotonic()
            assert left > 0, f"{self.user_id} waited {patience:g} s and saw {seen!r} last"
            await self.sync(left)
        return seen

    async def until_shown(
        self, room: str, good: Callable[[list[Shown]], object], root: str | None = None, patience: float = PATIENCE
    ) -> list[Shown]:
        """Wait until what stands is good, and return it. Raises AssertionError, with what stands, after `patience` seconds."""
        last: list[Shown] = []

        async def look() -> list[Shown]:
            last[:] = await self.shown(room, root)
            return last if good(last) else []

        try:
            return await self.until(look, patience)
        except AssertionError as error:
            raise AssertionError(f"after {patience:g} s {self.user_id} sees {last}") from error

    async def sync(self, seconds: float = 0) -> Content:
        """Wait at most so long for news of the homeserver since the last time, and return them."""
        query: dict[str, str | int] = {"timeout": int(seconds * 1000)}
        if self._since is not None:
            query["since"] = self._since
        news = cast("Content", await self.wire.ask("GET", "/sync", **query))
        self._since = news["next_batch"]
        for room, joined in news.get("rooms", {}).get("join", {}).items():
            for event in joined["ephemeral"]["events"]:
                if event["type"] == "m.typing":
                    self._typing[room] = event["content"]["user_ids"]
        return news

    def next_transaction(self) -> str:
        """An id for a request that the homeserver takes once."""
        return f"{self._begun}.{next(self._numbers)}"

    async def _about(self, room: str, act: str, body: Content) -> None:
        await self.wire.ask("POST", f"/rooms/{part(room)}/{act}", body)

    async def _stored(self, room: str, data: bytes, name: str, media_type: str) -> Content:  # noqa: ARG002 with encryption it matters
        return {"url": await self.upload(data, media_type, name)}

    def _account_data_path(self, kind: str, room: str | None) -> str:
        about = "" if room is None else f"/rooms/{part(room)}"
        return f"/user/{part(self.user_id)}{about}/account_data/{part(kind)}"


@asynccontextmanager
async def people(homeserver: Synapse, *names: str) -> AsyncGenerator[list[Person], None]:
    """New people on a homeserver, closed in the end."""
    crowd = [Person(homeserver.register(homeserver.fresh_name(name))) for name in names]
    try:
        yield crowd
    finally:
        await asyncio.gather(*(each.close() for each in crowd))
