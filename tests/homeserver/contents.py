"""What a plain client writes into the events that people send. Pure; it knows no network."""

from collections.abc import Sequence
from typing import Any

Content = dict[str, Any]


def message(  # noqa: PLR0913 what a client may put into a message
    body: str,
    *,
    msgtype: str = "m.text",
    html: str | None = None,
    thread: str | None = None,
    reply_to: str | None = None,
    mentions: Sequence[str] = (),
) -> Content:
    """A text, an emote or a notice; perhaps in a thread, as a reply, naming people by their ids."""
    content: Content = {"msgtype": msgtype, "body": body}
    if html is not None:
        content |= {"format": "org.matrix.custom.html", "formatted_body": html}
    if mentions:
        content["m.mentions"] = {"user_ids": list(mentions)}
    if about := belonging(thread, reply_to):
        content["m.relates_to"] = about
    return content


def belonging(thread: str | None, reply_to: str | None) -> Content:
    """Where a message stands. In a thread, a message that is no reply falls back to one to the thread's root."""
    if thread is None:
        return {"m.in_reply_to": {"event_id": reply_to}} if reply_to is not None else {}
    return {
        "rel_type": "m.thread",
        "event_id": thread,
        "is_falling_back": reply_to is None,
        "m.in_reply_to": {"event_id": reply_to or thread},
    }


def edit(event_id: str, new: Content) -> Content:
    """A message in the place of another. The body outside is what clients show that know no edits."""
    outside = {key: value for key, value in new.items() if key != "m.relates_to"}
    outside["body"] = f"* {new['body']}"
    if "formatted_body" in new:
        outside["formatted_body"] = f"* {new['formatted_body']}"
    return {**outside, "m.new_content": new, "m.relates_to": {"rel_type": "m.replace", "event_id": event_id}}


def reaction(event_id: str, key: str) -> Content:
    """A reaction, which stands beside what it is about."""
    return {"m.relates_to": {"rel_type": "m.annotation", "event_id": event_id, "key": key}}


def file(name: str, media_type: str, size: int, caption: str | None) -> Content:
    """An image or any other file, without its address. With a caption, that is the body, and the file has its own name."""
    kind, _, _ = media_type.partition("/")
    content: Content = {
        "msgtype": f"m.{kind}" if kind in ("image", "audio", "video") else "m.file",
        "body": name,
        "info": {"mimetype": media_type, "size": size},
    }
    return content if caption is None else content | {"body": caption, "filename": name}


def room(  # noqa: PLR0913 what a client may ask for of a room
    *,
    name: str,
    version: str | None,
    encrypted: bool,
    public: bool,
    direct: bool,
    invite: Sequence[str],
    history: str | None,
    power: Content | None,
) -> Content:
    """The wish for a room. `power` overrides what the homeserver would put into m.room.power_levels."""
    state = [_state("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})] if encrypted else []
    if history is not None:
        state.append(_state("m.room.history_visibility", {"history_visibility": history}))
    wish: Content = {
        "preset": "public_chat" if public else "trusted_private_chat" if direct else "private_chat",
        "is_direct": direct,
        "invite": list(invite),
        "initial_state": state,
    }
    optional = {"name": name, "room_version": version, "power_level_content_override": power}
    return wish | {key: value for key, value in optional.items() if value}


def _state(kind: str, content: Content) -> Content:
    return {"type": kind, "state_key": "", "content": content}
