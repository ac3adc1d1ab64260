"""Direct chats, where somebody is told what is for them alone: found again, or made once. It says nothing in them.

Rule: a homeserver makes a room each time it is asked. So one is asked for at a time, and before that all are looked through
that an earlier try, or an earlier run, may have left: those that the account data name, those where two are alone, and those
where the bot still waits for whoever it invited.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.matrix.commands.walls import Chat
from adapters.matrix.errors import FORBIDDEN, NOT_FOUND, Attempt, code_of
from adapters.matrix.line import Line
from adapters.matrix.posting.asking import ask
from adapters.matrix.rooms import Rooms
from bot.errors import PostRefused, TryLater
from bot.ports.clock import Clock

LISTED = "m.direct"
"""Account data that name direct chats, by user: https://spec.matrix.org/v1.16/client-server-api/#mdirect"""

MEGOLM = "m.megolm.v1.aes-sha2"
LOOK = 0.25
SOON = 5.0
PATIENCE = 30.0
"""Seconds until a room that was made must have come with a sync."""

OPENS = Attempt(act="open a direct chat with you")
INVITES = Attempt(act="invite you to our direct chat")
NOTES = Attempt(act="note which chat is ours")
LOOKS = Attempt(act="look for our direct chat", changes=False)


@dataclass(slots=True)
class Direct:
    """Finds and makes direct chats."""

    line: Line
    rooms: Rooms
    clock: Clock
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def chat_with(self, user: str) -> Chat:
        """The direct chat with somebody, invited at least. Raises the errors of a courier; then it may be asked again."""
        async with self._one:
            listed = await self._listed()
            room = await self._found(user, listed.get(user, [])) or await self._made(user)
            if room not in listed.get(user, []):
                await self._note({**listed, user: [room, *listed.get(user, [])]})
        await self._until_here(room)
        return Chat(room, user in self.rooms.of(room).members)

    async def _found(self, user: str, listed: list[str]) -> str | None:
        me = self.line.client.user_id
        for room in self._candidates(user, me, listed):
            if user in self.rooms.of(room).members:
                return room
            stands = await self._membership(room, user)
            if stands == "invite" or (stands != "ban" and room in listed and await self._invited(room, user)):
                return room
        return None

    def _candidates(self, user: str, me: str, listed: list[str]) -> Iterator[str]:
        """Rooms that may be the one, the likeliest first. Nobody else is in any of them."""
        here = {room: self.rooms.of(room) for room in sorted(self.rooms.joined)}
        yield from (room for room in listed if room in here and here[room].members.keys() <= {me, user})
        private = {name: room for name, room in here.items() if name not in listed and room.is_closed}
        yield from (name for name, room in private.items() if room.members.keys() == {me, user})
        yield from (name for name, room in private.items() if room.members.keys() == {me} and me in room.creators)

    async def _made(self, user: str) -> str:
        client = self.line.client
        sealed = [{"type": "m.room.encryption", "state_key": "", "content": {"algorithm": MEGOLM}}] if client.olm else []
        wanted = {
            "preset": "trusted_private_chat",
            "visibility": "private",
            "is_direct": True,
            "invite": [user],
            "initial_state": sealed,
        }
        made = (await ask(client, OPENS, "POST", "createRoom", body=wanted)).get("room_id")
        if not isinstance(made, str) or not made:
            raise PostRefused("I cannot open a direct chat with you: the homeserver does not say which room it is.")
        return made

    async def _invited(self, room: str, user: str) -> bool:
        """Invite somebody again who left. False where that is not possible."""
        try:
            await ask(self.line.client, INVITES, "POST", "rooms", room, "invite", body={"user_id": user})
        except PostRefused:
            return False
        return True

    async def _membership(self, room: str, user: str) -> str:
        try:
            found = await ask(self.line.client, LOOKS, "GET", "rooms", room, "state", "m.room.member", user)
        except PostRefused as refused:
            if code_of(refused) in {NOT_FOUND, FORBIDDEN}:
                return ""
            raise
        return str(found.get("membership"))

    async def _listed(self) -> dict[str, list[str]]:
        client = self.line.client
        try:
            found = await ask(client, LOOKS, "GET", "user", client.user_id, "account_data", LISTED)
        except PostRefused as refused:
            if code_of(refused) == NOT_FOUND:
                return {}
            raise
        return {user: _ids(rooms) for user, rooms in found.items()}

    async def _note(self, listed: Mapping[str, Any]) -> None:
        client = self.line.client
        await ask(client, NOTES, "PUT", "user", client.user_id, "account_data", LISTED, body=listed)

    async def _until_here(self, room: str) -> None:
        """Wait until a sync has told of the room: before, nothing can be encrypted for who is in it."""
        until = self.clock.ticks() + PATIENCE
        while room not in self.rooms.joined:
            if self.clock.ticks() >= until:
                raise TryLater(SOON)
            await self.clock.sleep(LOOK)


def _ids(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
