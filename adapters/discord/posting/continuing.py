"""Where a reply goes on when others have posted between two of its posts: one short line of the bot says it, with a link.

It asks Discord only where the gateway said that something was posted in between: a reply in a quiet thread costs no call.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from discord.utils import escape_markdown

from adapters.discord.errors import UNKNOWN_MESSAGE, code_of
from adapters.discord.posting.names import webhook_name
from adapters.discord.posting.own_posts import OwnPosts, Payload, nonce_of
from adapters.discord.rooms import Room
from adapters.discord.words import ids_of
from bot.errors import PostRefused
from bot.ids import Place
from bot.ports.store import Shown
from bot.posts import OutboundPost, Speaker

LOOKED_AT = 10
"""Messages after the reply's last post that are looked at: some of them may be signs of the bot that will go away."""

READ = frozenset({0, 19, 20})
"""Discord's types of messages that people read: posts, replies, and answers to commands. The others are its own notes."""

REMEMBERED = 1024


def said(speaker: Speaker, link: str) -> str:
    """The line before the post that goes on."""
    return f"-# ↪ {escape_markdown(webhook_name(speaker.name))} goes on here (from {link})"


def between(messages: Sequence[Payload], ours: frozenset[int]) -> bool:
    """Whether any of these messages is one that people read and that is not among ours."""
    return any(each["type"] in READ and int(each["id"]) not in ours for each in messages)


@dataclass(slots=True)
class Continuing:
    """Notes what was posted last in each channel, and says where replies go on."""

    own: OwnPosts
    shown: Callable[[Place, int], Awaitable[Sequence[Shown]]]
    sign_in: Callable[[int], int | None]
    _newest: OrderedDict[int, int] = field(default_factory=OrderedDict)
    _said: OrderedDict[str, int] = field(default_factory=OrderedDict)

    def saw(self, channel: int, message: int) -> None:
        """This message stands in the channel."""
        self._newest[channel] = max(message, self._newest.get(channel, 0))
        self._newest.move_to_end(channel)
        while len(self._newest) > REMEMBERED:
            self._newest.popitem(last=False)

    async def say(self, room: Room, post: OutboundPost) -> int | None:
        """Say where the post's reply goes on, if something was posted after the part before it; the message that says it.

        The same post says it once.
        """
        nonce = nonce_of(str(room.channel), "goes on", post.key)
        if not post.position or nonce in self._said:
            return self._said.get(nonce)
        before = await self._before(post)
        if before is None or self._newest.get(room.channel, 0) <= before:
            return None
        ours = frozenset(self._said.values()) | {self.sign_in(room.channel) or 0}
        if not between(await self.own.after(room, before, LOOKED_AT), ours):
            return None
        return await self._say(room, post, before, nonce)

    async def _say(self, room: Room, post: OutboundPost, before: int, nonce: str) -> int | None:
        link = f"https://discord.com/channels/{room.guild or '@me'}/{room.channel}/{before}"
        try:
            self._said[nonce] = await self.own.post(room, said(post.speaker, link), nonce)
        except PostRefused as refused:
            # Said before, and taken away by somebody since: Discord does not post a nonce's message again.
            if code_of(refused) != UNKNOWN_MESSAGE:
                raise
        while len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        return self._said.get(nonce)

    async def _before(self, post: OutboundPost) -> int | None:
        """The message before this post in its reply."""
        stand = {each.post.position: each.message for each in await self.shown(post.place, post.turn)}
        earlier = [position for position in stand if position is not None and position < (post.position or 0)]
        return ids_of(stand[max(earlier)])[1] if earlier else None
