"""A whole bot behind a loopback Discord, but for its ears: what these are told is noted."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import discord

from adapters.discord.commands.answering import Interactions
from adapters.discord.commands.controls import Controls
from adapters.discord.commands.dressing import Dressing
from adapters.discord.commands.starting import Starting
from adapters.discord.commands.syncing import sync
from adapters.discord.commands.texting import Texting
from adapters.discord.line import Line
from adapters.discord.posting.courier import DiscordCourier
from adapters.discord.settings import Settings
from adapters.discord.words import author_of, event_of, place_of
from bot.flow.service import Service
from bot.ids import AuthorId, Place
from bot.ports.store import Shown
from bot.posts import InboundPost
from bot.story.card import CharacterCard
from bot.story.session import Session
from tests.builders import MIRA, in_library
from tests.fakes.clock import FrozenClock
from tests.fakes.discord import Channel, Guild, Interaction, LoopbackDiscord, Message, User
from tests.fakes.discord.checked import Watchful, watched
from tests.fakes.discord.document import Document
from tests.fakes.engine import ScriptedEngine, ScriptedReply
from tests.fakes.service import a_service, seeds
from tests.fakes.store import MemoryStore

SETTINGS = Settings(token="none")  # noqa: S106 - no secret: the loopback has its own


class Answering(discord.AutoShardedClient):
    """A client that hands over interactions and hears nothing else. It does not wait before an IDENTIFY."""

    def __init__(self, loopback: LoopbackDiscord) -> None:
        intents = discord.Intents(guilds=True, messages=True)
        super().__init__(connector=loopback.connector(), intents=intents, guild_ready_timeout=0.02)
        self.ready = asyncio.Event()
        self.interactions: Interactions | None = None
        self.handled: set[int] = set()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait for nothing."""

    async def on_ready(self) -> None:
        self.ready.set()

    async def on_interaction(self, interaction: discord.Interaction[discord.Client]) -> None:
        assert self.interactions is not None
        await self.interactions.handle(interaction)
        self.handled.add(interaction.id)


async def _nothing_written() -> None:
    """Nobody wrote anything that was not handed in."""


@dataclass(slots=True)
class NotedEars:
    """Notes where the ears are to listen, and what they are to take and to hand in: `written` does that."""

    marks: dict[Place, int] = field(default_factory=dict)
    left: list[Place] = field(default_factory=list)
    taken: list[discord.Message] = field(default_factory=list)
    handed_in: list[tuple[Place, AuthorId]] = field(default_factory=list)
    written: Callable[[], Awaitable[None]] = _nothing_written

    @property
    def watched(self) -> AbstractSet[Place]:
        return self.marks.keys()

    async def watch(self, place: Place, mark: int) -> None:
        self.marks[place] = mark

    async def unwatch(self, place: Place) -> None:
        self.left.append(place)
        self.marks.pop(place, None)

    async def hand_in(self, place: Place, author: AuthorId) -> None:
        self.handed_in.append((place, author))
        await self.written()

    async def take(self, message: discord.Message) -> None:
        self.taken.append(message)


@dataclass(slots=True)
class Stage:
    """The bot and the people around it. `restart` makes another run of the bot over the same store and Discord."""

    loopback: LoopbackDiscord
    guild: Guild
    text: Channel
    forum: Channel
    player: User
    dm: Channel
    client: Answering
    engine: ScriptedEngine
    settings: Settings
    store: MemoryStore = field(default_factory=MemoryStore)
    clock: FrozenClock = field(default_factory=FrozenClock)
    line: Line = field(default_factory=Line)
    ears: NotedEars = field(default_factory=NotedEars)
    courier: DiscordCourier = field(init=False)
    service: Service = field(init=False)
    interactions: Interactions = field(init=False)
    controls: Controls = field(init=False)
    _roll: Callable[[], int] = field(default_factory=seeds)

    def __post_init__(self) -> None:
        self.line.open(self.client)
        self._build()

    def _build(self) -> None:
        self.courier = DiscordCourier(self.line, self.settings, self.clock, _no_face, self._shown)
        operators = frozenset(map(author_of, self.settings.operators))
        self.service = a_service(self.store, self.engine, self.courier, self.clock, roll=self._roll, operators=operators)
        service, desk = self.service, self.service.desk
        dressing = Dressing(self.line, self.courier.rooms, self.courier.webhooks)
        self.controls = Controls(self.store, service.receiver, dressing)
        starting = Starting(self.store, desk, desk, self.courier, self.ears, self.line, self.settings)
        texting = Texting(self.store, self.courier, operators)
        self.interactions = Interactions(self.store, desk, service.receiver, self.clock, starting, self.controls, texting)
        self.client.interactions = self.interactions

    async def restart(self) -> None:
        """Another run of the bot; the connection goes on."""
        await self.close()
        self._build()
        await self.service.start()

    async def close(self) -> None:
        await self.interactions.close()
        await self.controls.close()
        await self.service.close()
        await self.courier.close()

    async def start(self, where: Channel | None = None, *, into: Channel | None = None, **options: Any) -> Channel:
        """Mira's story begun by a command; the place where it is played."""
        channel = where or await self.thread()
        given = {"character": "Mira", **options, **({"where": into} if into else {})}
        answer = await self.said(await self.loopback.slash(self.player, channel, "rp start", given))
        assert answer.startswith("The story with Mira begins."), answer
        places = await self.store.places()
        await self.service.receiver.settled(places[-1])
        played = self.loopback.world.channels[int(places[-1].channel)]
        await self.dressed()
        return played

    async def dressed(self) -> None:
        """Come back once the buttons follow nothing any more."""
        await until(lambda: not self.controls._chases)

    async def handled(self, asked: Interaction) -> Interaction:
        """Come back once an interaction is dealt with, and all that came of it."""
        await until(lambda: asked.id in self.client.handled)
        await self.service.receiver.settled(place_of(asked.channel.id))
        await self.dressed()
        return asked

    async def thread(self) -> Channel:
        """A thread that the player opened."""
        return await self.loopback.open_thread(self.player, self.text, "Evening")

    async def said(self, asked: Interaction) -> str:
        """What an interaction was answered with first."""
        return (await asked.wait_for_message()).content

    async def ask(self, channel: Channel, command: str, options: Mapping[str, Any] | None = None, **more: Any) -> str:
        """What a command of the player's is answered with, once all of it is done."""
        asked = await self.loopback.slash(self.player, channel, command, options, **more)
        said = await self.said(asked)
        await self.service.receiver.settled(place_of(channel.id))
        return said

    async def post(self, channel: Channel, text: str, by: User | None = None) -> Message:
        """The player's post joins the story, and is answered."""
        player = by or self.player
        message = await self.loopback.post(player, channel, text)
        place = place_of(channel.id)
        post = InboundPost(event_of(message.id), place, author_of(player.id), player.name, text)
        await self.service.receiver.receive(post)
        await self.service.receiver.settled(place)
        return message

    async def session(self, channel: Channel) -> Session:
        session = await self.store.session_at(place_of(channel.id))
        assert session is not None
        return session

    def shown(self, channel: Channel) -> list[Message]:
        """The posts of characters that stand in a channel, in order."""
        return [each for each in self.loopback.messages(channel) if each.webhook_id and each.webhook_id != self.application]

    @property
    def application(self) -> int:
        return self.loopback.application_id

    async def keep(self, card: CharacterCard) -> None:
        """A character in the library."""
        await self.store.keep_card(in_library(card, author_of(self.player.id)))

    async def _shown(self, place: Place, turn: int) -> Sequence[Shown]:
        return [each for each in (await self.store.page(place)).shown if each.post.turn == turn]


async def until(condition: Callable[[], object]) -> None:
    """Come back once a condition holds that the loopback knows nothing of. Raises TimeoutError."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def _no_face(place: Place, name: str) -> bytes:  # noqa: ARG001  nobody has a picture here
    return b""


@asynccontextmanager
async def stage(
    replies: Iterable[str | Sequence[str] | ScriptedReply] = ('"Come in," she said.',),
    *,
    is_degraded: bool = False,
    context: int = 8192,
    **settings: Any,
) -> AsyncGenerator[Stage, None]:
    """A bot that is connected and has put its commands, with Mira in its library."""
    watch = Watchful(Document.load())
    async with watched(watch) as loopback:
        guild, player = loopback.add_guild("Harbour"), loopback.add_user("Tobias")
        text, forum = loopback.add_channel(guild, "tavern"), loopback.add_channel(guild, "stories", "forum", tags=("open",))
        dm, client = loopback.add_dm(player), Answering(loopback)
        running = asyncio.create_task(client.start(loopback.token))
        try:
            await client.ready.wait()
            engine = ScriptedEngine(replies, context=context)
            made = Stage(loopback, guild, text, forum, player, dm, client, engine, replace(SETTINGS, **settings))
            await made.keep(MIRA)
            await made.service.start()
            await sync(client, made.store, is_degraded=is_degraded)
            yield made
            await made.close()
        finally:
            await client.close()
            await asyncio.wait({running})
