"""An unmodified discord.py against the loopback Discord: what it is told, noted for tests. None of our own adapter is here."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import discord

from tests.fakes.discord import Channel, Guild, LoopbackDiscord, User

INTENTS = discord.Intents(guilds=True, messages=True, reactions=True, typing=True, webhooks=True, message_content=True)
PLAIN_INTENTS = discord.Intents(guilds=True, messages=True)


class PlainClient(discord.AutoShardedClient):
    """Notes what it is told. Only the five seconds before an IDENTIFY are taken out, by the hook that is meant for it."""

    def __init__(self, loopback: LoopbackDiscord, **options: Any) -> None:
        wanted: dict[str, Any] = {"intents": INTENTS, "guild_ready_timeout": 0.02} | options
        super().__init__(connector=loopback.connector(), **wanted)
        self.tree = discord.app_commands.CommandTree(self)
        self.heard: list[discord.Message] = []
        self.noted: list[str] = []
        self._loopback = loopback

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait for nothing."""

    def note(self, what: str) -> None:
        self.noted.append(what)
        self._loopback.world.touch()

    @property
    def contents(self) -> list[str]:
        return [each.content for each in self.heard]

    async def on_ready(self) -> None:
        self.note("ready")

    async def on_shard_resumed(self, shard_id: int) -> None:
        self.note(f"resumed {shard_id}")

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message)
        self.note("message")

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        self.note(f"edit {event.message.content}")

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        self.note(f"delete {event.message_id}")

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        self.note(f"bulk delete {sorted(event.message_ids)}")

    async def on_thread_create(self, thread: discord.Thread) -> None:
        self.note(f"thread {thread.name}")

    async def on_raw_thread_update(self, event: discord.RawThreadUpdateEvent) -> None:
        state = event.data["thread_metadata"]
        self.note(f"thread archived={state['archived']} locked={state.get('locked')}")

    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        self.note(f"thread deleted {event.thread_id}")

    async def on_guild_channel_update(self, _: discord.abc.GuildChannel, after: discord.abc.GuildChannel) -> None:
        self.note(f"channel {after.name}")

    async def on_guild_channel_create(self, channel: discord.abc.GuildChannel) -> None:
        self.note(f"channel created {channel.name}")

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        self.note(f"channel deleted {channel.name}")

    async def on_guild_update(self, _: discord.Guild, after: discord.Guild) -> None:
        self.note(f"guild {after.nsfw_level.name}")

    async def on_guild_unavailable(self, guild: discord.Guild) -> None:
        self.note(f"guild away {guild.name}")

    async def on_guild_available(self, guild: discord.Guild) -> None:
        self.note(f"guild here {guild.name}")

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        self.note(f"reaction {event.emoji} {event.user_id}")

    async def on_raw_typing(self, event: discord.RawTypingEvent) -> None:
        self.note(f"typing {event.user_id}")

    async def on_webhooks_update(self, channel: discord.abc.GuildChannel) -> None:
        self.note(f"webhooks {channel.name}")

    async def wait_for_note(self, *notes: str) -> None:
        await self._loopback.wait_until(lambda: set(notes) <= set(self.noted))


@dataclass(frozen=True, slots=True)
class Scene:
    """A guild with a text channel and a forum, a player with direct messages, and a client that is ready."""

    loopback: LoopbackDiscord
    guild: Guild
    text: Channel
    forum: Channel
    player: User
    dm: Channel
    client: PlainClient

    def tavern(self) -> discord.TextChannel:
        """The text channel, as the client has it."""
        channel = self.client.get_channel(self.text.id)
        assert isinstance(channel, discord.TextChannel)
        return channel

    def stories(self) -> discord.ForumChannel:
        """The forum, as the client has it."""
        channel = self.client.get_channel(self.forum.id)
        assert isinstance(channel, discord.ForumChannel)
        return channel


@asynccontextmanager
async def running(client: discord.Client, token: str) -> AsyncGenerator[asyncio.Task[None], None]:
    """A client that is started here and closed in the end."""
    task = asyncio.create_task(client.start(token))
    try:
        yield task
    finally:
        await client.close()
        await asyncio.wait({task})


@asynccontextmanager
async def scene(*, reads_content: bool = True, **options: Any) -> AsyncGenerator[Scene, None]:
    """A scene; in the end nothing may have been asked for that Discord does not have."""
    async with LoopbackDiscord(reads_content=reads_content) as loopback:
        guild, player = loopback.add_guild("Harbour"), loopback.add_user("Tobias")
        text, forum = loopback.add_channel(guild, "tavern"), loopback.add_channel(guild, "stories", "forum", tags=("open",))
        client = PlainClient(loopback, **options)
        async with running(client, loopback.token):
            await client.wait_for_note("ready")
            yield Scene(loopback, guild, text, forum, player, loopback.add_dm(player), client)
        assert loopback.strange == []
