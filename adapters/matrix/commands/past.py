"""What stands in a room, as the homeserver has it: a message as it reads now, the messages of a place. It keeps nothing.

An edit does not change what a homeserver hands out: it lies beside it, as the newest of its `m.replace` relations
(https://spec.matrix.org/v1.16/client-server-api/#server-side-aggregation-of-mreplace-relationships).
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nio import AsyncClient, MegolmEvent

from adapters.matrix.commands.walls import Found, Sealed
from adapters.matrix.ears.reading import SEALED, read
from adapters.matrix.errors import NOT_FOUND, Attempt, code_of
from adapters.matrix.heard import Rewritten, Said
from adapters.matrix.line import Line
from adapters.matrix.posting.asking import RELATIONS, ask
from adapters.matrix.words import room_of, root_of
from bot.errors import PostRefused
from bot.ids import Place

PAGE = 100
"""Events that are asked for at once."""

READS = Attempt(act="read what stands", changes=False)
KINDS = ("m.room.message", SEALED)

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Past:
    """Reads rooms. All raise the errors of a courier; that something cannot be decrypted is none."""

    line: Line

    async def message(self, room: str, event: str) -> Found | None:
        """What a message says now; None where it is none, is gone, or is not for the bot to see."""
        try:
            found = await ask(self.line.client, READS, "GET", "rooms", room, "event", event)
        except PostRefused as refused:
            if code_of(refused) == NOT_FOUND:
                return None
            raise
        return understood(self.line.client, room, found)

    async def of(self, place: Place) -> AsyncIterator[Found]:
        """The messages of a place, the newest first: of a thread, its root too; of a main timeline, none of its threads."""
        room, root = room_of(place), root_of(place)
        pages = self._thread(room, root) if root else self._timeline(room)
        async for event in pages:
            found = understood(self.line.client, room, event)
            if found is not None and (root or not isinstance(found, Said) or not found.root):
                yield found
        if root and (first := await self.message(room, root)):
            yield first

    async def _timeline(self, room: str) -> AsyncIterator[Event]:
        query: dict[str, str | int] = {"dir": "b", "limit": PAGE, "filter": json.dumps({"types": KINDS})}
        while True:
            answer = await ask(self.line.client, READS, "GET", "rooms", room, "messages", query=query)
            for event in _events(answer):
                if not _thread_of(event):
                    yield event
            if not isinstance(end := answer.get("end"), str):
                return
            query["from"] = end

    async def _thread(self, room: str, root: str) -> AsyncIterator[Event]:
        query: dict[str, str | int] = {"dir": "b", "limit": PAGE}
        path = ("rooms", room, "relations", root, "m.thread")
        while True:
            answer = await ask(self.line.client, READS, "GET", *path, query=query, api=RELATIONS)
            for event in _events(answer):
                yield event
            if not isinstance(end := answer.get("next_batch"), str):
                return
            query["from"] = end


def understood(client: AsyncClient, room: str, event: Event) -> Found | None:
    """What somebody said with an event, as it reads now; None where it is no message."""
    opened = _opened(client, room, event)
    if opened is None:
        return Sealed(str(event.get("event_id")))
    said = read(opened, room)
    if not isinstance(said, Said):
        return None
    edit = _edit_of(event)
    changed = read(opened_edit, room) if edit and (opened_edit := _opened(client, room, edit)) else None
    if isinstance(changed, Rewritten) and changed.of == said.event and changed.sender == said.sender:
        return replace(said, text=changed.text, is_emote=changed.is_emote)
    return said


def _opened(client: AsyncClient, room: str, event: Event) -> Event | None:
    """An event as it was before it was encrypted; None where it cannot be decrypted."""
    if event.get("type") != SEALED:
        return event
    if client.olm is None:
        return None
    try:
        sealed = MegolmEvent.from_dict({**event, "unsigned": {}})
        sealed.room_id = room
        inside: Event = client.decrypt_event(sealed).source
    except Exception:  # noqa: BLE001  without a key, or with whatever somebody sent in place of what the library expects
        return None
    # One that says that it is of another room was carried over from there.
    return {**event, "type": inside.get("type"), "content": inside.get("content")} if inside.get("room_id") == room else None


def _edit_of(event: Event) -> Event | None:
    related = _object(_object(event.get("unsigned")).get("m.relations"))
    edit = related.get("m.replace")
    return edit if isinstance(edit, Mapping) and "content" in edit else None


def _thread_of(event: Event) -> bool:
    """Whether an event stands in a thread: relations are never encrypted."""
    return _object(_object(event.get("content")).get("m.relates_to")).get("rel_type") == "m.thread"


def _events(answer: Event) -> list[Event]:
    chunk = answer.get("chunk")
    return [each for each in chunk if isinstance(each, Mapping)] if isinstance(chunk, list) else []


def _object(value: object) -> Event:
    return value if isinstance(value, Mapping) else {}
