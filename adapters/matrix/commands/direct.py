"""The direct chat with somebody, where they alone are answered: found again, or made. It does not know what is said there.

Rule 1: a room where anybody else is, or could come in or read along by themselves, is none.
Rule 2: one at a time per person, so that two answers at once make one room; and what was made is looked for before another is.
"""

import asyncio
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from adapters.matrix.commands.walls import Chat
from adapters.matrix.errors import NOT_FOUND, SOON, Attempt, code_of
from adapters.matrix.line import Line
from adapters.matrix.posting.asking import Content, ask, text_in
from adapters.matrix.rooms import Rooms
from bot.errors import PostRefused, TryLater
from bot.ports.clock import Clock

DIRECT = "m.direct"
"""Where an account notes its direct chats (https://spec.matrix.org/v1.16/client-server-api/#direct-messaging)."""

MEMBER = "m.room.member"
ENCRYPTION = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}

READING = Attempt(act="find our direct chat", changes=False)
NOTING = Attempt(act="note our direct chat")
INVITING = Attempt(act="invite you to our direct chat")
MAKING = Attempt(act="begin a direct chat with you")

LOOKS = 60
BETWEEN_LOOKS = 0.5
"""How often, and after how many seconds each, it is looked whether a room that was made was heard of."""


@dataclass(slots=True)
class Direct:
    """Finds and makes direct chats."""

    line: Line
    rooms: Rooms
    clock: Clock
    _locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    _noting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _late: dict[str, str] = field(default_factory=dict)

    async def chat_with(self, user: str) -> Chat:
        """The direct chat with somebody, who may have been invited only now. Raises the errors of a courier."""
        async with self._locks.setdefault(user, asyncio.Lock()):
            # What was not heard of in time may still come; it is waited for once more, for the bot may also be out of it.
            late = self._late.pop(user, "")
            room = await self._heard_of(late, user) if late else await self._room_with(user)
        return Chat(room, user in self.rooms.of(room).members)

    async def _room_with(self, user: str) -> str:
        noted = await self._noted()
        found = await self._found(user, noted)
        room = found or await self._made(user)
        if not found:
            self._late[user] = room
        if room not in _rooms_in(noted, user):
            await self._note(user, room)
        if found:
            return room
        await self._heard_of(room, user)
        del self._late[user]
        return room

    async def _found(self, user: str, noted: Content) -> str:
        """A room that is there; empty where there is none."""
        for room in _rooms_in(noted, user):
            if self._is_alone(room, user) and await self._is_there(room, user, is_asked_back=True):
                return room
        others = {room for other in noted if other != user for room in _rooms_in(noted, other)}
        for room in self._unnoted(user, others):
            if await self._is_there(room, user, is_asked_back=False):
                return room
        return ""

    def _unnoted(self, user: str, others: AbstractSet[str]) -> Sequence[str]:
        """Rooms that may be a direct chat with a user, the likeliest first."""
        own = self.line.client.user_id
        known = [self.rooms.of(room) for room in self.rooms.joined - others if self._is_alone(room, user)]
        # In a room that the bot made they may be invited only: the answer to its making was lost, or it was not noted.
        likely = [room for room in known if user in room.members or own in room.creators]
        # Whoever gives a room a name may well mean to bring others in.
        return [room.id for room in sorted(likely, key=lambda room: (bool(room.name), room.id))]

    def _is_alone(self, room: str, user: str) -> bool:
        """Whether nobody but a user and the bot is in a room, or comes in by themselves."""
        if room not in self.rooms.joined:
            return False
        known = self.rooms.of(room)
        return known.is_closed and not known.successor and known.members.keys() <= {user, self.line.client.user_id}

    async def _is_there(self, room: str, user: str, *, is_asked_back: bool) -> bool:
        """Whether a user is in a room or invited; somebody who left is asked back, where this is wished."""
        if user in self.rooms.of(room).members:
            return True
        client = self.line.client
        try:
            state = await ask(client, READING, "GET", "rooms", room, "state", MEMBER, user)
        except PostRefused as refused:
            if code_of(refused) != NOT_FOUND:
                return False
            state = {}
        if state.get("membership") in {"join", "invite"}:
            return True
        if not is_asked_back:
            return False
        try:
            await ask(client, INVITING, "POST", "rooms", room, "invite", body={"user_id": user})
        except PostRefused:
            return False
        return True

    async def _made(self, user: str) -> str:
        wish = {"preset": "trusted_private_chat", "is_direct": True, "invite": [user], "initial_state": [ENCRYPTION]}
        return text_in(await ask(self.line.client, MAKING, "POST", "createRoom", body=wish), "room_id", MAKING)

    async def _noted(self) -> Content:
        client = self.line.client
        try:
            return await ask(client, READING, "GET", "user", client.user_id, "account_data", DIRECT)
        except PostRefused as refused:
            if code_of(refused) != NOT_FOUND:
                raise
            return {}

    async def _note(self, user: str, room: str) -> None:
        """Add a room to those that are noted. They are noted as a whole: one who notes at a time, or some would be lost."""
        async with self._noting:
            noted, client = await self._noted(), self.line.client
            after = {**noted, user: [*_rooms_in(noted, user), room]}
            await ask(client, NOTING, "PUT", "user", client.user_id, "account_data", DIRECT, body=after)

    async def _heard_of(self, room: str, user: str) -> str:
        """The room, once all is heard of it that was asked for: before that a message would go in clear, or to nobody."""
        for _ in range(LOOKS):
            members = self.line.client.rooms.get(room)
            is_whole = room in self.rooms.joined and self.rooms.of(room).is_encrypted
            if is_whole and members is not None and user in members.users:
                return room
            await self.clock.sleep(BETWEEN_LOOKS)
        raise TryLater(SOON)


def _rooms_in(noted: Content, user: str) -> Sequence[str]:
    """The direct chats with a user that are noted. What is misshapen counts as none."""
    rooms: object = noted.get(user)
    return [room for room in rooms if isinstance(room, str)] if isinstance(rooms, list) else []
