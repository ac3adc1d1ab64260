"""What the commands need of their neighbours: the courier, the ears, the desk where posts are adopted. It does nothing."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

import discord

from bot.flow.desk import Answer
from bot.ids import AuthorId, MessageId, Place
from bot.posts import ChannelLimits, Command, OldPost


class Opens(Protocol):
    """The courier, as far as the commands need it. Its calls raise CourierError and nothing else."""

    async def limits(self, place: Place) -> ChannelLimits:
        """What a place accepts."""
        ...

    async def open_with(self, near: Place, title: str, key: str, body: str) -> Place:
        """A thread for a story of its own: a forum's post, or a text channel's thread; any other place is the place itself.

        The same key opens the same thread. Raises PostRefused, with a sentence for the player.
        """
        ...


class Dresses(Protocol):
    """Whatever can change the buttons below one of our posts."""

    async def dress(self, place: Place, message: MessageId, view: discord.ui.View | None) -> None:
        """Have these buttons below a post and nothing else changed; None: no buttons. Raises CourierError."""
        ...


class Hears(Protocol):
    """The ears: they listen where a story is played. All may raise StoreUnavailable."""

    @property
    def watched(self) -> AbstractSet[Place]:
        """Where they listen."""
        ...

    async def watch(self, place: Place, mark: int) -> None:
        """A story begins in a place: listen there, to what comes after the message or interaction `mark`."""
        ...

    async def unwatch(self, place: Place) -> None:
        """The story of a place has ended: listen there no longer."""
        ...

    async def hand_in(self, place: Place, author: AuthorId) -> None:
        """Hand in what somebody wrote there so far: a command of theirs follows it."""
        ...

    async def take(self, message: discord.Message) -> None:
        """Take a message in as its author's post, whatever it is. Raises Refused and StoreUnavailable."""
        ...


class Adopts(Protocol):
    """The desk, where posts that stand in a place become the story there."""

    async def adopt(self, command: Command, posts: Sequence[OldPost]) -> Answer:
        """Begin a story with these posts. Raises Refused and StoreUnavailable."""
        ...
