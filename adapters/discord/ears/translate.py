"""What a message of Discord is to a story: a player's post, a proxy's copy of one, or nothing, and why. Pure."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

import discord

from adapters.discord.words import WRITTEN

PROXIES = frozenset({466378653216014359, 431544605209788416})
"""The applications of PluralKit and Tupperbox: what their webhooks post is a person's own words under another name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A message as it came in, as plain facts. `attachments` counts files and stickers; `edited`: seconds since the epoch."""

    id: int
    channel: int
    author: int
    author_name: str
    content: str
    guild: int | None = None
    parent: int | None = None
    is_bot: bool = False
    webhook: int | None = None
    application: int | None = None
    attachments: int = 0
    mentions_us: bool = False
    is_ordinary: bool = True
    reply_to: int | None = None
    edited: float | None = None

    @property
    def sent(self) -> float:
        """When Discord took it, in seconds since the epoch."""
        return sent_at(self.id)


class Why(StrEnum):
    """Why a message is no post."""

    OURS = "our own"
    BOT = "another bot's"
    SYSTEM = "told by Discord itself"
    WORDLESS = "without words"
    UNHEARD = "without the words, which Discord keeps from us"


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens: our user, our application, and whether Discord lets us read what is not said to us."""

    user: int
    application: int
    hears_everything: bool = True
    knows_proxies: bool = True


@dataclass(frozen=True, slots=True)
class Said:
    """A person's words."""

    heard: Heard


@dataclass(frozen=True, slots=True)
class Proxied:
    """A person's words, posted again by a proxy under the name of a character."""

    heard: Heard


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing for a story."""

    why: Why


def facts(message: discord.Message, me: int) -> Heard:
    """What of a message matters here. Its author's name is the one that its guild knows, else the one they chose for all."""
    channel, reference = message.channel, message.reference
    return Heard(
        id=message.id,
        channel=channel.id,
        author=message.author.id,
        author_name=message.author.display_name,
        content=message.content,
        guild=message.guild.id if message.guild else None,
        parent=channel.parent_id if isinstance(channel, discord.Thread) else None,
        is_bot=message.author.bot,
        webhook=message.webhook_id,
        application=message.application_id,
        attachments=len(message.attachments) + len(message.stickers),
        mentions_us=any(user.id == me for user in message.mentions),
        is_ordinary=message.type in WRITTEN,
        reply_to=reference.message_id if reference else None,
        edited=message.edited_at.timestamp() if message.edited_at else None,
    )


def understood(heard: Heard, listener: Listener) -> Said | Proxied | Ignored:
    """What a message in a place with a story is. What begins by calling us loses the call."""
    if heard.author == listener.user or heard.application == listener.application:
        return Ignored(Why.OURS)
    is_proxied = listener.knows_proxies and heard.webhook is not None and heard.application in PROXIES
    if not is_proxied and (heard.is_bot or heard.webhook is not None):
        return Ignored(Why.BOT)
    if not heard.is_ordinary:
        return Ignored(Why.SYSTEM)
    content = without_call(heard.content, listener.user)
    if content:
        return (Proxied if is_proxied else Said)(replace(heard, content=content))
    # In direct messages and where we are called, Discord lets everybody read.
    may_read = listener.hears_everything or heard.guild is None or heard.mentions_us
    return Ignored(Why.WORDLESS if may_read or heard.attachments else Why.UNHEARD)


def without_call(content: str, user: int) -> str:
    """A text without the mention of a user that it begins with, and without the space around it."""
    return re.sub(rf"^\s*<@!?{user}>[\s,:]*", "", content).strip()


def sent_at(snowflake: int) -> float:
    """When Discord made this id, in seconds since the epoch."""
    return ((snowflake >> 22) + discord.utils.DISCORD_EPOCH) / 1000


def first_id(moment: float) -> int:
    """The least id that Discord can have made at this moment (seconds since the epoch), or 0 before there was Discord."""
    return max(0, int(moment * 1000) - discord.utils.DISCORD_EPOCH) << 22
