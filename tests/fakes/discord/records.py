"""What stands in the loopback Discord: users, guilds, channels, messages, webhooks. Plain records without rules."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

Json = dict[str, Any]
LOADING, EPHEMERAL, HAS_THREAD = 1 << 7, 1 << 6, 1 << 5
REQUIRES_TAG = 1 << 4


class Kind(IntEnum):
    """The kinds of channels, by Discord's numbers."""

    TEXT = 0
    DM = 1
    ANNOUNCEMENT = 5
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12
    FORUM = 15


class Type(IntEnum):
    """The kinds of messages, by Discord's numbers. What people and bots write is DEFAULT, REPLY or of a command."""

    DEFAULT = 0
    RENAMED = 4
    THREAD_CREATED = 18
    REPLY = 19
    SLASH = 20
    THREAD_STARTER = 21
    CONTEXT_MENU = 23


WRITTEN = (Type.DEFAULT, Type.REPLY, Type.SLASH, Type.CONTEXT_MENU)


@dataclass(slots=True, eq=False)
class User:
    id: int
    name: str
    is_bot: bool = False
    avatar: str | None = None
    discriminator: str = "0"
    accepts_dms: bool = True


@dataclass(slots=True, eq=False)
class Role:
    id: int
    name: str
    permissions: int
    position: int = 0
    bot_id: int | None = None


@dataclass(slots=True, eq=False)
class Guild:
    """`members` has the ids of each member's roles; everyone's own role, whose id is the guild's, is in nobody's list."""

    id: int
    name: str
    owner_id: int
    nsfw_level: int = 0
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, tuple[int, ...]] = field(default_factory=dict)
    is_available: bool = True


@dataclass(frozen=True, slots=True)
class Overwrite:
    """`kind` is 0 for a role and 1 for a member."""

    kind: int
    allow: int
    deny: int


class Change(NamedTuple):
    """One entry of a channel's history: `kind` is create, edit or delete; `content` as it stood after (before a delete)."""

    kind: str
    id: int
    content: str
    time: float


@dataclass(slots=True, eq=False)
class Attachment:
    id: int
    filename: str
    data: bytes
    path: str
    content_type: str
    description: str | None = None
    ephemeral: bool = False


@dataclass(slots=True, eq=False)
class Channel:
    """A channel of any kind. The fields from `owner_id` on matter for threads alone; `messages` are those that stand."""

    id: int
    kind: Kind
    name: str = ""
    guild: Guild | None = None
    parent: "Channel | None" = None
    nsfw: bool = False
    topic: str | None = None
    flags: int = 0
    tags: dict[str, int] = field(default_factory=dict)
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    recipients: tuple[User, ...] = ()
    messages: "dict[int, Message]" = field(default_factory=dict)
    history: list[Change] = field(default_factory=list)
    last_message_id: int | None = None
    is_deleted: bool = False
    owner_id: int = 0
    archived: bool = False
    locked: bool = False
    archive_time: float = 0.0
    archive_minutes: int = 4320
    created: float = 0.0
    sent: int = 0
    applied_tags: tuple[int, ...] = ()
    thread_members: set[int] = field(default_factory=set)

    @property
    def is_thread(self) -> bool:
        return self.kind in (Kind.PUBLIC_THREAD, Kind.PRIVATE_THREAD)


@dataclass(slots=True, eq=False)
class Message:
    """A message as it stands. `reference` is Discord's message_reference; `metadata` its interaction_metadata.

    `avatar_url` is what a webhook was asked to show, whether or not it could be loaded (then `author.avatar` is None).
    """

    id: int
    channel: Channel
    author: User
    content: str = ""
    type: Type = Type.DEFAULT
    created: float = 0.0
    edited: float | None = None
    nonce: str | int | None = None
    webhook_id: int | None = None
    application_id: int | None = None
    avatar_url: str | None = None
    flags: int = 0
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    reactions: dict[str, list[int]] = field(default_factory=dict)
    mentions: tuple[User, ...] = ()
    mentions_everyone: bool = False
    reference: Json | None = None
    referenced: "Message | None" = None
    metadata: Json | None = None
    thread: Channel | None = None
    is_deleted: bool = False

    @property
    def author_name(self) -> str:
        return self.author.name

    @property
    def ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL)

    @property
    def is_loading(self) -> bool:
        """Whether it still says that the application is thinking."""
        return bool(self.flags & LOADING)

    @property
    def files(self) -> dict[str, bytes]:
        return {each.filename: each.data for each in self.attachments}

    @property
    def custom_ids(self) -> tuple[str, ...]:
        """The custom ids of all its components, in order."""
        return tuple(each["custom_id"] for each in parts(self.components) if "custom_id" in each)


@dataclass(slots=True, eq=False)
class Webhook:
    id: int
    token: str
    name: str
    channel: Channel
    application_id: int
    user: User
    avatar: str | None = None


@dataclass(slots=True, eq=False)
class Emoji:
    id: int
    name: str
    image: bytes
    content_type: str


def parts(components: list[Json]) -> list[Json]:
    """Every component, those inside others after the one that holds them."""
    found = []
    for each in components:
        inner = [*each.get("components", ()), *(each[key] for key in ("component", "accessory") if key in each)]
        found += [each, *parts(inner)]
    return found
