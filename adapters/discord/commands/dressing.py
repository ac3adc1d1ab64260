"""Puts buttons below posts that stand, and takes them away, by whoever posted them. It does not know what they are for."""

from dataclasses import dataclass

import discord

from adapters.discord.errors import translated
from adapters.discord.line import Line
from adapters.discord.posting.webhooks import Webhooks
from adapters.discord.rooms import Room, Rooms
from adapters.discord.words import channel_of, ids_of
from bot.errors import PostRefused
from bot.ids import MessageId, Place

NOTHING_PINGS = discord.AllowedMentions.none()


@dataclass(frozen=True, slots=True)
class Dressing:
    """Changes what stands below a post, and nothing else of it. Raises CourierError and nothing else."""

    line: Line
    rooms: Rooms
    webhooks: Webhooks

    async def dress(self, place: Place, message: MessageId, view: discord.ui.View | None) -> None:
        """Have these buttons below a post of ours; None: no buttons."""
        webhook, own = ids_of(message)
        room = await self.rooms.about(channel_of(place))
        async with translated(self.rooms.attempt(room, "put buttons below my posts", *room.to_post)):
            if webhook is None:
                post = self.line.client.get_partial_messageable(room.channel).get_partial_message(own)
                await post.edit(view=view, allowed_mentions=NOTHING_PINGS)
            else:
                hook = await self._hook(room, webhook)
                thread = discord.Object(room.thread) if room.thread else discord.utils.MISSING
                await hook.edit_message(own, view=view, thread=thread, allowed_mentions=NOTHING_PINGS)

    async def _hook(self, room: Room, webhook: int) -> discord.Webhook:
        found = await self.webhooks.find(webhook, room.webhooks_in) if room.webhooks_in else None
        if found is None:
            raise PostRefused("The webhook that made this post is gone; its buttons stay as they are.")
        return discord.Webhook.partial(found.id, found.token, client=self.line.client)
