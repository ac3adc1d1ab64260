"""What the ears themselves say to a place: one sentence or a sign, as well as they can. It decides nothing.

Nothing waits for it: a sentence that cannot be said is logged, and the next post is heard meanwhile.
"""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Protocol

import discord

from adapters.discord.line import Line
from adapters.discord.words import channel_of, event_of
from adapters.network.errors import NETWORK_ERRORS
from bot.errors import CourierError
from bot.ids import EventId, Place
from bot.ports.clock import Clock
from bot.posts import Fate

log = logging.getLogger(__name__)

REST = 60.0
"""Seconds that one request to Discord may take. The library itself waits five minutes."""

LONGEST = 1900
"""Characters of a sentence of ours, at most."""

SHORTLY = 0.25
"""Seconds between two looks whether there is a connection."""

PATIENCE = 240
"""How often it is looked, before a sentence is given up."""

UNHEARD = (
    "Discord does not let me read your posts here. Begin a post by mentioning me, or open the menu of a message that is to "
    'be a post, then "Apps" and "Take as post".'
)
SKIPPED = (
    "While I was away, posts were written here that I have not taken into the story: they were too many, or too long ago. "
    "Write again what shall count."
)


class Fates(Protocol):
    """Shows beside a player's post what became of it; a courier does."""

    async def tell_fate(self, place: Place, post: EventId, fate: Fate | None) -> None:
        """Never raises."""
        ...


@dataclass(slots=True)
class Telling:
    """Says sentences and shows signs, beside everything else that goes on."""

    clock: Clock
    line: Line
    fates: Fates
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def say(self, place: Place, sentence: str, about: int | None = None) -> None:
        """The bot says something, in answer to a message if one is named."""
        self._begin(self._said(place, sentence, about))

    def ignored(self, place: Place, message: int) -> None:
        """Show that a message is no part of the story."""
        self._begin(self._shown(place, message, Fate.IGNORED))

    def counted(self, place: Place, message: int) -> None:
        """Take that sign away again."""
        self._begin(self._shown(place, message, None))

    async def close(self) -> None:
        """What is not said by now is not said."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        # The loop itself keeps no task alive.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _said(self, place: Place, sentence: str, about: int | None) -> None:
        try:
            await self._wait_for_line()
            channel = self.line.client.get_partial_messageable(channel_of(place))
            async with asyncio.timeout(REST):
                await _send(channel, sentence[:LONGEST], about)
        except (discord.DiscordException, CourierError, RuntimeError, *NETWORK_ERRORS) as error:
            log.warning("a sentence could not be said: %s", type(error).__name__, extra={"action": "say", "place": place})

    async def _shown(self, place: Place, message: int, fate: Fate | None) -> None:
        await self._wait_for_line()
        await self.fates.tell_fate(place, event_of(message), fate)

    async def _wait_for_line(self) -> None:
        # What is told of missed messages is told before the connection counts as open.
        for _ in range(PATIENCE):
            if self.line.is_open:
                return
            await self.clock.sleep(SHORTLY)


async def _send(channel: discord.PartialMessageable, sentence: str, about: int | None) -> None:
    silent = discord.AllowedMentions.none()
    if about is None:
        await channel.send(sentence, allowed_mentions=silent)
        return
    answered = discord.MessageReference(message_id=about, channel_id=channel.id, fail_if_not_exists=False)
    await channel.send(sentence, reference=answered, allowed_mentions=silent)
