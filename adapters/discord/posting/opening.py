"""New places for stories: a post in a forum, a thread in a text channel. It knows no story but the title and text it is given.

Rule: a thread bears no nonce, so each one begins with a message that says whose it is, in small print. Before one is made for a
key that this run has not opened yet, the bot's own active threads are looked through for that print.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Literal

import discord
from discord.http import Route, handle_message_parameters

from adapters.discord.errors import THREAD_EXISTS, code_of, lack, translated
from adapters.discord.posting.own_posts import OwnPosts, Payload, nonce_of
from adapters.discord.posting.single_try import SingleTry
from adapters.discord.rooms import Kind, Room, Rooms
from bot.errors import ChannelGone, CourierError, OutcomeUnknown, PostRefused

LONGEST_TITLE = 100
LONGEST_TEXT = 2000
TITLE = "A story"
"""The title of a place that was given none."""

ARCHIVED_AFTER: Literal[10080] = 10080
"""Minutes of silence after which Discord archives a thread: a week, the longest there is. A post wakes it again."""

LOOKED_AT = 25
"""Threads of the same title whose beginning is read, the newest first."""

REMEMBERED = 1024


@dataclass(slots=True)
class Opening:
    """Opens places, each key once."""

    own: OwnPosts
    rooms: Rooms
    single: SingleTry
    _opened: OrderedDict[tuple[int, str], int] = field(default_factory=OrderedDict)

    async def open(self, near: int, title: str, key: str, body: str) -> int:
        """The thread for this key, beside a channel or thread. Raises the errors of a courier."""
        parent = await self._parent(near)
        name, mark = title_of(title), mark_of(key)
        opened = self._opened.get((parent.channel, key)) or await self._found(parent, name, mark)
        if opened is None:
            opened = await self._made(parent, name, mark, text_of(body, mark), key)
        self._opened[parent.channel, key] = opened
        while len(self._opened) > REMEMBERED:
            self._opened.popitem(last=False)
        return opened

    async def _parent(self, near: int) -> Room:
        room = await self.rooms.about(near)
        if room.kind is Kind.THREAD:
            if room.parent is None:
                raise ChannelGone("The thread's channel is gone.")
            room = await self.rooms.about(room.parent)
        if room.kind is Kind.DIRECT:
            raise PostRefused("A direct message holds one story only; play another one in a channel of a guild.")
        if room.kind not in {Kind.TEXT, Kind.FORUM}:
            raise PostRefused("No thread can be opened here; choose a text channel or a forum.")
        return room

    async def _made(self, parent: Room, name: str, mark: str, text: str, key: str) -> int:
        if parent.kind is Kind.TEXT:
            return await self._thread(parent, name, text, key)
        try:
            return await self._forum_post(parent, name, text)
        except OutcomeUnknown:
            found = await self._found(parent, name, mark)
            if found is None:
                raise
            return found

    async def _forum_post(self, forum: Room, name: str, text: str) -> int:
        if forum.needs_tag and not forum.tags:
            raise PostRefused("A post in this forum needs a tag that only moderators give; ask one to allow another tag.")
        thread: dict[str, Any] = {"name": name, "auto_archive_duration": ARCHIVED_AFTER}
        if forum.needs_tag:
            thread["applied_tags"] = [str(tag) for tag in forum.tags[:1]]
        params = handle_message_parameters(
            content=text, allowed_mentions=discord.AllowedMentions.none(), channel_payload=thread
        )
        route = Route("POST", "/channels/{channel_id}/threads", channel_id=forum.channel)
        async with translated(self.rooms.attempt(forum, "open a post", "view_channel", "send_messages")):
            made = await self.single.ask(self.own.line.client, route, params.payload or {}, {"use_nested_fields": 1})
        return int(made["id"])

    async def _thread(self, channel: Room, name: str, text: str, key: str) -> int:
        """A thread on a message of the bot. It has its message's id, and a message has one only: repeating it does no harm."""
        needs = ("view_channel", "send_messages", "create_public_threads")
        if lacking := self.rooms.lacking(channel.channel, needs):
            raise lack("open a thread", lacking)
        starter = await self.own.post(channel, text, nonce_of(str(channel.channel), "thread", key))
        try:
            async with translated(self.rooms.attempt(channel, "open a thread", *needs)):
                await self.own.line.client.http.start_thread_with_message(
                    channel.channel, starter, name=name, auto_archive_duration=ARCHIVED_AFTER
                )
        except CourierError as error:
            if code_of(error) != THREAD_EXISTS:
                raise
        return starter

    async def _found(self, parent: Room, name: str, mark: str) -> int | None:
        """The thread that was opened for this mark by an earlier call."""
        if parent.guild is None:
            return None
        async with translated(self.rooms.attempt(parent, "list the threads", changes=False)):
            active = await self.own.line.client.http.get_active_threads(parent.guild)
        bot = str(self.own.bot)
        ours = [
            int(each["id"])
            for each in active["threads"]
            if str(each["parent_id"]) == str(parent.channel) and str(each["owner_id"]) == bot and each["name"] == name
        ]
        for thread in sorted(ours, reverse=True)[:LOOKED_AT]:
            if mark in str((await self._beginning(parent, thread)).get("content", "")).splitlines()[-1:]:
                return thread
        return None

    async def _beginning(self, parent: Room, thread: int) -> Payload:
        """The message that a thread began with: it has the thread's id, and stands in the forum post or in the text channel."""
        try:
            return await self.own.message(thread if parent.kind is Kind.FORUM else parent.channel, thread)
        except (PostRefused, ChannelGone):
            return {}


def title_of(title: str) -> str:
    """The title as Discord takes it: one line of 1 to 100 characters."""
    return " ".join(title.split())[:LONGEST_TITLE].strip() or TITLE


def mark_of(key: str) -> str:
    """The small print of a place's first message, by which it is found again."""
    return f"-# story {hashlib.sha256(key.encode()).hexdigest()[:10]}"


def text_of(body: str, mark: str) -> str:
    """A place's first message: the text, cut where it is too long, and the small print below it."""
    room = LONGEST_TEXT - len(mark) - 1
    text = body.strip()
    shown = text if len(text) <= room else f"{text[: room - 1].rstrip()}…"
    return f"{shown}\n{mark}" if shown else mark
