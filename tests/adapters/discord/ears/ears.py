"""Ears for tests at a loopback Discord: what they tell is recorded, and kept in memory."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.clock import SystemClock
from adapters.discord.client import Interaction, Neighbours, UnderstudyClient
from adapters.discord.ears.hearing import Hearing
from adapters.discord.line import Line
from adapters.discord.running import Supervisor
from adapters.discord.settings import Settings
from adapters.discord.words import DISCORD, place_of
from bot.errors import Refused, StoreUnavailable
from bot.ids import EventId, Place, SessionId
from bot.ports.clock import Clock
from bot.ports.store import Change
from bot.posts import Deleted, Edited, Fate, Inbound, InboundPost
from bot.story.acts import add_post
from bot.story.persona import Persona
from tests.builders import a_session
from tests.fakes.discord import Channel, Guild, LoopbackDiscord, Message, User
from tests.fakes.store import MemoryStore


@dataclass(slots=True)
class RecordingReceiver:
    """Takes events in as the bot does, and makes turns of posts at once. It refuses what it is told to, or is away."""

    store: MemoryStore
    events: list[Inbound] = field(default_factory=list)
    repeated: list[Inbound] = field(default_factory=list)
    gone: list[Place] = field(default_factory=list)
    refuses: str = "\0"
    away: int = 0
    joins: bool = True

    async def receive(self, event: Inbound) -> None:
        if self.away:
            self.away -= 1
            raise StoreUnavailable("The disk is full.")
        if self.refuses in getattr(event, "text", ""):
            raise Refused("That is too long to be one post.")
        if not await self.store.receive(event):
            self.repeated.append(event)
            return
        self.events.append(event)
        session = await self.store.session_at(event.place)
        if self.joins and session is not None and isinstance(event, InboundPost):
            persona = Persona(event.author, event.author_name)
            after = add_post(session, persona, event.text, sources=event.parts or (event.event,))
            await self.store.save(Change(session, after, handled=event.event))
        elif self.joins and session is not None and isinstance(event, Deleted):
            left = tuple(turn for turn in session.turns if event.post not in turn.sources)
            await self.store.save(Change(session, replace(session, turns=left), handled=event.event))
        elif self.joins and session is not None and isinstance(event, Edited):
            turns = tuple(
                turn.with_variant(replace(turn.variant, text=event.text)) if event.post in turn.sources else turn
                for turn in session.turns
            )
            await self.store.save(Change(session, replace(session, turns=turns), handled=event.event))
        elif self.joins:
            await self.store.dismiss(event.place, event.event)

    async def place_gone(self, place: Place) -> None:
        self.gone.append(place)
        await self.store.end(place, 0.0)

    @property
    def posts(self) -> list[InboundPost]:
        return [event for event in self.events if isinstance(event, InboundPost)]

    @property
    def texts(self) -> list[str]:
        """What was posted, in order."""
        return [post.text for post in self.posts]

    @property
    def story(self) -> list[str]:
        """What all posts say by now, message by message."""
        told: dict[EventId, str] = {}
        for event in self.events:
            match event:
                case InboundPost():
                    told[event.event] = event.text
                case Edited():
                    told[event.post] = event.text
                case Deleted():
                    del told[event.post]
        return [part for text in told.values() for part in text.split("\n\n")]

    @property
    def changes(self) -> list[Edited | Deleted]:
        return [event for event in self.events if isinstance(event, Edited | Deleted)]


async def _nothing_asked(interaction: Interaction) -> None:
    raise AssertionError(f"nobody asks anything here: {interaction.id}")


@dataclass(slots=True)
class RecordingFates:
    """Notes what became of posts."""

    told: list[tuple[EventId, Fate | None]] = field(default_factory=list)

    async def tell_fate(self, place: Place, post: EventId, fate: Fate | None) -> None:
        assert place.platform == DISCORD
        self.told.append((post, fate))


async def begin_story(store: MemoryStore, place: Place) -> None:
    """A story of nobody yet in a place."""
    await store.save(Change(None, a_session(id=SessionId(f"session {place.channel}"), place=place, personas=())))


@dataclass(slots=True)
class Ears:
    """A bot that only hears, at a loopback Discord with one guild, one thread that holds a story, and two people."""

    discord: LoopbackDiscord
    settings: Settings
    store: MemoryStore
    clock: Clock
    guild: Guild
    text: Channel
    thread: Channel
    tobias: User
    other: User
    receiver: RecordingReceiver
    fates: RecordingFates
    line: Line
    changed: list[int] = field(default_factory=list)
    prepared: list[UnderstudyClient] = field(default_factory=list)
    running: list[tuple[Hearing, Supervisor, asyncio.Task[None]]] = field(default_factory=list)

    @property
    def place(self) -> Place:
        return place_of(self.thread.id)

    @property
    def hearing(self) -> Hearing:
        return self.running[-1][0]

    @property
    def supervisor(self) -> Supervisor:
        return self.running[-1][1]

    async def start(self, **settings: Any) -> None:
        """The program starts, and is connected."""
        self.begin(**settings)
        await self.hearing.start()
        await self.until(lambda: self.line.is_open)

    def begin(self, **settings: Any) -> None:
        """The program starts; nothing is waited for."""
        used = replace(self.settings, **settings)
        hearing = Hearing(used, self.clock, self.store, self.receiver, self.line, self.fates)
        supervisor = Supervisor(
            used,
            self.clock,
            self.line,
            hearing,
            Neighbours(self._prepare, lambda _: None, _nothing_asked, lambda *_: None, self.changed.append),
            connector=self.discord.connector,
            guild_patience=0.05,
        )
        self.running.append((hearing, supervisor, asyncio.create_task(supervisor.run())))

    async def stop(self) -> None:
        """The program ends; what it had not stored is lost."""
        hearing, supervisor, life = self.running.pop()
        await supervisor.close()
        await hearing.close()
        assert life.done()

    async def post(self, content: str, author: User | None = None, **options: Any) -> Message:
        """Somebody (Tobias, if nobody is named) writes in the thread."""
        return await self.discord.post(author or self.tobias, self.thread, content, **options)

    async def until(self, condition: Callable[[], object], seconds: float = 8.0) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.005)

    async def until_posted(self, *texts: str) -> None:
        """Wait until these posts were told of, and assert that no others were."""
        with suppress(TimeoutError):
            await self.until(lambda: len(self.receiver.texts) >= len(texts))
        assert self.receiver.texts == list(texts)

    async def quiet(self) -> None:
        """Wait until all that was told is surely heard: a later message of somebody else went the same way."""
        before = len(self.receiver.posts)
        await self.post("The door creaks.", self.other)
        await self.until(lambda: any(post.text == "The door creaks." for post in self.receiver.posts[before:]))

    def stands(self) -> list[str]:
        """What people have written in the thread, as it stands."""
        return [each.content for each in self.discord.messages(self.thread) if each.author.id != self.discord.bot_id]

    def said(self) -> list[str]:
        """What the bot itself said in the thread."""
        return [each.content for each in self.discord.messages(self.thread) if each.author.id == self.discord.bot_id]

    async def _prepare(self, client: UnderstudyClient) -> None:
        self.prepared.append(client)


@asynccontextmanager
async def ears(**options: Any) -> AsyncGenerator[Ears, None]:
    """Ears that are not started yet. `reads_content`: what the Developer Portal says."""
    shards = options.pop("shard_count", 1)
    async with LoopbackDiscord(reads_content=options.pop("reads_content", True)) as discord:
        tobias, other = discord.add_user("Tobias"), discord.add_user("Aled")
        guild = discord.add_guild("Harbour")
        text = discord.add_channel(guild, "tavern", kind="text")
        thread = await discord.open_thread(tobias, text, "The inn")
        store = MemoryStore()
        await begin_story(store, place_of(thread.id))
        settings = Settings(token=discord.token, shard_count=shards, join_seconds=0.15, **options)
        receiver, fates, line = RecordingReceiver(store), RecordingFates(), Line()
        opened = Ears(discord, settings, store, SystemClock(), guild, text, thread, tobias, other, receiver, fates, line)
        await store.bookmark(opened.place, f"{thread.id} {thread.id}")
        try:
            yield opened
        finally:
            while opened.running:
                await opened.stop()
        assert discord.strange == []
