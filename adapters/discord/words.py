"""What things of Discord are called inside: places, people, events and messages as opaque names, and back."""

import discord

from bot.cleaning import mended_name
from bot.errors import PostRefused
from bot.ids import AuthorId, ChannelKey, EventId, MessageId, Place, Platform

DISCORD = Platform("discord")
"""The platform of everything in this room."""

WRITTEN = frozenset({discord.MessageType.default, discord.MessageType.reply})
"""Messages that somebody wrote. All others are told by Discord itself: pins, joins, names that changed."""

PEOPLE = "discord:"
"""What an author's name begins with: names of people are the same in all stores and platforms of one program."""


def place_of(channel: int) -> Place:
    """The place of a channel, thread or direct message."""
    return Place(DISCORD, ChannelKey(str(channel)))


def channel_of(place: Place) -> int:
    """The channel, thread or direct message that a place is."""
    return int(place.channel)


def link_to(place: Place) -> str:
    """A link to a place, as it is written in a message of any other."""
    return f"<#{channel_of(place)}>"


def author_of(user: int) -> AuthorId:
    """A person."""
    return AuthorId(f"{PEOPLE}{user}")


def called(name: str) -> str:
    """What a story calls somebody of this name, which on Discord may hold what marks a speaker, or nothing to see."""
    return mended_name(name) or "Somebody"


def unknown_person(name: str) -> AuthorId:
    """Whoever stands behind a proxied name when nobody saw them write."""
    return AuthorId(f"{PEOPLE}proxy:{fold(name)}")


def fold(name: str) -> str:
    """A name as it is compared: without case and doubled spaces."""
    return " ".join(name.casefold().split())


def event_of(snowflake: int) -> EventId:
    """What came in as a message or an interaction."""
    return EventId(str(snowflake))


def own_message(message: int) -> MessageId:
    """A message that the bot posted as itself."""
    return MessageId(str(message))


def webhook_message(webhook: int, message: int) -> MessageId:
    """A message that the bot posted through a webhook: it can be changed through that one only."""
    return MessageId(f"{webhook}/{message}")


def ids_of(message: MessageId) -> tuple[int | None, int]:
    """The webhook (None: the bot itself) and the id of a message of ours. Raises PostRefused for what is none."""
    webhook, _, own = message.rpartition("/")
    try:
        return (int(webhook) if webhook else None), int(own)
    except ValueError:
        raise PostRefused(f"{message!r} is no message of Discord.") from None
