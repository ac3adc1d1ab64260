"""What things of Matrix are called inside: places, people, events and messages as opaque names, and back.

Ids of Matrix are opaque too: from room version 12 on a room's id names no server. Nothing here or elsewhere takes one apart,
but for the server of a user.
"""

from urllib.parse import quote

from bot.cleaning import mended_name
from bot.errors import PostRefused
from bot.ids import AuthorId, ChannelKey, EventId, MessageId, Place, Platform

MATRIX = Platform("matrix")
"""The platform of everything in this room."""

PEOPLE = "matrix:"
"""What an author's name begins with: names of people are the same in all stores and platforms of one program."""

_THREAD = "/$"
"""Parts a room from the root of a thread: every event's id begins with the second of these, and holds no other."""


def place_of(room: str, root: str = "") -> Place:
    """The place of a room's main timeline, or of the thread that begins with the event `root`."""
    return Place(MATRIX, ChannelKey(f"{room}/{root}" if root else room))


def room_of(place: Place) -> str:
    """The room that a place is, or is in."""
    return place.channel.partition(_THREAD)[0]


def root_of(place: Place) -> str:
    """The event that a place's thread begins with; empty for a room's main timeline."""
    _, parted, rest = place.channel.partition(_THREAD)
    return f"${rest}" if parted else ""


def author_of(user: str) -> AuthorId:
    """A person, by their user id."""
    return AuthorId(f"{PEOPLE}{user}")


def user_of(author: AuthorId) -> str:
    """The user id of a person of Matrix; empty for anybody else."""
    return author.removeprefix(PEOPLE) if author.startswith(PEOPLE) else ""


def server_of(user: str) -> str:
    """The homeserver of a user, with its port if it has one; empty where the id is none."""
    return user.partition(":")[2] if user.startswith("@") else ""


def called(name: str) -> str:
    """What a story calls somebody of this name, which on Matrix may hold what marks a speaker, or nothing to see."""
    return mended_name(name) or "Somebody"


def event_of(event: str) -> EventId:
    """What came in."""
    return EventId(event)


def own_message(event: str) -> MessageId:
    """A message that the bot posted, by the event that it was sent as: edits leave it as it is."""
    return MessageId(event)


def event_id_of(message: MessageId) -> str:
    """The event of a message of ours. Raises PostRefused for what is none."""
    if not message.startswith("$"):
        raise PostRefused(f"{message!r} is no message of Matrix.")
    return message


def link_to(place: Place) -> str:
    """A link to a place that every client opens, as it is written in a message of any other."""
    room, root = room_of(place), root_of(place)
    return "https://matrix.to/#/" + "/".join(quote(each, safe="!:$") for each in (room, root) if each)
