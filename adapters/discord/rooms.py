"""What a channel is, and what may be done in it: fetched, kept for a minute, never taken from a cache alone. It posts nothing.

The trap avoided: a thread does not say whether it is age-restricted, its parent does, and discord.py answers from its cache,
where a parent may be missing or old. What cannot be found out is not age-restricted.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import discord

from adapters.discord.errors import Attempt, translated
from adapters.discord.line import Line
from adapters.discord.settings import Settings
from bot.errors import ChannelGone, PostRefused, TryLater
from bot.ports.clock import Clock

KEPT = 60.0
"""Seconds for which an answer holds."""

THREAD_KEPT = 600.0
"""The same for a thread: its parent never changes, and who may come in is asked of that. Its lock shows when it refuses."""

REMEMBERED = 4096
"""Answers that are kept at most."""

GUILD_IS_AGE_RESTRICTED = 3
TAG_REQUIRED = 1 << 4
FORGOTTEN_MEANWHILE = 3
"""Times that a question is asked anew because its answer was declared old while it was on its way."""

Payload = Mapping[str, Any]


class Kind(StrEnum):
    """What can be done with a channel: post in it, open posts in it, or both in threads of it."""

    TEXT = "text"
    FORUM = "forum"
    THREAD = "thread"
    DIRECT = "direct message"
    OTHER = "other"


KINDS = {
    0: Kind.TEXT,
    1: Kind.DIRECT,
    2: Kind.TEXT,
    3: Kind.DIRECT,
    5: Kind.TEXT,
    10: Kind.THREAD,
    11: Kind.THREAD,
    12: Kind.THREAD,
    13: Kind.TEXT,
    15: Kind.FORUM,
    16: Kind.FORUM,
}
"""Discord's types of channels: the text beside a voice channel is text too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One channel, thread or direct message.

    `tags` are those that anybody may give to a post of this forum; `needs_tag` says that a post must have one.
    """

    channel: int
    kind: Kind
    name: str = ""
    guild: int | None = None
    parent: int | None = None
    parent_kind: Kind = Kind.OTHER
    adults_only: bool = False
    archived: bool = False
    locked: bool = False
    needs_tag: bool = False
    tags: tuple[int, ...] = ()

    @property
    def webhooks_in(self) -> int | None:
        """The channel whose webhooks can post here; None where none can."""
        return {Kind.TEXT: self.channel, Kind.THREAD: self.parent}.get(self.kind)

    @property
    def thread(self) -> int | None:
        """The thread that a webhook of the parent must name to post here."""
        return self.channel if self.kind is Kind.THREAD else None

    @property
    def to_post(self) -> tuple[str, ...]:
        """The permissions that posting takes here."""
        return ("view_channel", "send_messages_in_threads" if self.kind is Kind.THREAD else "send_messages")


def room_of(channel: Payload, parent: Payload | None, guild: Payload | None, *, adult_direct: bool = False) -> Room:
    """What Discord's answers say. `parent` and `guild` None: not known, and then nothing is taken to be for adults."""
    kind = KINDS.get(channel["type"], Kind.OTHER)
    state: Payload = channel.get("thread_metadata") or {}
    return Room(
        channel=int(channel["id"]),
        kind=kind,
        name=channel.get("name") or "",
        guild=_id(channel.get("guild_id")),
        parent=_id(channel.get("parent_id")) if kind is Kind.THREAD else None,
        parent_kind=KINDS.get(parent["type"], Kind.OTHER) if parent else Kind.OTHER,
        adults_only=adults_only(channel, parent, guild, adult_direct=adult_direct),
        archived=bool(state.get("archived")),
        locked=bool(state.get("locked")),
        needs_tag=bool(channel.get("flags", 0) & TAG_REQUIRED),
        tags=tuple(int(tag["id"]) for tag in channel.get("available_tags") or () if not tag.get("moderated")),
    )


def adults_only(channel: Payload, parent: Payload | None, guild: Payload | None, *, adult_direct: bool) -> bool:
    """Whether Discord lets adults only in here, as far as its answers say."""
    kind = KINDS.get(channel["type"], Kind.OTHER)
    if kind is Kind.DIRECT:
        return adult_direct
    if guild is not None and guild.get("nsfw_level") == GUILD_IS_AGE_RESTRICTED:
        return True
    # A thread's own flag means nothing: Discord asks the parent.
    asked = parent if kind is Kind.THREAD else channel
    return asked is not None and asked.get("nsfw") is True


@dataclass(slots=True, eq=False)
class _Answer:
    """One answer, and the lock that lets only one fetch it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    payload: Payload | None = None
    at: float = 0.0


@dataclass(slots=True)
class Rooms:
    """Looks channels up."""

    line: Line
    settings: Settings
    clock: Clock
    _answers: dict[int, _Answer] = field(default_factory=dict)

    async def about(self, channel: int) -> Room:
        """What this channel is. Raises ChannelGone, TryLater, and PostRefused where the bot may not look at it."""
        found = await self._kept(channel, self._channel)
        thread = KINDS.get(found["type"]) is Kind.THREAD
        parent = await self._known(found.get("parent_id"), self._channel) if thread else None
        guild = await self._known(found.get("guild_id"), self._guild)
        return room_of(found, parent, guild, adult_direct=self.settings.adult_direct_messages)

    def forget(self, snowflake: int) -> None:
        """A channel, thread or guild has changed: what was answered about it is old, also what is on its way."""
        self._answers.pop(snowflake, None)

    def lacking(self, channel: int, needs: Sequence[str]) -> tuple[str, ...]:
        """Those of the permissions, by Discord's names in small letters, that the bot lacks in a channel.

        As far as the gateway told: this is for a clear sentence, not for a decision. Where nothing is known, none.
        """
        client = self.line.client if self.line.is_open else None
        known = client.get_channel(channel) if client else None
        if client is None or client.user is None or not isinstance(known, discord.abc.GuildChannel | discord.Thread):
            return ()
        me = known.guild.get_member(client.user.id)
        try:
            held = known.permissions_for(me) if me else discord.Permissions.all()
        except discord.ClientException:  # a thread whose parent is not known
            return ()
        return tuple(each for each in needs if not getattr(held, each))

    def attempt(self, room: Room | int, act: str, *needs: str, changes: bool = True) -> Attempt:
        """An attempt in a channel, which can name the permissions that the bot lacks there."""
        channel = room if isinstance(room, int) else room.channel
        return Attempt(act=act, needs=needs, changes=changes, lacking=lambda: self.lacking(channel, needs))

    async def _known(self, snowflake: object, fetch: Callable[[int], Awaitable[Payload]]) -> Payload | None:
        """What Discord answers, or None where it will not say. That it cannot say now is no answer: raises TryLater."""
        if (wanted := _id(snowflake)) is None:
            return None
        try:
            return await self._kept(wanted, fetch)
        except (ChannelGone, PostRefused):
            return None

    async def _kept(self, snowflake: int, fetch: Callable[[int], Awaitable[Payload]]) -> Payload:
        for _ in range(FORGOTTEN_MEANWHILE):
            answer = self._answers.setdefault(snowflake, _Answer())
            async with answer.lock:
                if answer.payload is None or answer.at + _kept_for(answer.payload) <= self.clock.ticks():
                    answer.payload = None
                    asked = self.clock.ticks()
                    answer.payload, answer.at = await fetch(snowflake), asked
                payload = answer.payload
            if self._answers.get(snowflake) is answer:
                self._make_room()
                return payload
        raise TryLater(1.0)

    def _make_room(self) -> None:
        while len(self._answers) > REMEMBERED:
            del self._answers[next(iter(self._answers))]

    async def _channel(self, channel: int) -> Payload:
        async with translated(self.attempt(channel, "look at this channel", "view_channel", changes=False)):
            return await self.line.client.http.get_channel(channel)

    async def _guild(self, guild: int) -> Payload:
        async with translated(Attempt(act="look at this guild", changes=False)):
            return await self.line.client.http.get_guild(guild, with_counts=False)


def _kept_for(payload: Payload) -> float:
    return THREAD_KEPT if KINDS.get(payload.get("type", -1)) is Kind.THREAD else KEPT


def _id(snowflake: object) -> int | None:
    return int(str(snowflake)) if snowflake else None
