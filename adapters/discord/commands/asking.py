"""What an interaction says, as values: who asks, where, for what. It answers nothing and decides nothing."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import discord

from adapters.discord.words import author_of, called, event_of, place_of
from bot.ids import AuthorId, EventId, Place
from bot.posts import Command

Interaction = discord.Interaction[discord.Client]
Raw = Mapping[str, Any]

SUBCOMMANDS = (1, 2)
ATTACHMENT_OPTION = 11
THREADS = (10, 11, 12)


@dataclass(frozen=True, slots=True)
class Room:
    """A channel as an interaction describes it, and what the member who asks may do there."""

    id: int
    kind: int
    parent: int | None
    permissions: discord.Permissions

    @property
    def is_thread(self) -> bool:
        """Whether it is a thread, or a post of a forum."""
        return self.kind in THREADS


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks. `room` is where; `guild` is None in direct messages, where everybody decides for themselves.

    `own` is what the bot itself may do there.
    """

    interaction: int
    user: int
    name: str
    roles: frozenset[int]
    guild: int | None
    room: Room
    own: discord.Permissions

    @property
    def author(self) -> AuthorId:
        """The person."""
        return author_of(self.user)

    @property
    def event(self) -> EventId:
        """The interaction, as what came in."""
        return event_of(self.interaction)

    @property
    def place(self) -> Place:
        """Where it was asked."""
        return place_of(self.room.id)

    @property
    def is_moderator(self) -> bool:
        """Whether the place lets them decide for others: they may take away others' messages, or see to threads."""
        may = self.room.permissions
        return self.guild is None or may.manage_messages or may.manage_threads

    def command(self, name: str, values: Mapping[str, str | int], place: Place | None = None) -> Command:
        """What they ask for, in the place where they ask or in another one."""
        return Command(self.event, place or self.place, self.author, name, values, called(self.name), self.is_moderator)


@dataclass(frozen=True, slots=True)
class Given:
    """What came with a slash command: its whole name, values as they were sent, files by their option, the channel named.

    `focused` is the option that is being typed, if one is.
    """

    path: str
    values: Mapping[str, str | int]
    files: Mapping[str, discord.Attachment] = field(default_factory=dict)
    rooms: Mapping[str, Room] = field(default_factory=dict)
    focused: str = ""


def asker_of(interaction: Interaction) -> Asker | None:
    """Who asks, and where; None where Discord does not say it."""
    channel = interaction.channel
    if channel is None:
        return None
    user = interaction.user
    roles = frozenset(role.id for role in user.roles) if isinstance(user, discord.Member) else frozenset[int]()
    parent = channel.parent_id if isinstance(channel, discord.Thread) else None
    room = Room(channel.id, channel.type.value, parent, interaction.permissions)
    return Asker(interaction.id, user.id, user.display_name, roles, interaction.guild_id, room, interaction.app_permissions)


def given(interaction: Interaction) -> Given:
    """What came with a slash command, or with a request for what it may be given."""
    data = raw(interaction)
    path, options = [str(data["name"])], data.get("options", ())
    while options and options[0]["type"] in SUBCOMMANDS:
        path.append(str(options[0]["name"]))
        options = options[0].get("options", ())
    known = data.get("resolved", {})
    files = {
        each["name"]: discord.Attachment(data=known["attachments"][each["value"]], state=interaction._state)  # noqa: SLF001 - its only way
        for each in options
        if each["type"] == ATTACHMENT_OPTION
    }
    rooms = {
        each["name"]: _room(known["channels"][each["value"]])
        for each in options
        if str(each["value"]) in known.get("channels", {})
    }
    values = {each["name"]: each["value"] for each in options if each["name"] not in {*files, *rooms}}
    focused = next((str(each["name"]) for each in options if each.get("focused")), "")
    return Given(" ".join(path), values, files, rooms, focused)


def raw(interaction: Interaction) -> Raw:
    """What Discord sent as the matter of an interaction."""
    data: Any = interaction.data
    return data or {}


def typed(interaction: Interaction) -> dict[str, str]:
    """What was typed into the fields of a modal, by their ids."""
    return {
        str(each["custom_id"]): str(each["value"])
        for each in _fields(raw(interaction).get("components", ()))
        if "value" in each
    }


def _fields(components: Iterable[Raw]) -> Iterator[Raw]:
    """The fields of a modal out of what is around them: a label with one, or a row of several."""
    for each in components:
        inner = each.get("components") or ([each["component"]] if "component" in each else ())
        if inner:
            yield from _fields(inner)
        else:
            yield each


def _room(channel: Raw) -> Room:
    kind, parent = int(channel["type"]), channel.get("parent_id")
    permissions = discord.Permissions(int(channel.get("permissions") or 0))
    # A channel's own parent is its category, which counts for nothing here.
    return Room(int(channel["id"]), kind, int(parent) if parent and kind in THREADS else None, permissions)
