"""The posts that stand in a place already, as a story can be made of them: who wrote what. It begins no story."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass

from adapters.matrix.commands.asking import Asker
from adapters.matrix.commands.line import command_in
from adapters.matrix.commands.walls import Found, Reads, Sealed
from adapters.matrix.commands.wording import words
from adapters.matrix.heard import Said
from adapters.matrix.line import Line
from adapters.matrix.rooms import Room
from adapters.matrix.words import author_of, called, event_of
from bot.errors import Refused
from bot.ids import Place
from bot.posts import OldPost

MOST = 2_000
"""So many of the newest messages are read."""

PATIENCE = 240.0
"""Seconds for reading them, a hundred at a time."""

AFTER_JOINING = frozenset({"joined", "invited"})
"""Rules under which whoever comes in does not see what was written before."""

TOO_SLOW = "The homeserver did not hand over the posts in time; try again later."
UNREAD = " {count} of the messages here are encrypted with keys that I was not given; they are not in it."


@dataclass(frozen=True, slots=True)
class Standing:
    """The posts of a place, oldest first, and how many more there are that cannot be decrypted."""

    posts: tuple[OldPost, ...]
    unread: int

    @property
    def sentence(self) -> str:
        """What is to be said of those."""
        return UNREAD.format(count=self.unread) if self.unread else ""


@dataclass(frozen=True, slots=True)
class OldPosts:
    """Reads the posts of places. `prefix` is how commands begin: they are no posts."""

    past: Reads
    line: Line
    prefix: str

    async def read(self, asker: Asker, place: Place, character: str) -> Standing:
        """What stands in a place and whoever asks may see themselves. Raises Refused, and the errors of a courier."""
        since = _seen_since(asker.room, asker.user)
        try:
            async with asyncio.timeout(PATIENCE):
                found = await _newest(self.past.of(place))
        except TimeoutError:
            raise Refused(TOO_SLOW) from None
        seen = [each for each in reversed(found) if each.at >= since]
        eyes = Eyes(self.line.client.user_id, character, self.prefix)
        posts = old_posts((each for each in seen if isinstance(each, Said)), asker.room, eyes)
        return Standing(posts, sum(isinstance(each, Sealed) for each in seen))


@dataclass(frozen=True, slots=True)
class Eyes:
    """Whose posts are the character's: the bot's under any name of its own, and anybody's under the character's."""

    me: str
    character: str
    prefix: str


def old_posts(messages: Iterable[Said], room: Room, eyes: Eyes) -> tuple[OldPost, ...]:
    """The posts among messages, in their order, without notices, commands, and what has no text."""
    posts = (_old_post(each, room.name_of, eyes) for each in messages)
    return tuple(post for post in posts if post is not None)


def _old_post(said: Said, name_of: Callable[[str], str], eyes: Eyes) -> OldPost | None:
    text = words(said)
    if said.is_notice or not text.strip() or command_in(said.text, eyes.prefix) is not None:
        return None
    if said.sender == eyes.me and not said.as_name:
        return None
    is_characters = said.sender == eyes.me or said.as_name.casefold() == eyes.character.casefold()
    author = None if is_characters else author_of(said.sender)
    return OldPost(event_of(said.event), author, called(said.as_name or name_of(said.sender)), text)


def _seen_since(room: Room, user: str) -> float:
    """Since when somebody sees what is written in a room, in seconds since the epoch: an adopted story can be taken home."""
    if room.history not in AFTER_JOINING:
        return 0.0
    member = room.members.get(user)
    return member.since if member else float("inf")


async def _newest(messages: AsyncIterator[Found]) -> list[Found]:
    found: list[Found] = []
    async for each in messages:
        found.append(each)
        if len(found) >= MOST:
            break
    return found
