"""The loopback Discord's state: its clock, its ids, everything that stands, and who hears of a change. It knows no protocol."""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from tests.fakes.discord import refusals
from tests.fakes.discord.permissions import Permission, in_channel
from tests.fakes.discord.records import (
    Attachment,
    Channel,
    Emoji,
    Guild,
    Json,
    Message,
    User,
    Webhook,
)

if TYPE_CHECKING:
    from tests.fakes.discord.interactions import Interaction

EPOCH_MS = 1_420_070_400_000
MENTION = re.compile(r"<@!?(\d+)>")


class Clock:
    """Real time, plus what a test lets pass. Interactions run out on `moved` alone, so that a slow machine breaks no rule."""

    def __init__(self) -> None:
        self.moved = 0.0

    def now(self) -> float:
        return time.time() + self.moved

    def move(self, seconds: float) -> None:
        """Let this many seconds pass at once."""
        self.moved += seconds


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the gateway tells. `message` is the message whose text it carries, which not every session may read."""

    name: str
    data: Json
    guild: Guild | None = None
    channel: Channel | None = None
    message: Message | None = None


class World:
    """Everything that stands. `emit` hands an event to the gateway; `touch` wakes whoever waits for a condition."""

    def __init__(self, name: str) -> None:
        self.clock = Clock()
        self._last_id = 0
        self._born_ms = int(time.time() * 1000) - 10_000_000
        self.application_id = self.new_id()
        self.bot = User(self.new_id(), name, is_bot=True)
        self.owner = User(self.new_id(), "operator")
        self.token = f"{self.bot.id}.{token_urlsafe(32)}"
        self.reads_content = True
        self.reads_members = False
        self.reads_presences = False
        self.shards = 1
        self.users: dict[int, User] = {self.bot.id: self.bot, self.owner.id: self.owner}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.webhooks: dict[int, Webhook] = {}
        self.emojis: dict[int, Emoji] = {}
        self.attachments: dict[str, Attachment] = {}
        self.interactions: dict[str, Interaction] = {}
        self.nonces: list[Message] = []
        self.commands: dict[int | None, list[Json]] = {None: []}
        self.listeners: list[Callable[[Event], None]] = []
        self._waiters: list[asyncio.Future[None]] = []

    def new_id(self) -> int:
        """A snowflake later than any before it."""
        self._last_id = max((int(self.clock.now() * 1000) - EPOCH_MS) << 22, self._last_id + 1)
        return self._last_id

    def new_guild_id(self) -> int:
        """Ids a millisecond apart, so that guilds are dealt out over shards one after the other."""
        return (self._born_ms - EPOCH_MS + len(self.guilds)) << 22

    def emit(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)
        self.touch()

    def touch(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait_until(self, condition: Callable[[], object], seconds: float) -> None:
        """Come back once the condition holds; it is tried after every change. Raises TimeoutError after these seconds."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._waiters.append(asyncio.get_running_loop().create_future())
                await self._waiters[-1]

    def channel(self, id_: int) -> Channel:
        """The channel of this id as the bot reaches it. Raises Refusal where it is gone or out of the bot's sight."""
        channel = self.channels.get(id_)
        if channel is None:
            raise refusals.unknown("Channel")
        if Permission.VIEW_CHANNEL not in in_channel(self.bot.id, channel):
            raise refusals.no_access()
        return channel

    def guild(self, id_: int) -> Guild:
        """The guild of this id. Raises Refusal where the bot is in no such guild."""
        guild = self.guilds.get(id_)
        if guild is None:
            raise refusals.unknown("Guild")
        return guild

    def message(self, channel: Channel, id_: int) -> Message:
        """A message that stands in this channel. Raises Refusal where there is none."""
        message = channel.messages.get(id_)
        if message is None:
            raise refusals.unknown("Message")
        return message

    def user(self, id_: int) -> User:
        """The user of this id. Raises Refusal for nobody's id."""
        user = self.users.get(id_)
        if user is None:
            raise refusals.unknown("User")
        return user

    def require(self, channel: Channel, *permissions: Permission) -> None:
        """Raises Refusal where the bot lacks one of these in the channel."""
        allowed = in_channel(self.bot.id, channel)
        if any(each not in allowed for each in permissions):
            raise refusals.no_permission()

    def threads(self, parent: Channel | None = None, guild: Guild | None = None) -> list[Channel]:
        """The threads of a channel or a guild, or all, the oldest first."""
        return [
            each
            for each in self.channels.values()
            if each.is_thread and (parent is None or each.parent is parent) and (guild is None or each.guild is guild)
        ]

    def mentioned(self, content: str) -> tuple[User, ...]:
        found = dict.fromkeys(int(each) for each in MENTION.findall(content))
        return tuple(self.users[each] for each in found if each in self.users)
