"""Who asks for something, where, and by which event, as one value. It decides nothing about stories."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.matrix.heard import Happened
from adapters.matrix.rooms import Room
from adapters.matrix.words import author_of, called, event_of
from bot.ids import AuthorId, EventId, Place
from bot.posts import Command

DIRECT = 2
"""Who is in a room where two talk: somebody and the bot."""

SMALL = 3
"""So many, the bot among them, are in a room that one story may have for itself."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: `user` in a place of `room`, by `event`, at `at` (seconds since the epoch, by the homeserver)."""

    room: Room
    place: Place
    user: str
    event: EventId
    at: float = 0.0

    @property
    def author(self) -> AuthorId:
        """The person."""
        return author_of(self.user)

    @property
    def name(self) -> str:
        """What a story calls them, as long as they did not say otherwise."""
        return called(self.room.name_of(self.user))

    @property
    def is_moderator(self) -> bool:
        """Whether the room lets them decide for others. Where two talk, either decides."""
        return self.room.is_moderator(self.user) or is_direct(self.room)

    def command(self, name: str, values: Mapping[str, str | int], place: Place | None = None) -> Command:
        """What they ask for, in the place where they ask or in another one."""
        return Command(self.event, place or self.place, self.author, name, values, self.name, self.is_moderator)


def asker(room: Room, place: Place, heard: Happened) -> Asker:
    """Who did this, as somebody who asks."""
    return Asker(room, place, heard.sender, event_of(heard.event), heard.at)


def is_direct(room: Room) -> bool:
    """Whether somebody talks with the bot alone."""
    return len(room.members) <= DIRECT


def is_small(room: Room) -> bool:
    """Whether so few are in a room that a story may be played in its main timeline."""
    return len(room.members) <= SMALL
