"""The menu of a message: what is asked of the post that somebody points at. The forms and the acts stand elsewhere."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import discord

from adapters.discord.commands.asking import Asker, Interaction, Raw, raw
from adapters.discord.commands.editing import PLAYERS_OWN, Stories
from adapters.discord.commands.forms import POST_TEXT, post_form
from adapters.discord.commands.replying import Reply
from adapters.discord.commands.texting import Texting
from adapters.discord.commands.tree import MENUS, TAKE
from adapters.discord.commands.walls import Hears
from adapters.discord.words import event_of, own_message, webhook_message
from bot.errors import Refused
from bot.ids import MessageId

NOT_NEWEST = "That is not the newest post of the story; /rewind goes back to it first."
TAKEN = "Taken."
TOO_LONG_A_POST = "This post is too long to be changed in a field; use /edit for the whole reply."

Carry = Callable[[Reply, Asker, str], Awaitable[None]]
"""Carries out a command without options, and answers."""


@dataclass(frozen=True, slots=True)
class Menus:
    """Answers the menus. `carry` carries out a command."""

    stories: Stories
    texting: Texting
    hears: Hears
    carry: Carry

    async def chosen(self, reply: Reply, asker: Asker) -> None:
        """Do what was chosen from the menu of a message. Raises Refused and StoreUnavailable."""
        data = raw(reply.interaction)
        name, message = str(data["name"]), data["resolved"]["messages"][data["target_id"]]
        if name == TAKE:
            await self._take(reply, asker, message)
        elif name == "Edit":
            await self._edit(reply, asker, message)
        elif name in MENUS:
            await self._act(reply, asker, name.casefold(), message)
        else:
            raise Refused("This menu is from an earlier version of the bot; reload Discord to see those that there are.")

    async def _act(self, reply: Reply, asker: Asker, name: str, message: Raw) -> None:
        shown, event = message_of(message), event_of(int(message["id"]))
        if not await self.stories.is_newest(asker.place, shown, event):
            raise Refused(NOT_NEWEST)
        await self.carry(reply, asker, name)

    async def _edit(self, reply: Reply, asker: Asker, message: Raw) -> None:
        shown = message_of(message)
        if await self.stories.store.turn_of(asker.place, event_of(int(message["id"]))) is not None:
            raise Refused(PLAYERS_OWN)
        limits = await self.texting.limits(asker.place)
        pointed = await self.stories.post(asker.place, shown, limits)
        if len(pointed.text) > POST_TEXT:
            raise Refused(TOO_LONG_A_POST)
        await reply.ask(post_form(shown, pointed.text, pointed.turn.name))

    async def _take(self, reply: Reply, asker: Asker, message: Raw) -> None:
        await self.stories.session(asker.place)
        if not await reply.think(private=True):
            return
        await self.hears.take(_message(reply.interaction, message))
        await reply.mention(TAKEN)


def message_of(message: Raw) -> MessageId:
    """How a message that Discord describes is called inside, if it is a post of ours."""
    number, webhook = int(message["id"]), message.get("webhook_id")
    return webhook_message(int(webhook), number) if webhook else own_message(number)


def _message(interaction: Interaction, message: Raw) -> discord.Message:
    known: dict[str, object] = {"guild_id": interaction.guild_id, **message}
    return discord.Message(state=interaction._state, channel=interaction.channel, data=known)  # type: ignore[arg-type]  # noqa: SLF001 - its only way
