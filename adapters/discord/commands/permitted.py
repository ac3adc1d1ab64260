"""Who may begin stories where: a pure decision over what the operator set and what an interaction says."""

from collections.abc import Collection

from adapters.discord.commands.asking import Asker, Room
from adapters.discord.settings import Settings

DIRECT = 1
FORUM = 15
HOLDS_THREADS = (0, 5, FORUM)
"""The kinds of channels that threads are opened in: text, announcements, forums."""

ALL_OF_THEM = 10
"""So many channels or roles are named in a sentence at most."""


def refusal_to_start(settings: Settings, asker: Asker, room: Room) -> str | None:
    """Why somebody may not begin a story in a channel, or with a thread in it, as a sentence for them; None when they may."""
    barred = None if asker.user in settings.operators else _barred(settings, asker, room)
    return barred or _unfit(asker, room)


def _barred(settings: Settings, asker: Asker, room: Room) -> str | None:
    if asker.guild is None:
        is_bounded = settings.guilds or settings.start_channels or settings.start_roles
        return "The operator does not let stories begin in direct messages." if is_bounded else None
    if settings.guilds and asker.guild not in settings.guilds:
        return "The operator does not let stories begin in this server."
    if settings.start_channels and not settings.start_channels & {room.id, room.parent}:
        return f"Stories begin only in {_named(settings.start_channels, '#')}; use the command there."
    if settings.start_roles and not settings.start_roles & asker.roles:
        return f"Only members with one of these roles may begin stories: {_named(settings.start_roles, '@&')}."
    return None


def _unfit(asker: Asker, room: Room) -> str | None:
    if asker.guild is None:
        return None
    if not room.is_thread and room.kind not in HOLDS_THREADS:
        return "No threads can be opened in this kind of channel; choose a text channel or a forum."
    may = room.permissions
    writes = may.send_messages_in_threads if room.is_thread else may.send_messages
    if not (may.view_channel and writes):
        return f"You may not write in <#{room.id}> yourself; choose a channel where you may."
    return None


def _named(ids: Collection[int], sign: str) -> str:
    named = [f"<{sign}{each}>" for each in sorted(ids)[:ALL_OF_THEM]]
    return ", ".join([*named, "…"] if len(ids) > ALL_OF_THEM else named)
