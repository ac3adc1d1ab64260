"""What was said in a room, as it reads now: one message, the messages of a place. It keeps nothing, and asks through `Looking`.

An edit does not change what a homeserver hands out: it lies beside it, as the newest of its `m.replace` relations
(https://spec.matrix.org/v1.16/client-server-api/#server-side-aggregation-of-mreplace-relationships).
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace

from nio import AsyncClient

from adapters.matrix.commands.walls import Found, Sealed
from adapters.matrix.ears import deciphering
from adapters.matrix.ears.reading import read, sent_at, thread_of
from adapters.matrix.heard import Heard, Rewritten, Said
from adapters.matrix.line import Line
from adapters.matrix.posting.looking import Event, Looking, about_of
from adapters.matrix.words import room_of, root_of
from bot.ids import Place

EDIT = "m.replace"


@dataclass(frozen=True, slots=True)
class Past:
    """Reads rooms. All raise the errors of a courier; that something cannot be decrypted is none."""

    line: Line

    async def message(self, room: str, event: str) -> Found | None:
        """What a message says now; None where it is none, is gone, or is not for the bot to see."""
        found = await Looking(self.line).standing(room, event)
        return understood(self.line.client, room, found) if found is not None else None

    async def of(self, place: Place) -> AsyncIterator[Found]:
        """The messages of a place, the newest first: of a thread, its root too; of a main timeline, none of its threads."""
        room, root = room_of(place), root_of(place)
        looking = Looking(self.line)
        async for event in looking.thread(room, root) if root else looking.timeline(room):
            found = understood(self.line.client, room, event)
            if found is not None and found.root == root:
                yield found
        if root and (first := await self.message(room, root)):
            yield first


def understood(client: AsyncClient, room: str, event: Event) -> Found | None:
    """What somebody said with an event that stands, as it reads now; None where it is no message."""
    try:
        said = _opened(client, room, event)
    except deciphering.Sealed:
        # That it is an edit is never encrypted, and what it changes is told by the message itself.
        is_edit = about_of(event).get("rel_type") == EDIT
        return None if is_edit else Sealed(str(event.get("event_id")), thread_of(event), sent_at(event))
    if not isinstance(said, Said):
        return None
    changed = _edit_of(client, room, event)
    if changed and changed.of == said.event and changed.sender == said.sender:
        return replace(said, text=changed.text, is_emote=changed.is_emote)
    return said


def _opened(client: AsyncClient, room: str, event: Event) -> Heard | None:
    return read(deciphering.opened(client, room, event), room)


def _edit_of(client: AsyncClient, room: str, event: Event) -> Rewritten | None:
    """The newest edit, which the homeserver puts beside a message; None where there is none, or it cannot be read."""
    edit = _object(_object(event.get("unsigned")).get("m.relations")).get(EDIT)
    try:
        changed = _opened(client, room, _object(edit))
    except deciphering.Sealed:
        return None
    return changed if isinstance(changed, Rewritten) else None


def _object(value: object) -> Event:
    return value if isinstance(value, Mapping) else {}
