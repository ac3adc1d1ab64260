"""What stands in a room, as the homeserver has it: one event, a timeline, a thread. It changes nothing and decrypts nothing.

Our marks stand outside of what is encrypted, so that another device, or one that lost its keys, finds what an earlier one sent.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from adapters.matrix.errors import NOT_FOUND, Attempt, code_of
from adapters.matrix.line import Line
from adapters.matrix.posting.asking import CLIENT, RELATIONS, Content, ask
from adapters.matrix.posting.sealing import ENCRYPTED
from bot.errors import PostRefused

PAGE = 100
"""Events that are asked for at once."""

READ_AT_MOST = 10
"""Pages of own events that are looked through."""

READS = Attempt(act="read what stands", changes=False)

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Looking:
    """Reads rooms. All methods raise the errors of a courier. What was taken away does not stand."""

    line: Line

    async def standing(self, room: str, event: str) -> Event | None:
        """An event, if it is there, was not taken away, and is for the bot to see."""
        try:
            found = await ask(self.line.client, READS, "GET", "rooms", room, "event", event)
        except PostRefused as refused:
            if code_of(refused) == NOT_FOUND:
                return None
            raise
        return found if content_of(found) else None

    async def timeline(self, room: str) -> AsyncIterator[Event]:
        """Everybody's messages in a room and its threads, the newest first; edits are among them, as events of their own."""
        async for page in self._messages(room, {}):
            for event in page:
                if content_of(event):
                    yield event

    async def thread(self, room: str, root: str) -> AsyncIterator[Event]:
        """What stands in a thread, the newest first, without its root."""
        path = ("rooms", room, "relations", root, "m.thread")
        async for page in self._backwards(*path, api=RELATIONS, goes_on="next_batch"):
            for event in page:
                if content_of(event):
                    yield event

    async def own(self, room: str, until: str | None = None, pages: int = READ_AT_MOST) -> AsyncIterator[Event]:
        """Our messages that stand, the newest first, back to the event `until`."""
        me = self.line.client.user_id
        async for page in self._messages(room, {"senders": [me]}, pages):
            for event in page:
                if event.get("event_id") == until:
                    return
                if event.get("sender") == me and content_of(event):
                    yield event

    async def own_signs(self, room: str, event: str) -> dict[str, str]:
        """Our reactions to an event: their ids, by what they show."""
        client = self.line.client
        path = ("rooms", room, "relations", event, "m.annotation", "m.reaction")
        answer = await ask(client, READS, "GET", *path, query={"limit": PAGE}, api=RELATIONS)
        ours = [each for each in _events(answer) if each.get("sender") == client.user_id]
        return {str(about_of(each).get("key")): str(each.get("event_id")) for each in ours}

    def _messages(self, room: str, whose: Content, most: int | None = None) -> AsyncIterator[Sequence[Event]]:
        wanted = json.dumps({**whose, "types": ["m.room.message", ENCRYPTED]})
        return self._backwards("rooms", room, "messages", api=CLIENT, goes_on="end", most=most, filter=wanted)

    async def _backwards(
        self, *path: str, api: str, goes_on: str, most: int | None = None, **more: str
    ) -> AsyncIterator[Sequence[Event]]:
        """Pages from the newest on, asked for as they are wanted, `most` at most. The answer's `goes_on` leads to the next."""
        query: dict[str, str | int] = {"dir": "b", "limit": PAGE, **more}
        for _ in count() if most is None else range(most):
            answer = await ask(self.line.client, READS, "GET", *path, query=query, api=api)
            yield _events(answer)
            if not isinstance(end := answer.get(goes_on), str):
                return
            query["from"] = end


def content_of(event: Event) -> Content:
    """What an event holds; nothing where it was taken away."""
    content, about = event.get("content"), event.get("unsigned")
    if not isinstance(content, Mapping) or (isinstance(about, Mapping) and "redacted_because" in about):
        return {}
    return content


def about_of(event: Event) -> Content:
    """What an event says that it belongs to."""
    about = content_of(event).get("m.relates_to")
    return about if isinstance(about, Mapping) else {}


def _events(answer: Content) -> list[Event]:
    chunk = answer.get("chunk")
    return [each for each in chunk if isinstance(each, Mapping)] if isinstance(chunk, list) else []
