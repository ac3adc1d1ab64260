"""Puts the commands to Discord, only when they have changed: it takes 200 new ones a day. It knows no single command."""

import asyncio
import logging

import discord

from adapters.discord.commands.replying import PATIENCE
from adapters.discord.commands.tree import fingerprint, payload
from adapters.discord.words import DISCORD
from bot.ids import ChannelKey, Place
from bot.ports.bookmarks import Bookmarks

log = logging.getLogger(__name__)


def kept_at(application: int) -> Place:
    """Where the store keeps what commands an application has: a place that is no channel."""
    return Place(DISCORD, ChannelKey(f"commands of {application}"))


async def sync(client: discord.Client, store: Bookmarks, *, is_degraded: bool) -> bool:
    """Put the commands to Discord if they are others than those put last; True when they were.

    Raises what discord.py raises, TimeoutError, and StoreUnavailable; the client must be logged in.
    """
    application = client.application_id
    if application is None:
        raise RuntimeError("the client is not logged in")
    commands = payload(is_degraded=is_degraded)
    place, now = kept_at(application), fingerprint(commands)
    if (await store.bookmarks(DISCORD)).get(place.channel) == now:
        return False
    async with asyncio.timeout(PATIENCE):
        await client.http.bulk_upsert_global_commands(application, commands)
    # Kept afterwards: a crash in between puts the same commands once more, which changes nothing.
    await store.bookmark(place, now)
    log.info("the commands were put to Discord", extra={"action": "sync_commands", "commands": len(commands)})
    return True
