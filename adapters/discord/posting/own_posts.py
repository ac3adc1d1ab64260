"""What the bot posts, changes and reads as itself, with Discord's answers as they are. It decides nothing."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import discord
from discord.http import handle_message_parameters

from adapters.discord.errors import UNKNOWN_MESSAGE, code_of, translated
from adapters.discord.line import Line
from adapters.discord.rooms import Room, Rooms
from bot.errors import PostRefused

NONCE = 25
"""Characters of a nonce, at most."""

PAGE = 100
"""Messages that Discord gives at once."""

Payload = Mapping[str, Any]


def nonce_of(*parts: str) -> str:
    """The nonce of what these words name: the same words are the same message, for the minutes that Discord remembers."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:NONCE]


@dataclass(frozen=True, slots=True)
class OwnPosts:
    """Messages of the bot itself. All methods raise the errors of a courier."""

    line: Line
    rooms: Rooms

    @property
    def bot(self) -> int:
        """The bot's own user."""
        user = self.line.client.user
        return user.id if user else 0

    async def post(self, room: Room, text: str, nonce: str) -> int:
        """Post a text; its id. The same nonce within minutes is the same message, so the library's repetitions are harmless."""
        params = handle_message_parameters(content=text, nonce=nonce, allowed_mentions=discord.AllowedMentions.none())
        async with translated(self.rooms.attempt(room, "post", *room.to_post)):
            made = await self.line.client.http.send_message(room.channel, params=params)
        return int(made["id"])

    async def edit(self, room: Room, message: int, text: str) -> None:
        """Replace the text of a message."""
        params = handle_message_parameters(content=text, allowed_mentions=discord.AllowedMentions.none())
        async with translated(self.rooms.attempt(room, "edit my posts", "view_channel")):
            await self.line.client.http.edit_message(room.channel, message, params=params)

    async def delete(self, room: Room, message: int) -> None:
        """Take a message away; that of a webhook takes the permission Manage Messages. One that is gone is no error."""
        try:
            async with translated(self.rooms.attempt(room, "delete posts", "manage_messages")):
                await self.line.client.http.delete_message(room.channel, message)
        except PostRefused as refused:
            if code_of(refused) != UNKNOWN_MESSAGE:
                raise

    async def after(self, room: Room, message: int | None, limit: int = PAGE) -> list[Payload]:
        """The messages right after one, or the newest of all; at most `limit`, which is at most 100. The newest comes first."""
        attempt = self.rooms.attempt(room, "read the history", "view_channel", "read_message_history", changes=False)
        async with translated(attempt):
            return list(await self.line.client.http.logs_from(room.channel, limit, after=message))

    async def message(self, channel: int, message: int) -> Payload:
        """One message."""
        attempt = self.rooms.attempt(channel, "read the history", "view_channel", "read_message_history", changes=False)
        async with translated(attempt):
            return await self.line.client.http.get_message(channel, message)

    async def wake(self, room: Room) -> None:
        """Take a thread out of the archive. A locked one takes a permission."""
        async with translated(self.rooms.attempt(room, "open this archived thread", "manage_threads")):
            await self.line.client.http.edit_channel(room.channel, archived=False)
        self.rooms.forget(room.channel)
