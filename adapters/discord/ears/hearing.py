"""The ears of the bot on Discord: which places hold a story, and what reaches the ear of each. Elsewhere it is deaf.

Rule 1: what Discord tells is put into a place's queue at once, without waiting for anything: only so its order is kept.
Rule 2: a READY means that messages may have been missed, on its shard; a RESUME means that none were.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import discord

from adapters.discord.ears.catching_up import Mark
from adapters.discord.ears.ear import Ear
from adapters.discord.ears.news import (
    Arrived,
    Asked,
    Behind,
    Changed,
    Closed,
    Lost,
    News,
    Receiver,
    Surroundings,
    Taken,
    Typing,
)
from adapters.discord.ears.telling import Fates, Telling
from adapters.discord.ears.translate import Listener, facts, first_id
from adapters.discord.line import Line
from adapters.discord.settings import Settings
from adapters.discord.words import DISCORD, author_of
from bot.errors import Refused
from bot.ids import AuthorId, Place
from bot.ports.clock import Clock
from bot.ports.store import Store

log = logging.getLogger(__name__)

HELD_UP = 5.0
"""Seconds that a command waits at most for what its giver wrote before it."""

NO_STORY = "No story is played here; begin one with /rp start."


@dataclass(frozen=True, slots=True)
class _Watch:
    """A place's ear, and its life."""

    ear: Ear
    life: asyncio.Task[None]


class Hearing:
    """Hears the places that hold a story, and tells the receiver of what is written there.

    `start` it before there is a connection; a client tells it of everything that Discord tells. `expect` is told where a post
    begins, which will be handed in when its writer pauses, and does not wait.
    """

    def __init__(  # noqa: PLR0913, PLR0917  each of these is a wall of its own
        self,
        settings: Settings,
        clock: Clock,
        store: Store,
        receiver: Receiver,
        line: Line,
        fates: Fates,
        expect: Callable[[Place], None] = lambda place: None,  # noqa: ARG005  nobody may want to know
    ) -> None:
        self._telling = Telling(clock, line, fates)
        self._around = Surroundings(settings, clock, store, receiver, line, self._telling, expect=expect)
        self._watches: dict[int, _Watch] = {}
        self._client: discord.AutoShardedClient | None = None

    @property
    def watched(self) -> AbstractSet[Place]:
        """The places that are heard."""
        return {watch.ear.place for watch in self._watches.values()}

    async def start(self) -> None:
        """Begin to hear the places that hold a story. Raises StoreUnavailable."""
        marks = await self._around.store.bookmarks(DISCORD)
        for place in await self._around.store.places():
            if place.platform == DISCORD:
                mark = Mark.read(marks.get(place.channel, "")) or await self._first_mark(place)
                self._listen(place, mark)

    async def watch(self, place: Place, mark: int) -> None:
        """A story begins in a place: hear it, from what was written after this message (or interaction) on.

        Raises StoreUnavailable.
        """
        await self._forget(place)
        began = Mark(mark, mark)
        await self._around.store.bookmark(place, began.text)
        self._listen(place, began)
        if self._client is not None and not self._client.is_closed():
            # What was written while the story was made.
            self._tell(int(place.channel), Behind(self._client))

    async def unwatch(self, place: Place) -> None:
        """The story of a place has ended: hear it no longer. Raises StoreUnavailable."""
        await self._forget(place)
        await self._around.store.bookmark(place, "")

    async def take(self, message: discord.Message) -> None:
        """Take a message in as a post because somebody asked for that, whoever wrote it and whenever.

        Raises Refused, with a sentence for whoever asked, and StoreUnavailable.
        """
        heard = facts(message, self._around.listener.user)
        if heard.channel not in self._watches:
            raise Refused(NO_STORY)
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tell(heard.channel, Taken(heard, answer))
        life = self._watches[heard.channel].life
        await asyncio.wait((answer, life), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise Refused(NO_STORY)
        answer.result()

    async def hand_in(self, place: Place, author: AuthorId) -> None:
        """Hand in what somebody wrote in a place so far: a command of theirs follows it, and must find it in the story.

        A place that is catching up may take long: the command is not held up for more than some seconds.
        """
        watch = self._watches.get(int(place.channel))
        if watch is None:
            return
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tell(int(place.channel), Asked(author, answer))
        await asyncio.wait((answer, watch.life), timeout=HELD_UP, return_when=asyncio.FIRST_COMPLETED)

    async def close(self) -> None:
        """Hear nothing any more. What is being gathered is not handed in: the next start finds it behind the bookmark."""
        lives = [watch.life for watch in self._watches.values()]
        for life in lives:
            life.cancel()
        await asyncio.gather(*lives, return_exceptions=True)
        await self._telling.close()

    def connected(self, client: discord.AutoShardedClient, shard: int) -> None:
        """A shard has a fresh session: what was written before it was told to nobody."""
        self._client, settings = client, self._around.settings
        user, application = client.user.id if client.user else 0, client.application_id or 0
        self._around.listener = Listener(user, application, client.intents.message_content, settings.knows_proxies)
        for channel, watch in self._watches.items():
            room = watch.ear.room
            # Where a place stands is known once it was heard: until then any shard may be the one.
            if room is None or shard_of(room.guild, client.shard_count or 1) == shard:
                self._tell(channel, Behind(client))

    def message(self, message: discord.Message) -> None:
        """Somebody wrote."""
        if message.channel.id in self._watches:
            self._tell(message.channel.id, Arrived(facts(message, self._around.listener.user), self._now))

    def edited(self, message: discord.Message) -> None:
        """A message was edited, or Discord added something to it."""
        if message.channel.id in self._watches:
            self._tell(message.channel.id, Changed(facts(message, self._around.listener.user), self._now))

    def deleted(self, channel: int, messages: Iterable[int]) -> None:
        """Messages are gone."""
        self._tell(channel, Lost(frozenset(messages), self._now))

    def typing(self, channel: int, user: int) -> None:
        """Somebody types."""
        self._tell(channel, Typing(author_of(user), self._now))

    def gone(self, channel: int) -> None:
        """A channel or thread is deleted or locked, and with a channel its threads."""
        for watched, watch in tuple(self._watches.items()):
            if channel == watched or (watch.ear.room and watch.ear.room.parent == channel):
                self._tell(watched, Closed())

    def left(self, guild: int) -> None:
        """The bot is no member of a guild any more."""
        for watched, watch in tuple(self._watches.items()):
            if watch.ear.room and watch.ear.room.guild == guild:
                self._tell(watched, Closed())

    @property
    def _now(self) -> float:
        return self._around.now

    def _tell(self, channel: int, news: News) -> None:
        if channel in self._watches:
            self._watches[channel].ear.tell(news)

    def _listen(self, place: Place, mark: Mark) -> None:
        ear = Ear(place, mark, self._around)
        life = asyncio.get_running_loop().create_task(self._live(ear), name=f"hearing {place.channel}")
        self._watches[int(place.channel)] = _Watch(ear, life)

    async def _live(self, ear: Ear) -> None:
        await ear.run()
        watch = self._watches.get(int(ear.place.channel))
        if watch is not None and watch.ear is ear:
            del self._watches[int(ear.place.channel)]
            await self._around.patiently(lambda: self._around.store.bookmark(ear.place, ""))

    async def _forget(self, place: Place) -> None:
        watch = self._watches.pop(int(place.channel), None)
        # A place that is gone is forgotten by its own ear, which must live to the end of that.
        if watch is not None and watch.life is not asyncio.current_task():
            watch.life.cancel()
            await asyncio.gather(watch.life, return_exceptions=True)

    async def _first_mark(self, place: Place) -> Mark:
        """Where to begin in a place whose story nobody told us of: behind its newest post, or now."""
        session = await self._around.store.session_at(place)
        sources = [source for turn in session.turns for source in turn.sources] if session else []
        newest = max((int(source) for source in sources if source.isdecimal()), default=first_id(self._now))
        log.info("a place has no bookmark; it is heard from its newest post on", extra={"action": "watch", "place": place})
        return Mark(newest, newest)


def shard_of(guild: int | None, shards: int) -> int:
    """The shard that tells of a guild; the first tells of direct messages."""
    return (guild >> 22) % shards if guild else 0
