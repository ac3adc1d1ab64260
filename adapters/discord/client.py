"""The client of one connection: asks Discord for what the bot needs and no more, tells the ears at once, and decides nothing.

The library runs each handler as a task of its own. A handler that waits lets later events overtake it: none of these waits.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import discord

from adapters.discord.ears.hearing import Hearing
from adapters.discord.settings import Settings

# The bot never speaks by voice: what that lacks is no warning to the operator.
discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False

SHARD_PATIENCE = 60.0
"""Seconds for one shard to connect before it is tried again."""


def intents(*, message_content: bool) -> discord.Intents:
    """What Discord shall tell us. The words of messages need its leave; nothing else here does."""
    return discord.Intents(
        guilds=True,
        guild_messages=True,
        dm_messages=True,
        guild_typing=True,
        dm_typing=True,
        message_content=message_content,
    )


Interaction = discord.Interaction[Any]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Who else of the adapter wants to know.

    `prepare` has a client that is logged in and not connected yet, `ready` one that can be used, and `asked` answers an
    interaction. `wrote` is told of each message by its channel and id; `changed` the ids of channels, threads and guilds that
    are not any more what they were. What is no coroutine does not wait.
    """

    prepare: Callable[["UnderstudyClient"], Awaitable[None]]
    ready: Callable[["UnderstudyClient"], None]
    asked: Callable[[Interaction], Awaitable[None]]
    wrote: Callable[[int, int], None]
    changed: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Hooks:
    """How whoever runs the client takes part.

    `identify` holds a shard back before it asks for a fresh session (and is told whether it is the first of this start);
    `connected` is told of each fresh session; `ready` never waits.
    """

    identify: Callable[[int, bool], Awaitable[None]]
    connected: Callable[[], None]
    ready: Callable[["UnderstudyClient"], None]


class UnderstudyClient(discord.AutoShardedClient):
    """A client for one start: it cannot be started twice. `connector` is closed with it."""

    def __init__(  # noqa: PLR0913  each is a part of its own, and the connector is for proxies and tests
        self,
        settings: Settings,
        hearing: Hearing,
        neighbours: Neighbours,
        hooks: Hooks,
        *,
        message_content: bool,
        connector: aiohttp.BaseConnector | None = None,
        **options: Any,  # noqa: ANN401  the library's own, for tests
    ) -> None:
        shards: dict[str, Any] = {"shard_count": settings.shard_count} if settings.shard_count else {}
        if settings.shard_ids is not None:
            shards["shard_ids"] = list(settings.shard_ids)
        super().__init__(
            intents=intents(message_content=message_content),
            connector=connector,
            # Messages are remembered nowhere but in the store: what is deleted is gone.
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            allowed_mentions=discord.AllowedMentions.none(),
            shard_connect_timeout=SHARD_PATIENCE,
            proxy=settings.http_proxy or None,
            **shards,
            **options,
        )
        # `_hooks` would be the library's own.
        self._hearing, self._others, self._running = hearing, neighbours, hooks

    async def setup_hook(self) -> None:
        """Logged in, not connected yet."""
        await self._others.prepare(self)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """A shard is about to ask for a fresh session."""
        await self._running.identify(shard_id or 0, initial)

    async def on_shard_connect(self, shard_id: int) -> None:
        """A READY: the session of a shard is a fresh one. The library's own "ready" comes later, and after a RESUME too."""
        self._hearing.connected(self, shard_id)
        self._running.connected()

    async def on_ready(self) -> None:
        """All shards know their guilds. It may come several times."""
        self._running.ready(self)

    async def on_message(self, message: discord.Message) -> None:
        """Somebody wrote."""
        self._others.wrote(message.channel.id, message.id)
        self._hearing.message(message)

    async def on_interaction(self, interaction: Interaction) -> None:
        """Somebody used a command, a button, a menu or a form. Each is answered by itself."""
        await self._others.asked(interaction)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """A message was edited, or Discord added an embed to it."""
        self._hearing.edited(payload.message)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """A message is gone."""
        self._hearing.deleted(payload.channel_id, (payload.message_id,))

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Messages were deleted at one stroke."""
        self._hearing.deleted(payload.channel_id, payload.message_ids)

    async def on_raw_typing(self, payload: discord.RawTypingEvent) -> None:
        """Somebody types."""
        self._hearing.typing(payload.channel_id, payload.user_id)

    async def on_raw_thread_update(self, payload: discord.RawThreadUpdateEvent) -> None:
        """A thread was renamed, archived, woken or locked. Only a locked one ends its story."""
        self._others.changed(payload.thread_id)
        if payload.data.get("thread_metadata", {}).get("locked"):
            self._hearing.gone(payload.thread_id)

    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        """A thread is gone."""
        self._others.changed(payload.thread_id)
        self._hearing.gone(payload.thread_id)

    async def on_guild_channel_update(self, _: discord.abc.GuildChannel, after: discord.abc.GuildChannel) -> None:
        """A channel may have another name, other permissions, or another age restriction."""
        self._others.changed(after.id)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """A channel is gone, and with it its threads."""
        self._others.changed(channel.id)
        self._hearing.gone(channel.id)

    async def on_guild_update(self, _: discord.Guild, after: discord.Guild) -> None:
        """A guild may be for adults now, or not any more."""
        self._others.changed(after.id)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """The bot is no member of a guild any more. One that is away for the moment is told of elsewhere."""
        self._others.changed(guild.id)
        self._hearing.left(guild.id)
