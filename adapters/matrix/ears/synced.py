"""What one answer to a sync says, as plain values that were checked at the door. Pure; it knows no meaning of an event.

https://spec.matrix.org/v1.16/client-server-api/#get_matrixclientv3sync
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Event = Mapping[str, Any]
"""An event as the homeserver sent it: a JSON object, and nothing more is known of it."""

OWN_KEYS = ("device_one_time_keys_count", "device_unused_fallback_key_types")

LONGEST_ID = 255
"""Characters of an id of Matrix."""


@dataclass(frozen=True, slots=True)
class RoomNews:
    """What is new in a room: its state before the timeline (all of it, or what changed), and the timeline.

    `is_limited`: there is a gap before the timeline, which can be read backwards from `before`.
    """

    state: tuple[Event, ...] = ()
    timeline: tuple[Event, ...] = ()
    is_limited: bool = False
    before: str = ""


@dataclass(frozen=True, slots=True)
class Synced:
    """An answer. `mark` is where the next one begins; `changed` and `departed` are users whose devices are to be looked at.

    `one_time_keys` is how many keys the homeserver still holds for those who want to write to us for the first time; `own_keys`
    all that it says of these, as it came.
    """

    mark: str
    joined: Mapping[str, RoomNews] = field(default_factory=dict)
    invited: Mapping[str, tuple[Event, ...]] = field(default_factory=dict)
    left: Mapping[str, RoomNews] = field(default_factory=dict)
    to_device: tuple[Event, ...] = ()
    changed: tuple[str, ...] = ()
    departed: tuple[str, ...] = ()
    one_time_keys: int | None = None
    own_keys: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether it tells nothing at all."""
        return not (self.joined or self.invited or self.left or self.to_device or self.changed or self.departed)


def synced(answer: Mapping[str, Any]) -> Synced:
    """An answer, read. What is misshapen in it is left out. Raises ValueError when it says not where the next one begins."""
    mark = answer.get("next_batch")
    if not isinstance(mark, str) or not mark:
        raise ValueError("an answer to a sync without its end")
    rooms, devices = _object(answer.get("rooms")), _object(answer.get("device_lists"))
    keys = _object(answer.get("device_one_time_keys_count")).get("signed_curve25519")
    return Synced(
        mark,
        {room: _news(each) for room, each in _rooms(rooms.get("join"))},
        {room: _events(each.get("invite_state")) for room, each in _rooms(rooms.get("invite"))},
        {room: _news(each) for room, each in _rooms(rooms.get("leave"))},
        _events(answer.get("to_device")),
        _users(devices.get("changed")),
        _users(devices.get("left")),
        keys if isinstance(keys, int) and not isinstance(keys, bool) else None,
        {name: answer[name] for name in OWN_KEYS if name in answer},
    )


def content_of(event: Event) -> Mapping[str, Any]:
    """The content of an event; empty where it is no object."""
    return _object(event.get("content"))


def text_in(holder: Mapping[str, Any], name: str) -> str:
    """A text in an object; empty where it is none. What is no text cannot even be looked for in a set."""
    value = holder.get(name)
    return value if isinstance(value, str) else ""


def is_state(event: Event, kind: str, key: str) -> bool:
    """Whether an event is state of this kind under this key."""
    return event.get("type") == kind and event.get("state_key") == key


def is_room(room: object) -> bool:
    """Whether this can be the id of a room: it is opaque, but a place must be able to name it and a thread in it."""
    return isinstance(room, str) and room.startswith("!") and "/$" not in room and len(room) <= LONGEST_ID and _is_text(room)


def is_event(event: object) -> bool:
    """Whether this can be the id of an event."""
    return (
        isinstance(event, str)
        and event.startswith("$")
        and "$" not in event[1:]
        and 1 < len(event) <= LONGEST_ID
        and _is_text(event)
    )


def is_user(user: object) -> bool:
    """Whether this can be the id of a user."""
    return isinstance(user, str) and user.startswith("@") and ":" in user and len(user) <= LONGEST_ID and _is_text(user)


def _is_text(text: str) -> bool:
    """Whether a text can be stored and sent: half of a pair of surrogates cannot, and no id holds what is not seen."""
    return text.isprintable() and " " not in text


def _news(room: Mapping[str, Any]) -> RoomNews:
    timeline = _object(room.get("timeline"))
    before = timeline.get("prev_batch")
    return RoomNews(
        _events(room.get("state")),
        _events(timeline),
        timeline.get("limited") is True,
        before if isinstance(before, str) else "",
    )


def _rooms(rooms: object) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    return tuple((room, _object(each)) for room, each in _object(rooms).items() if is_room(room))


def _events(holder: object) -> tuple[Event, ...]:
    events = _object(holder).get("events")
    return tuple(each for each in events if isinstance(each, dict)) if isinstance(events, list) else ()


def _users(users: object) -> tuple[str, ...]:
    return tuple(each for each in users if is_user(each)) if isinstance(users, list) else ()


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
