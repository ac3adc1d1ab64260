"""The whole bot in this process, before a loopback Discord: store, walk, courier, ears, commands. It can be restarted.

Its clock runs ten times as fast as the true one, so that pauses are short, and nothing waits for a time to pass: tests wait
until the bot is quiet, that is until nothing that Discord told is unheard, unanswered, unwritten or undelivered.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from adapters.discord.commands.tree import written
from adapters.discord.face import Discord
from adapters.discord.line import Line
from adapters.discord.posting.courier import DiscordCourier
from adapters.discord.settings import Settings
from adapters.discord.words import DISCORD, author_of, ids_of, link_to, place_of
from adapters.stories import Stories
from bot.chunking.chunker import cut
from bot.flow.service import Service
from bot.ids import CardId, Place
from bot.ports.engine import Engine
from bot.ports.store import Shown
from bot.posts import Voice
from bot.prompt.build import build
from bot.prompt.format import FORMATS
from bot.story.card import CharacterCard
from bot.story.library import LibraryCard
from bot.story.session import Session
from bot.story.turn import Role, Turn, VariantState
from storage.store import SqlStore, open_store
from tests.builders import MIRA
from tests.fakes.discord import Channel, Guild, Interaction, LoopbackDiscord, Message, User
from tests.fakes.discord.checked import Watchful, watched
from tests.fakes.discord.document import Document
from tests.fakes.engine import ScriptedEngine, ScriptedReply

FORMAT = FORMATS["limarp"]
SPEED = 10.0
GREETING = MIRA.greeting

Replies = Iterable[str | Sequence[str] | ScriptedReply]


@dataclass(slots=True)
class FastClock:
    """A clock that runs faster than the true one."""

    speed: float = SPEED
    _began: float = field(default_factory=time.time)
    _ticks: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        return self._began + self.ticks()

    def ticks(self) -> float:
        return (time.monotonic() - self._ticks) * self.speed

    def pass_by(self, seconds: float) -> None:
        """Let this much time be over at once, for all who ask what time it is."""
        self._ticks -= seconds / self.speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)


@dataclass(slots=True, repr=False)  # pytest shows it where something fails: a whole world takes minutes to write
class Whole:
    """A guild with a text channel, a forum and two players, and the bot in it. `told` is what the operator was told."""

    discord: LoopbackDiscord
    watch: Watchful
    folder: Path
    engine: Any
    settings: Settings
    clock: FastClock
    guild: Guild
    text: Channel
    forum: Channel
    player: User
    other: User
    dm: Channel
    patience: float = 15.0
    told: list[str] = field(default_factory=list)
    seeds: Iterable[int] = field(default_factory=lambda: count(1))
    store: SqlStore = field(init=False)
    courier: DiscordCourier = field(init=False)
    service: Service = field(init=False)
    face: Discord = field(init=False)

    async def start(self, **settings: Any) -> None:
        """The program starts, and is connected."""
        await self.begin(**settings)
        await self.until(lambda: self.courier.line.is_open)

    async def begin(self, **settings: Any) -> None:
        """The program starts, over what earlier runs have stored."""
        self.settings = replace(self.settings, **settings)
        self.store = await open_store(f"sqlite+aiosqlite:///{self.folder / 'stories.db'}")
        stories = Stories(self.store)
        self.courier = DiscordCourier(Line(), self.settings, self.clock, stories.face, stories.shown)
        operators = tuple(map(author_of, self.settings.operators))
        roll = iter(self.seeds).__next__
        self.service = Service(
            self.store,
            self.engine,
            (self.courier,),
            self.clock,
            FORMAT,
            roll=roll,
            operators=operators,
            written={DISCORD: written},
            links={DISCORD: link_to},
        )
        self.face = Discord(
            self.settings, self.store, self.courier, self.service, self.told.append, connector=self.discord.connector
        )
        self.face.supervisor._guild_patience = 0.05
        await self.service.start()
        await self.face.start()

    async def close(self) -> None:
        """The program ends wherever it is."""
        await self.face.close()
        await self.service.close()
        await self.store.close()

    async def restart(self, **settings: Any) -> None:
        """Another run of the program."""
        await self.close()
        await self.start(**settings)

    async def until(self, condition: Callable[[], object]) -> None:
        """Come back once a condition holds. Raises TimeoutError."""
        async with asyncio.timeout(self.patience):
            while not condition():
                await asyncio.sleep(0.005)

    async def quiet(self) -> None:
        """Come back once the bot has nothing left to do of all that Discord told. Raises TimeoutError."""
        async with asyncio.timeout(self.patience):
            while True:
                await self.until(lambda: self._has_heard)
                await self.until(lambda: not self._works)
                for place in await self.store.places():
                    await self.service.receiver.settled(place)
                if self._has_heard and not self._works:
                    return

    @property
    def _has_heard(self) -> bool:
        """Whether all that Discord told has come to the ears, and no ear has anything before it."""
        client = self.face.supervisor._client
        if client is None or not self.courier.line.is_open or not self.discord.gateway.connected:
            return False
        shards = client.shards
        for session in self.discord.gateway.connected:
            if session.shard not in shards or shards[session.shard]._parent.ws.sequence != session.sequence:
                return False
        return all(_is_idle(watch) for watch in self.face.hearing._watches.values())

    @property
    def _works(self) -> bool:
        """Whether anything is being done beside the lanes and the deliveries."""
        face, courier = self.face, self.courier
        handlers = [each for each in asyncio.all_tasks() if each.get_name().startswith("discord.py: on_")]
        signs = [each for each in courier.signs._signs.values() if each.task is not None]
        beside = (face._controls._chases, face._interactions._left, face.hearing._telling._tasks, courier.fates._last)
        return bool(handlers or signs or any(beside))

    # what people do

    async def keep(self, card: CharacterCard, face: bytes = b"") -> None:
        """A character in the library."""
        await self.store.keep_card(
            LibraryCard(CardId(card.name.lower()), author_of(self.player.id), card, face, "image/png" if face else "")
        )

    async def thread(self, name: str = "Evening", parent: Channel | None = None) -> Channel:
        """A thread that the player opened."""
        return await self.discord.open_thread(self.player, parent or self.text, name)

    async def story(
        self, near: Channel | None = None, character: str = "Mira", *, into: Channel | None = None, **options: Any
    ) -> Channel:
        """A story begun by a command in a thread of its own, unless another place is named; where it is played."""
        channel = near or await self.thread()
        before = set(await self.store.places())
        given = {"character": character, **options, **({"where": into} if into else {})}
        said = await self.ask(channel, "rp start", given)
        assert said.startswith(f"The story with {character} begins."), said
        (place,) = set(await self.store.places()) - before
        await self.quiet()
        return self.discord.world.channels[int(place.channel)]

    async def ask(
        self, channel: Channel, command: str, options: Mapping[str, Any] | None = None, by: User | None = None, **more: Any
    ) -> str:
        """What a command of the player's is answered with, once all of it is done."""
        return (await self.answer(channel, command, options, by, **more)).content

    async def answer(
        self, channel: Channel, command: str, options: Mapping[str, Any] | None = None, by: User | None = None, **more: Any
    ) -> Message:
        """The message that a command is answered with, once all of it is done. A word in passing is gone by then."""
        asked = await self.discord.slash(by or self.player, channel, command, options, **more)
        answer = await asked.wait_for_message()
        await self.quiet()
        return answer

    async def press(self, message: Message, custom_id: str) -> Interaction:
        """A button, once all that came of it is done."""
        asked = await self.discord.press(self.player, message, custom_id)
        await asked.wait_for_callback()
        await self.quiet()
        return asked

    async def post(self, channel: Channel, *contents: str, by: User | None = None) -> list[Message]:
        """The player writes these messages, and everything comes of them."""
        written = [await self.discord.post(by or self.player, channel, each) for each in contents]
        await self.quiet()
        return written

    # what stands

    async def session(self, channel: Channel) -> Session:
        session = await self.store.session_at(place_of(channel.id))
        assert session is not None
        return session

    async def turns(self, channel: Channel) -> tuple[Turn, ...]:
        """All turns of the story of a place."""
        return await self.store.turns((await self.session(channel)).id)

    async def told_in(self, channel: Channel) -> list[str]:
        """What the story of a place says, turn by turn."""
        return [turn.text for turn in await self.turns(channel)]

    def shown(self, channel: Channel) -> list[Message]:
        """The posts of characters that stand in a channel through webhooks, in order."""
        return [each for each in self.discord.messages(channel) if each.webhook_id in self._webhooks]

    def texts(self, channel: Channel) -> list[str]:
        """What stands in a channel, in order."""
        return [each.content for each in self.discord.messages(channel)]

    def said(self, channel: Channel) -> list[str]:
        """What the bot itself said in a channel, in order, without answers to commands."""
        own = [each for each in self.discord.messages(channel) if each.author.id == self.discord.bot_id]
        return [each.content for each in own if each.metadata is None and each.webhook_id is None]

    def dressed(self, channel: Channel) -> list[Message]:
        """The messages that have buttons."""
        return [each for each in self.discord.messages(channel) if each.components]

    @property
    def _webhooks(self) -> set[int]:
        ours = self.discord.application_id
        return {each.id for each in self.discord.world.webhooks.values() if each.application_id == ours}

    async def check(self, channel: Channel) -> None:
        """Whether what stands in a thread is what the store says, and the engine was told the same."""
        session, page = await self.session(channel), await self.store.page(place_of(channel.id), limit=1000)
        limits = await self.courier.limits(session.place)
        expected: list[int] = []
        for turn in page.turns:
            if turn.role is Role.CHARACTER:
                # What was cut short lost its last half sentence when its posts were cut already.
                if isinstance(self.engine, ScriptedEngine) and turn.variant.state is VariantState.WHOLE:
                    assert turn.posts == tuple(each.text for each in cut(turn.text, limits))
                assert _words(" ".join(turn.posts)) == _words(turn.text), f"{turn.posts!r} are not {turn.text!r}"
                expected += self._check_reply(channel, turn, page.shown)
            elif turn.sources:
                self._check_post(channel, turn)
        assert sorted(expected) == [each.id for each in self.shown(channel)], "no post stands that the story does not know"
        assert not session.last or not session.last.is_writing
        self._check_engine(session)

    def _check_reply(self, channel: Channel, turn: Turn, shown: Sequence[Shown]) -> list[int]:
        """Each post of a reply stands, in order, under the character's name, through our webhook of the channel."""
        posts = sorted((each.post.position, each) for each in shown if each.post.turn == turn.number and _is_told(each))
        standing = [channel.messages[ids_of(each.message)[1]] for _, each in posts]
        assert [each.content for each in standing] == [text.strip() for text in turn.posts]
        assert [each.author_name for each in standing] == [turn.name] * len(standing)
        homes = {self.discord.world.webhooks[each.webhook_id or 0].channel for each in standing}
        assert homes <= {channel.parent or channel}
        ids = [each.id for each in standing]
        assert ids == sorted(ids)
        return ids

    def _check_post(self, channel: Channel, turn: Turn) -> None:
        """What a player's turn was made of stands, and says what the story says."""
        standing = [channel.messages[int(each)].content for each in turn.sources if int(each) in channel.messages]
        assert "\n\n".join(standing) == turn.text

    def _check_engine(self, session: Session) -> None:
        """The engine has read the story as it stands."""
        warmed = [segments for warm, segments in self.engine.warms if warm == session.id]
        assert warmed[-1] == build(session, FORMAT).segments


def _words(text: str) -> str:
    """The letters of a text, whichever marks are closed and opened again at its cuts, and wherever these stand."""
    return "".join(text.replace("*", "").replace("_", "").split())


def _is_told(shown: Shown) -> bool:
    return shown.post.position is not None and shown.post.speaker.voice is Voice.CHARACTER


def _is_idle(watch: Any) -> bool:
    """Whether an ear waits for news and gathers nothing: what it waits in says so."""
    if watch.life.done():
        return True
    run = watch.life.get_coro().cr_await
    inner = getattr(run, "cr_await", None)
    waits = inner is not None and inner.cr_code.co_name == "_next"
    return waits and not watch.ear._queue and not watch.ear._gathering.ids


@cache
def document() -> Document | None:
    """Discord's own document, read once; None where it is not here."""
    return Document.load()


@asynccontextmanager
async def whole(
    folder: Path,
    replies: Replies = ('"Come in," she said.',),
    *,
    engine: Engine | None = None,
    reads_content: bool = True,
    speed: float = SPEED,
    **settings: Any,
) -> AsyncGenerator[Whole, None]:
    """The bot, started, with Mira in its library. In the end everything must have been as Discord has it."""
    watch = Watchful(document())
    async with watched(watch) as discord:
        discord.world.reads_content = reads_content
        guild, player, other = discord.add_guild("Harbour"), discord.add_user("Tobias"), discord.add_user("Aled")
        text, forum = discord.add_channel(guild, "tavern"), discord.add_channel(guild, "stories", "forum", tags=("open",))
        used = Settings(token=discord.token, shard_count=1, **{"join_seconds": 0.2, **settings})
        writes = engine or ScriptedEngine(replies, context=8192)
        dm = discord.add_dm(player)
        bot = Whole(discord, watch, folder, writes, used, FastClock(speed), guild, text, forum, player, other, dm)
        await bot.start()
        try:
            await bot.keep(MIRA)
            await bot.until(lambda: discord.world.commands[None])
            yield bot
        finally:
            await bot.close()


def place(channel: Channel) -> Place:
    """A channel as the bot calls it."""
    return place_of(channel.id)


__all__ = ["FORMAT", "GREETING", "Whole", "place", "whole"]
