"""A courier of Discord before a loopback Discord, with a client that tells it what the gateway tells, and with frozen time."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import discord

from adapters.discord.line import Line
from adapters.discord.posting.courier import DiscordCourier
from adapters.discord.settings import Settings
from adapters.discord.words import channel_of, place_of
from bot.ids import MessageId, Place, PostKey
from bot.ports.store import Shown
from bot.posts import OutboundPost, Speaker, Voice
from tests.fakes.clock import FrozenClock
from tests.fakes.discord import Channel, Guild, LoopbackDiscord, User
from tests.fakes.discord.checked import Watchful
from tests.fakes.discord.document import Document

MIRA = Speaker(Voice.CHARACTER, "Mira")
MACHINERY = Speaker(Voice.MACHINERY, "Understudy")


class CourierClient(discord.AutoShardedClient):
    """Tells a courier of messages and changed places, as the adapter's own client does. It waits for nothing."""

    def __init__(self, loopback: LoopbackDiscord) -> None:
        intents = discord.Intents(guilds=True, messages=True, webhooks=True, message_content=loopback.world.reads_content)
        super().__init__(connector=loopback.connector(), intents=intents, guild_ready_timeout=0.02)
        self.courier: DiscordCourier | None = None
        self.is_here = asyncio.Event()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        pass

    async def on_ready(self) -> None:
        self.is_here.set()

    async def on_message(self, message: discord.Message) -> None:
        if self.courier is not None:
            self.courier.saw_message(message.channel.id, message.id)


@dataclass(slots=True)
class CourierScene:
    """A guild with a text channel and a forum, a player with direct messages, and a courier in front of it all.

    `watch` judges everything that Discord is asked and answers.

    `faces` are the pictures of the characters by name; `standing` is what the store says that stands, by turn, and
    `uncertain` the posts of which it does not know whether they arrived.
    """

    loopback: LoopbackDiscord
    guild: Guild
    text: Channel
    forum: Channel
    player: User
    dm: Channel
    clock: FrozenClock
    client: CourierClient
    line: Line
    watch: Watchful
    faces: dict[str, bytes] = field(default_factory=dict)
    standing: dict[int, list[Shown]] = field(default_factory=dict)
    uncertain: set[PostKey] = field(default_factory=set)
    asked_for_faces: int = 0

    def new_courier(self, **settings: Any) -> DiscordCourier:
        """A courier that knows nothing yet, as after a restart; the client tells it from now on."""
        courier = DiscordCourier(
            self.line, Settings(token=self.loopback.token, **settings), self.clock, self.face_of, self.shown
        )
        self.client.courier = courier
        return courier

    async def face_of(self, place: Place, name: str) -> bytes:
        assert channel_of(place) in self.loopback.world.channels
        self.asked_for_faces += 1
        return self.faces.get(name, b"")

    async def shown(self, place: Place, turn: int) -> Sequence[Shown]:
        return [each for each in self.standing.get(turn, ()) if each.post.place == place]

    def stands(self, post: OutboundPost, message: MessageId) -> None:
        """The store keeps a receipt."""
        self.standing.setdefault(post.turn, []).append(Shown(message, post))

    async def thread(self, name: str = "The story") -> Channel:
        """A thread of the text channel, opened by the player."""
        return await self.loopback.open_thread(self.player, self.text, name)

    async def forum_post(self, name: str = "The story") -> Channel:
        return await self.loopback.open_post(self.player, self.forum, name, "It begins.")

    def texts(self, channel: Channel) -> list[str]:
        return [each.content for each in self.loopback.messages(channel)]

    def creates(self, channel: Channel) -> list[str]:
        """Every text that was ever posted in a channel, in order."""
        return [each.content for each in self.loopback.history(channel) if each.kind == "create"]


@asynccontextmanager
async def courier_scene(*, reads_content: bool = True, requires_tag: bool = False) -> AsyncGenerator[CourierScene, None]:
    """A scene; in the end nothing may have been asked or answered that Discord does not know, and nothing may still run."""
    watch = Watchful(Document.load())
    async with LoopbackDiscord(reads_content=reads_content) as loopback:
        watch.attach(loopback)
        guild, player = loopback.add_guild("Harbour"), loopback.add_user("Tobias")
        text = loopback.add_channel(guild, "tavern")
        forum = loopback.add_channel(guild, "stories", "forum", tags=("open", "done"), requires_tag=requires_tag)
        client, line = CourierClient(loopback), Line()
        scene = CourierScene(loopback, guild, text, forum, player, loopback.add_dm(player), FrozenClock(), client, line, watch)
        task = asyncio.create_task(client.start(loopback.token))
        try:
            await asyncio.wait_for(client.is_here.wait(), 10)
            line.open(client)
            yield scene
        finally:
            if client.courier is not None:
                await client.courier.close()
            await client.close()
            await asyncio.wait({task})
        assert loopback.strange == []
    assert watch.faults == []


def post_in(  # noqa: PLR0913 what a post can have
    channel: Channel, text: str, key: str = "key-1", *, speaker: Speaker = MIRA, turn: int = 3, position: int | None = 0
) -> OutboundPost:
    """A post for a channel."""
    return OutboundPost(PostKey(key), place_of(channel.id), turn, position, 0, speaker, text)
