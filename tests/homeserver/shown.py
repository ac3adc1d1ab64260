"""What stands in a room, as a person's client shows it: edits applied, redacted messages gone. Pure; it knows no network."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Event = Mapping[str, Any]
PROFILE = "com.beeper.per_message_profile"
UNREADABLE = "m.bad.encrypted"
"""The kind of a message that a client has no key for."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as it stands now. `root` is the thread it stands in, `name` what the message itself calls its sender."""

    event_id: str
    sender: str
    msgtype: str
    body: str
    formatted_body: str | None = None
    name: str | None = None
    edited: bool = False
    root: str | None = None
    reply_to: str | None = None
    content: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def text(self) -> str:
        """The body, without the name that it begins with for clients which show no names of messages."""
        profile = self.content.get(PROFILE)
        has_fallback = isinstance(profile, Mapping) and profile.get("has_fallback") is True
        return self.body.removeprefix(f"{self.name}: ") if has_fallback else self.body

    @property
    def is_readable(self) -> bool:
        return self.msgtype != UNREADABLE


def everything(events: Sequence[Event]) -> list[Shown]:
    """All messages that stand, in the timeline's order, whether in threads or not."""
    edits = _newest_edits(events)
    return [_shown(event, edits) for event in events if _is_message(event) and relation(event).get("rel_type") != "m.replace"]


def in_thread(messages: Iterable[Shown], root: str | None) -> list[Shown]:
    """Those of one thread with its root, or, for None, those outside all threads."""
    return [each for each in messages if each.root == root or (root is not None and each.event_id == root)]


def reactions(events: Iterable[Event], event_id: str) -> dict[str, list[str]]:
    """Who stands by which reaction to an event: keys with senders."""
    found: dict[str, list[str]] = {}
    for event in events:
        about = relation(event)
        if event["type"] == "m.reaction" and about.get("event_id") == event_id:
            found.setdefault(str(about.get("key")), []).append(event["sender"])
    return found


def relation(event: Event) -> Mapping[str, Any]:
    """What an event says that it belongs to; empty where it says nothing of the sort."""
    content = event.get("content", {})
    about = content.get("m.relates_to") if isinstance(content, Mapping) else None
    return about if isinstance(about, Mapping) else {}


def _is_message(event: Event) -> bool:
    return event["type"] in ("m.room.message", "m.room.encrypted") and bool(event.get("content")) and "state_key" not in event


def _newest_edits(events: Sequence[Event]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The content that replaces another's: of the newest edit, by the event and the sender it replaces."""
    edits: dict[tuple[str, str], Mapping[str, Any]] = {}
    for event in sorted(events, key=lambda event: (event["origin_server_ts"], event["event_id"])):
        about, content = relation(event), event["content"].get("m.new_content")
        if event["type"] == "m.room.message" and about.get("rel_type") == "m.replace" and isinstance(content, Mapping):
            edits[about.get("event_id", ""), event["sender"]] = content
    return edits


def _shown(event: Event, edits: Mapping[tuple[str, str], Mapping[str, Any]]) -> Shown:
    edit = edits.get((event["event_id"], event["sender"])) if event["type"] == "m.room.message" else None
    content = event["content"] if edit is None else edit
    about = relation(event)
    threaded = about.get("rel_type") == "m.thread"
    answered = about.get("m.in_reply_to")
    unreadable = event["type"] == "m.room.encrypted"
    profile = content.get(PROFILE)
    return Shown(
        event_id=event["event_id"],
        sender=event["sender"],
        msgtype=UNREADABLE if unreadable else str(content.get("msgtype", "")),
        body="Unable to decrypt this message." if unreadable else str(content.get("body", "")),
        formatted_body=content.get("formatted_body"),
        name=profile.get("displayname") if isinstance(profile, Mapping) else None,
        edited=edit is not None,
        root=about.get("event_id") if threaded else None,
        reply_to=answered.get("event_id") if isinstance(answered, Mapping) and not about.get("is_falling_back") else None,
        content=content,
    )
