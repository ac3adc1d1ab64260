"""Posts as the content of events: plain, and as HTML of the same Markdown; with a name and a face. Pure; it knows no room.

A character's name and face are the message's own profile, with the fallback that clients without such profiles show
(https://github.com/matrix-org/matrix-spec-proposals/pull/4144). An empty `m.mentions` says that nothing in a text calls
anybody, whatever it names (https://spec.matrix.org/v1.16/client-server-api/#user-and-room-mentions).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from adapters.markdown import ROOM, render
from adapters.matrix.posting.asking import written
from bot.cleaning import one_line, shows_something, without_surrogates, without_traps
from bot.errors import PostRefused

MOST_BYTES = 40_000
"""Bytes of an event's content as JSON. An event may have 65,536 in all, and encryption makes four bytes of three."""

PROFILE = "com.beeper.per_message_profile"
NAME_BYTES = 255
"""Bytes of a profile's name, at most."""

NAMELESS = "Character"
"""What a character is called of whose name nothing can be shown."""

TEXT, NOTICE = "m.text", "m.notice"
HTML = "org.matrix.custom.html"

CUT_FALLBACK = 100
"""Code points of a long new text that stand where clients look that know no edits."""

Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Guise:
    """The name that a post bears, and the mxc address of its face (empty: it has none)."""

    name: str
    face: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a message stands: the root of its thread, what it answers, and the newest message of its thread that is known."""

    root: str = ""
    answers: str = ""
    newest: str = ""


def message(text: str, guise: Guise | None = None, spot: Spot | None = None) -> Content:
    """A new message: a character's with a guise, the program's own without. Raises PostRefused where it is too long."""
    content = _said(text, guise)
    about = relation(spot or Spot())
    if about:
        content["m.relates_to"] = about
    return _fitting(content)


def edit(event: str, text: str, guise: Guise | None = None) -> Content:
    """What puts another text in the place of the message that was sent as this event. Raises PostRefused likewise."""
    said = _said(text, guise)
    shown = {**said, "body": f"* {said['body']}"}
    if "formatted_body" in said:
        shown["formatted_body"] = f"* {said['formatted_body']}"
    return _fitting({**shown, "m.new_content": said, "m.relates_to": {"rel_type": "m.replace", "event_id": event}})


def relation(spot: Spot) -> Content:
    """Where a message belongs; empty for one that just stands in a room."""
    answer = {"m.in_reply_to": {"event_id": spot.answers or spot.newest or spot.root}}
    if spot.root:
        return {"rel_type": "m.thread", "event_id": spot.root, "is_falling_back": not spot.answers, **answer}
    return answer if spot.answers else {}


def reaction(event: str, sign: str) -> Content:
    """A sign beside an event."""
    return {"m.relates_to": {"rel_type": "m.annotation", "event_id": event, "key": sign}}


def size_of(content: Mapping[str, Any]) -> int:
    """Bytes of a content as homeservers measure it."""
    return len(written(content).encode())


def shown_name(name: str) -> str:
    """A character's name as a profile may hold it: one line of 1 to 255 bytes."""
    line = one_line(without_traps(name)).encode()[:NAME_BYTES].decode(errors="ignore").rstrip()
    return line if shows_something(line) else NAMELESS


def _said(text: str, guise: Guise | None) -> Content:
    text = without_surrogates(text)  # what no encoding holds, no homeserver takes
    content: Content = {"msgtype": NOTICE if guise is None else TEXT, "body": text, "m.mentions": {}}
    html = str(render(text, ROOM)).strip()
    if guise is not None:
        name = shown_name(guise.name)
        content |= {"body": f"{name}: {text}", PROFILE: _profile(name, guise.face)}
        html = _with_name(html, name)
    return {**content, "format": HTML, "formatted_body": html} if html else content


def _profile(name: str, face: str) -> Content:
    """An empty address says that there is no face: without one, the bot's own would be shown."""
    own = hashlib.sha256(name.encode()).hexdigest()[:32]
    return {"id": own, "displayname": name, "avatar_url": face, "has_fallback": True}


def _with_name(html: str, name: str) -> str:
    said = f"<strong data-mx-profile-fallback>{escape(name)}: </strong>"
    return f"<p>{said}{html.removeprefix('<p>')}" if html.startswith("<p>") else f"{said}{html}"


def _fitting(content: Content) -> Content:
    """The content, without what is only there to look better where it is too large with it. Raises PostRefused."""
    for smaller in (_as_it_is, _without_outer_html, _without_html, _with_short_fallback):
        content = smaller(content)
        if size_of(content) <= MOST_BYTES:
            return content
    raise PostRefused(f"A message on Matrix holds {MOST_BYTES:,} bytes; this one has {size_of(content):,}.")


def _as_it_is(content: Content) -> Content:
    return content


def _without_outer_html(content: Content) -> Content:
    """An edit's text stands in it twice: the outer one is for clients that know no edits."""
    return _plain(content) if "m.new_content" in content else content


def _without_html(content: Content) -> Content:
    plain = _plain(content)
    return {**plain, "m.new_content": _plain(plain["m.new_content"])} if "m.new_content" in plain else plain


def _with_short_fallback(content: Content) -> Content:
    if "m.new_content" not in content or len(content["body"]) <= CUT_FALLBACK:
        return content
    return {**content, "body": f"{content['body'][:CUT_FALLBACK]}…"}


def _plain(content: Content) -> Content:
    return {name: value for name, value in content.items() if name not in {"format", "formatted_body"}}
