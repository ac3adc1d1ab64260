"""One event of a room, as JSON, understood as what somebody did. Pure: whatever the JSON is, it is a value or nothing.

Everything in an event is written by somebody's client, and a homeserver looks at little of it: `m.relates_to` may be a number.
"""

import re
from collections.abc import Mapping
from typing import Any

from adapters.matrix.ears.synced import Event, content_of, is_event, is_user, text_in
from adapters.matrix.heard import FileThere, Heard, Reacted, Redacted, Rewritten, Said
from adapters.matrix.posting.sending import KEY

MESSAGE, SEALED, REACTION, REDACTION = "m.room.message", "m.room.encrypted", "m.reaction", "m.room.redaction"

TEXTS = frozenset({"m.text", "m.emote", "m.notice"})
FILES = frozenset({"m.image", "m.file", "m.audio", "m.video"})

PROFILES = ("m.per_message_profile", "com.beeper.per_message_profile")
"""MSC4144: https://github.com/matrix-org/matrix-spec-proposals/pull/4144"""

QUOTED = re.compile(r"> (?:\* )?<@[^>\n]*>")
"""How the line begins that quotes what a reply is about, in clients that still write one."""

LONGEST_SIGN, LONGEST_NAME, LONGEST_KIND = 64, 255, 127
LATEST = 253_402_300_799.0
"""The last second that a calendar knows."""


def read(event: Event, room: str) -> Heard | None:
    """What somebody did with an event that is not encrypted, or nothing that matters. Never raises."""
    sender, name, kind = event.get("sender"), event.get("event_id"), event.get("type")
    if "state_key" in event or not isinstance(sender, str) or not isinstance(name, str):
        return None
    if not is_user(sender) or not is_event(name):
        return None
    who: dict[str, Any] = {"room": room, "event": name, "sender": sender, "at": sent_at(event)}
    content = content_of(event)
    if kind == MESSAGE:
        return _message(who, content)
    if kind == REACTION:
        return _reaction(who, content)
    if kind == REDACTION:
        # Up to room version 10 it stands outside of the content.
        of = content.get("redacts", event.get("redacts"))
        return Redacted(**who, of=of) if isinstance(of, str) and is_event(of) else None
    return None


def sent_at(event: Event) -> float:
    """When an event was sent by its homeserver's clock, in seconds since the epoch; 0 where that cannot be read."""
    at = event.get("origin_server_ts")
    return min(max(at, 0) / 1000, LATEST) if isinstance(at, int) and at < LATEST * 1000 else 0.0


def thread_of(event: Event) -> str:
    """The event that the thread begins with in which an event stands, encrypted or not; empty: in none."""
    relation = _object(content_of(event).get("m.relates_to"))
    return _id(relation.get("event_id")) if relation.get("rel_type") == "m.thread" else ""


def _message(who: Mapping[str, Any], content: Mapping[str, Any]) -> Heard | None:
    relation = _object(content.get("m.relates_to"))
    if relation.get("rel_type") == "m.replace":
        return _edit(who, _id(relation.get("event_id")), _object(content.get("m.new_content")))
    kind = text_in(content, "msgtype")
    if kind not in TEXTS | FILES:
        return None
    file = _file(content) if kind in FILES else None
    if kind in FILES and file is None:
        return None
    return Said(
        **who,
        text=_text(content, relation),
        root=_id(relation.get("event_id")) if relation.get("rel_type") == "m.thread" else "",
        answers=_answered(relation),
        as_name=_profile_name(content),
        is_emote=kind == "m.emote",
        is_notice=kind == "m.notice",
        is_played=KEY in content,
        file=file,
    )


def _edit(who: Mapping[str, Any], of: str, content: Mapping[str, Any]) -> Rewritten | None:
    """An edit: what counts of it is the new content. What stands beside it is for clients that know no edits."""
    kind = text_in(content, "msgtype")
    if not of or kind not in TEXTS | FILES:
        return None
    text = _text(content, _object(content.get("m.relates_to")))
    return Rewritten(**who, of=of, text=text, is_emote=kind == "m.emote")


def _reaction(who: Mapping[str, Any], content: Mapping[str, Any]) -> Reacted | None:
    relation = _object(content.get("m.relates_to"))
    of, key = _id(relation.get("event_id")), relation.get("key")
    if relation.get("rel_type") != "m.annotation" or not of or not isinstance(key, str) or len(key) > LONGEST_SIGN:
        return None
    sign = _whole(key).replace("\ufe0e", "").replace("\ufe0f", "").strip()
    return Reacted(**who, of=of, sign=sign) if sign else None


def _text(content: Mapping[str, Any], relation: Mapping[str, Any]) -> str:
    """What a message says: without what is there for clients that know no replies, profiles or captions."""
    body = _string(content.get("body"))
    if text_in(content, "msgtype") in FILES:
        name = content.get("filename")
        # Without a name of its own, the text of a file is its name.
        body = body if isinstance(name, str) and name != body else ""
    if _id(_object(relation.get("m.in_reply_to")).get("event_id")):
        body = _without_quotation(body)
    return _without_name(body, content)


def _without_quotation(body: str) -> str:
    """The text of a reply behind what it quotes: https://spec.matrix.org/v1.12/client-server-api/#fallbacks-for-rich-replies."""
    if not QUOTED.match(body):
        return body
    lines = body.split("\n")
    said = next((number for number, line in enumerate(lines) if not line.startswith(">")), len(lines))
    rest = lines[said:]
    return "\n".join(rest[1:] if rest and not rest[0].strip() else rest)


def _without_name(body: str, content: Mapping[str, Any]) -> str:
    profile = _profile(content)
    name = _string(profile.get("displayname"))
    return body.removeprefix(f"{name}: ") if name and profile.get("has_fallback") is True else body


def _profile(content: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((profile for name in PROFILES if (profile := _object(content.get(name)))), {})


def _profile_name(content: Mapping[str, Any]) -> str:
    return _string(_profile(content).get("displayname")).strip()[:LONGEST_NAME]


def _answered(relation: Mapping[str, Any]) -> str:
    """The event that a message replies to. In a thread, most clients name its newest one for those that know no threads."""
    is_for_others = relation.get("rel_type") == "m.thread" and relation.get("is_falling_back") is True
    return "" if is_for_others else _id(_object(relation.get("m.in_reply_to")).get("event_id"))


def _file(content: Mapping[str, Any]) -> FileThere | None:
    key, info = content.get("file"), _object(content.get("info"))
    locked: dict[str, object] | None = dict(key) if isinstance(key, dict) else None
    url = _string(locked.get("url") if locked is not None else content.get("url"))
    if not url.startswith("mxc://") or len(url) > LONGEST_NAME:
        return None
    size = info.get("size")
    name = content.get("filename")
    return FileThere(
        url,
        _string(name if isinstance(name, str) else content.get("body"))[:LONGEST_NAME],
        _string(info.get("mimetype"))[:LONGEST_KIND],
        size if isinstance(size, int) and not isinstance(size, bool) and size > 0 else 0,
        locked,
    )


def _id(value: object) -> str:
    return value if isinstance(value, str) and is_event(value) else ""


def _string(value: object) -> str:
    return _whole(value) if isinstance(value, str) else ""


def _whole(text: str) -> str:
    """A text without halves of pairs of surrogates, which JSON lets through and nothing can be made of."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
