"""What the rooms are that the bot is in, folded from their state events; and what is remembered of them for ever.

Rule 1: what cannot be read counts as what is safe: no power, not private, encrypted once is encrypted for ever.
Rule 2: nothing is read out of a room's id: from room version 12 on it names no server. There, whoever made a room has power
without end, and stands in no list of levels (https://spec.matrix.org/v1.16/rooms/v12/).
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.matrix.words import MATRIX, place_of
from bot.errors import ChannelGone, StoreUnavailable
from bot.ports.store import Store

OLD_VERSIONS = frozenset(str(number) for number in range(1, 12))
"""Versions of rooms whose makers have the power that the list of levels gives them."""

CLOSED_RULES = frozenset({"invite", "knock", "private"})
"""Join rules under which somebody inside lets in everybody."""

WRITTEN_LEVEL = re.compile(r"[+-]?[0-9]{1,16}")

ADMINISTRATOR = 100
MODERATOR = 50

State = Mapping[str, Any]
"""One state event as the homeserver sends it: its type, state key, sender, content, and more."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who is in a room: what they are called there, and since when (seconds since the epoch)."""

    name: str
    since: float


@dataclass(frozen=True, slots=True)
class Room:
    """A room. `levels` is the content of its newest m.room.power_levels; `successor` the room that took its place."""

    id: str
    version: str = "1"
    creators: frozenset[str] = frozenset()
    levels: Mapping[str, Any] = field(default_factory=dict)
    join_rule: str = "public"
    history: str = "world_readable"
    is_encrypted: bool = False
    is_for_adults: bool = False
    name: str = ""
    successor: str = ""
    members: Mapping[str, Member] = field(default_factory=dict)

    @property
    def is_closed(self) -> bool:
        """Whether only those come in, and read along, whom somebody inside let in."""
        return self.join_rule in CLOSED_RULES and self.history != "world_readable"

    def level_of(self, user: str) -> float:
        """A user's power level; infinite for those who made a room of version 12 or later."""
        if self.version not in OLD_VERSIONS and user in self.creators:
            return float("inf")
        if not self.levels:
            return ADMINISTRATOR if user in self.creators else 0
        users = self.levels.get("users")
        own = users.get(user) if isinstance(users, Mapping) else None
        return _whole(own, _whole(self.levels.get("users_default"), 0))

    def needs(self, kind: str) -> float:
        """The level that an act takes: "redact", "kick", "ban", "invite", or the type of an event that is sent."""
        if kind in {"redact", "kick", "ban"}:
            return _whole(self.levels.get(kind), MODERATOR)
        if kind == "invite":
            return _whole(self.levels.get(kind), 0)
        events = self.levels.get("events")
        special = events.get(kind) if isinstance(events, Mapping) else None
        return _whole(special, _whole(self.levels.get("events_default"), 0))

    def is_moderator(self, user: str) -> bool:
        """Whether somebody may take away what others posted."""
        return self.level_of(user) >= max(self.needs("redact"), 1)

    def is_administrator(self, user: str) -> bool:
        """Whether somebody decides about the whole room."""
        return self.level_of(user) >= ADMINISTRATOR

    def name_of(self, user: str) -> str:
        """What somebody is called in the room; the local part of their id where they have no name."""
        member = self.members.get(user)
        return (member.name if member else "") or user.removeprefix("@").partition(":")[0]


def told(room: Room, events: Iterable[State]) -> Room:
    """The room after state events of it, in order. What is misshapen changes nothing."""
    members = dict(room.members)
    for event in events:
        content, key, kind = event.get("content"), event.get("state_key"), event.get("type")
        if not isinstance(content, Mapping) or not isinstance(key, str) or not isinstance(kind, str):
            continue
        if kind == "m.room.member":
            _move(members, key, content, event)
        elif not key and kind in _CHANGES:
            room = replace(room, **_CHANGES[kind](content, event))
    return replace(room, members=members)


@dataclass(slots=True)
class Rooms:
    """The rooms that the bot is in. `load` what is remembered before the first of them is told of.

    Couriers are made before there is a store: `open` names it where it was not there when this was made.
    """

    _store: Store | None = None
    _rooms: dict[str, Room] = field(default_factory=dict)
    _remembered: dict[str, Mapping[str, bool]] = field(default_factory=dict)

    def open(self, store: Store) -> None:
        """There is a store now."""
        self._store = store

    @property
    def store(self) -> Store:
        """Where it is remembered what rooms are. Raises StoreUnavailable before there is one."""
        if self._store is None:
            raise StoreUnavailable("The stories are not open yet.")
        return self._store

    @property
    def joined(self) -> AbstractSet[str]:
        """Their ids."""
        return self._rooms.keys()

    def of(self, room: str) -> Room:
        """A room. Raises ChannelGone where the bot is not in it."""
        try:
            known = self._rooms[room]
        except KeyError:
            raise ChannelGone("I am not in this room any more; invite me again.") from None
        kept = self._remembered.get(room, {})
        return replace(
            known, is_encrypted=known.is_encrypted or kept.get("encrypted", False), is_for_adults=kept.get("adults", False)
        )

    async def load(self) -> None:
        """Read what is remembered. Raises StoreUnavailable."""
        marks = await self.store.bookmarks(MATRIX)
        self._remembered = {str(channel): read for channel, mark in marks.items() if (read := _read(mark))}

    async def tell(self, room: str, events: Iterable[State], *, is_whole: bool = False) -> None:
        """State of a room, in order: what changed, or all of it. Raises StoreUnavailable."""
        known = Room(room) if is_whole else self._rooms.get(room, Room(room))
        # Rooms may have many members, and most syncs change nothing of them.
        self._rooms[room] = known = told(known, changes) if (changes := tuple(events)) else known
        if known.is_encrypted:
            await self._remember(room, encrypted=True)

    def left(self, room: str) -> None:
        """The bot is in it no longer."""
        self._rooms.pop(room, None)

    async def mark_for_adults(self, room: str, *, is_for_adults: bool) -> None:
        """Remember whether an administrator of the room said that it is for adults only. Raises StoreUnavailable."""
        await self._remember(room, adults=is_for_adults)

    async def _remember(self, room: str, **facts: bool) -> None:
        before = self._remembered.get(room, {})
        after = {**before, **facts}
        if after != before:
            # Only what is stored counts as remembered: whoever is told that it is not will come again.
            await self.store.bookmark(place_of(room), json.dumps(after))
            self._remembered[room] = after


def marked_for_adults(marks: Mapping[str, str]) -> frozenset[str]:
    """The rooms that these bookmarks of places say to be for adults only."""
    return frozenset(room for room, mark in marks.items() if _read(mark).get("adults"))


def _read(mark: str) -> Mapping[str, bool]:
    try:
        read = json.loads(mark)
    except ValueError:
        return {}
    return {name: value for name, value in read.items() if isinstance(value, bool)} if isinstance(read, dict) else {}


def _move(members: dict[str, Member], user: str, content: Mapping[str, Any], event: State) -> None:
    if content.get("membership") != "join":
        members.pop(user, None)
        return
    at = event.get("origin_server_ts")
    was = members.get(user)
    # Somebody who is in the room and changes their name sends the same kind of event again.
    since = was.since if was else (at / 1000 if isinstance(at, int) else 0.0)
    members[user] = Member(_text(content.get("displayname"), ""), since)


def _creators(event: State, content: Mapping[str, Any]) -> frozenset[str]:
    more = content.get("additional_creators")
    named = (event.get("sender"), *(more if isinstance(more, list) else ()))
    return frozenset(each for each in named if isinstance(each, str))


def _text(value: object, instead: str) -> str:
    return value if isinstance(value, str) else instead


def _whole(value: object, instead: float) -> float:
    """A level; old rooms also wrote them as text."""
    if isinstance(value, str) and WRITTEN_LEVEL.fullmatch(value.strip()):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else instead


_CHANGES: Mapping[object, Callable[[Mapping[str, Any], State], dict[str, Any]]] = {
    "m.room.create": lambda content, event: {
        "version": _text(content.get("room_version"), "1"),
        "creators": _creators(event, content),
    },
    "m.room.power_levels": lambda content, _: {"levels": content},
    "m.room.join_rules": lambda content, _: {"join_rule": _text(content.get("join_rule"), "public")},
    "m.room.history_visibility": lambda content, _: {"history": _text(content.get("history_visibility"), "world_readable")},
    "m.room.encryption": lambda *_: {"is_encrypted": True},
    "m.room.name": lambda content, _: {"name": _text(content.get("name"), "")},
    "m.room.tombstone": lambda content, _: {"successor": _text(content.get("replacement_room"), "")},
}
"""What the state events without a key change in a room."""
