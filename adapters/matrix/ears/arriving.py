"""What came out of a sync, one thing after another, and how it is kept in the store until it is dealt with. Pure."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from adapters.matrix.ears.attending import MEMBER, Step, step
from adapters.matrix.ears.reading import MESSAGE, REACTION, REDACTION, SEALED
from adapters.matrix.ears.synced import Event, content_of, is_event, is_room, is_state, is_user, text_in
from adapters.matrix.heard import Heard
from adapters.matrix.words import author_of, event_of, place_of
from bot.ids import AuthorId, EventId
from bot.ports.arrivals import Arrival

TOMBSTONE = "m.room.tombstone"
KINDS = frozenset({MESSAGE, SEALED, REACTION, REDACTION})


@dataclass(frozen=True, slots=True)
class Came:
    """An event of a room as it came, encrypted or not; what it means, where that was found out already."""

    room: str
    event: Event = field(repr=False)
    heard: Heard | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Events that were left out: they end where `newest` says, and begin after `oldest` (tokens). `at`: when that was seen."""

    room: str
    newest: str
    oldest: str
    at: float


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody invited the bot into a room."""

    room: str
    inviter: str
    mark: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The bot is in a room no longer, and no event says since when."""

    room: str
    mark: str


Item = Came | Gap | Invited | Gone
"""`mark` is an end of a sync, or an event's id: it tells two of the same kind apart."""


def came(room: str, event: Event, me: str) -> Came | None:
    """An event of a room, if it can matter: what others said and did, that the bot went, that the room was replaced."""
    name, sender, kind = event.get("event_id"), event.get("sender"), text_in(event, "type")
    if not is_event(name) or not is_user(sender):
        return None
    if "state_key" in event:
        is_going = step(event, me, is_there=True) is Step.WENT
        return Came(room, _bare(event)) if is_going or is_state(event, TOMBSTONE, "") else None
    return Came(room, event) if sender != me and kind in KINDS else None


def invitations(room: str, state: Iterable[Event], me: str, mark: str) -> tuple[Invited, ...]:
    """Who invited the bot, by its own membership in what an invited user is shown of a room; nothing where that is not said.

    All but the last of these events is what the inviter's homeserver made up: an invitation that it names in another's name
    would pass a rule that its own does not. The last is the invitation itself, which our homeserver has checked.
    https://spec.matrix.org/v1.16/client-server-api/#stripped-state
    """
    own = [event for event in state if is_state(event, MEMBER, me)]
    inviter, name = (own[-1].get("sender"), own[-1].get("event_id")) if own else (None, None)
    if not is_user(inviter) or text_in(content_of(own[-1]), "membership") != "invite":
        return ()
    return (Invited(room, str(inviter), str(name) if is_event(name) else mark),)


def kept(item: Item) -> Arrival:
    """An item as the store keeps it. Raises RecursionError for an event that lies too deep in itself."""
    author = AuthorId("")
    match item:
        case Came():
            author, payload = author_of(str(item.event["sender"])), {"event": item.event}
        case Gap():
            payload = {"gap": {"newest": item.newest, "oldest": item.oldest, "at": item.at}}
        case Invited():
            author, payload = author_of(item.inviter), {"invited": {"by": item.inviter, "mark": item.mark}}
        case Gone():
            payload = {"gone": {"mark": item.mark}}
    return Arrival(name_of(item), place_of(item.room).channel, author, json.dumps(payload))


def name_of(item: Item) -> EventId:
    """The id under which an item is kept: the same for the same thing, and for what is no event, none that Matrix gives."""
    match item:
        case Came():
            return event_of(str(item.event["event_id"]))
        case Gap():
            return _name("gap", item.room, item.newest, item.oldest)
        case Invited():
            return _name("invited", item.room, item.mark)
        case Gone():
            return _name("gone", item.room, item.mark)


def restored(arrival: Arrival) -> Item | None:
    """An item as it was kept; None for what this program did not write."""
    room = str(arrival.channel)
    try:
        payload = json.loads(arrival.payload)
        if not is_room(room):
            return None
        match payload:
            case {"event": {"event_id": str(), "sender": str()} as event}:
                return Came(room, event)
            case {"gap": {"newest": str(newest), "oldest": str(oldest), "at": int() | float() as at}}:
                return Gap(room, newest, oldest, at)
            case {"invited": {"by": str(inviter), "mark": str(mark)}}:
                return Invited(room, inviter, mark)
            case {"gone": {"mark": str(mark)}}:
                return Gone(room, mark)
    except (ValueError, RecursionError):
        pass
    return None


def _bare(event: Event) -> Event:
    """An event of state with what matters of it alone: what lies deep in itself, as anybody can send it, cannot be kept."""
    content = {name: text_in(content_of(event), name) for name in ("membership", "replacement_room")}
    return {**{name: event[name] for name in ("type", "state_key", "event_id", "sender")}, "content": content}


def _name(*parts: str) -> EventId:
    return event_of(f"{parts[0]}/{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]}")
