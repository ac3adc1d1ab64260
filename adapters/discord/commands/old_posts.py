"""The posts that stand in a thread already, as a story can be made of them: who wrote what. It begins no story."""

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import discord

from adapters.discord.commands.replying import FOREIGN
from adapters.discord.words import WRITTEN, author_of, event_of, unknown_person
from bot.errors import Refused
from bot.posts import OldPost

MOST = 2_000
"""So many of the newest messages are read."""

PATIENCE = 240.0
"""Seconds for reading them, a hundred at a time."""

NAMED = re.compile(r"\*\*((?:(?!\*\*).)+)\*\*")


@dataclass(frozen=True, slots=True)
class Eyes:
    """Whose posts are the character's: those of the bot and its webhooks, and of webhooks that have the character's name."""

    bot: int
    application: int
    character: str

    def old_posts(self, messages: Iterable[discord.Message]) -> tuple[OldPost, ...]:
        """The posts among messages, in their order, without what is Discord's own, the bot's notices, and what has no text."""
        posts = (self._old_post(each) for each in map(_begun_from, messages) if each.type in WRITTEN)
        return tuple(post for post in posts if post is not None and post.text.strip())

    def _old_post(self, message: discord.Message) -> OldPost | None:
        event, name = event_of(message.id), message.author.display_name
        if message.webhook_id == self.application:
            return None  # an answer to an interaction: Discord posts it as if by a webhook
        if message.webhook_id is not None:
            is_ours = message.application_id == self.application or name.casefold() == self.character.casefold()
            author = None if is_ours else unknown_person(name)
            return OldPost(event, author, name, message.content)
        if message.author.id == self.bot:
            # Without webhooks, the bot says in a line of its own whose words follow; all else that it said are notices.
            heading, _, text = message.content.partition("\n")
            spoke = NAMED.fullmatch(heading)
            return OldPost(event, None, spoke[1], text) if spoke else None
        if message.author.bot:
            return None
        return OldPost(event, author_of(message.author.id), name, message.content)


async def read(client: discord.Client, channel: int, character: str) -> tuple[Sequence[OldPost], int]:
    """The posts of a channel, oldest first, and the id of its newest message (0: it has none).

    Raises Refused, with a sentence for whoever asked, where they cannot be read.
    """
    if client.user is None or client.application_id is None:
        raise Refused("The connection to Discord is not there yet; try again in a moment.")
    try:
        async with asyncio.timeout(PATIENCE):
            messages = [each async for each in client.get_partial_messageable(channel).history(limit=MOST)]
    except FOREIGN:
        raise Refused("Discord did not hand over the posts; try again in a moment.") from None
    messages.reverse()
    eyes = Eyes(client.user.id, client.application_id, character)
    return eyes.old_posts(messages), messages[-1].id if messages else 0


def _begun_from(message: discord.Message) -> discord.Message:
    """The message that a thread was begun from, for the stand-in of it that the thread opens with."""
    origin = message.reference.resolved if message.reference else None
    is_stand_in = message.type is discord.MessageType.thread_starter_message
    return origin if is_stand_in and isinstance(origin, discord.Message) else message
