"""What a browser sent in a form, read and checked for shape: an event for the bot, or one clear sentence why not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from aiohttp import web
from aiohttp.web import RequestPayloadError

from adapters.web.safety import NotAllowed
from bot.ids import AuthorId, EventId, Place
from bot.posts import Command, InboundPost

BODY_LIMIT = 8 * 1024 * 1024
"""Bytes read of a form, so that a post that is much too long is answered with a sentence and not with a cut connection."""

NONCE = re.compile(r"[A-Za-z0-9_-]{8,64}")
ACTS: Mapping[str, tuple[str, Mapping[str, str | None]]] = MappingProxyType(
    {
        "retry": ("retry", {}),
        "continue": ("continue", {}),
        "undo": ("undo", {}),
        "swipe_left": ("swipe", {"side": "left"}),
        "swipe_right": ("swipe", {"side": "right"}),
        "edit": ("edit", {"text": None}),
        "length": ("length", {"length": None}),
    }
)
"""What the buttons of the page ask for: a command, and its options (None: what was typed)."""

OUT_OF_DATE = "This page was out of date; reload it and try again."


@dataclass(frozen=True, slots=True)
class Sent:
    """The fields of a form. `nonce` names this one submission: sent twice, it counts once."""

    token: str
    nonce: str
    text: str
    act: str
    turn: str

    def post(self, place: Place, author: AuthorId, name: str) -> InboundPost:
        """The post that was sent. Raises NotAllowed when there is no text in it."""
        if not self.text.strip():
            raise NotAllowed(422, "There is nothing to post yet; write something first.")
        return InboundPost(self._event("post"), place, author, name, self.text)

    def command(self, place: Place, author: AuthorId) -> Command:
        """The act that was asked for. Raises NotAllowed when it is none that is known."""
        values: dict[str, str | int] = {}
        try:
            if self.turn:
                values["turn"] = int(self.turn)
            name, given = ACTS[self.act]
        except (ValueError, KeyError):
            raise NotAllowed(422, OUT_OF_DATE) from None
        values |= {option: self.text if value is None else value for option, value in given.items()}
        return Command(self._event(f"{self.act}.{self.turn}"), place, author, name, values)

    def _event(self, kind: str) -> EventId:
        if not NONCE.fullmatch(self.nonce):
            raise NotAllowed(422, OUT_OF_DATE)
        return EventId(f"{self.nonce}.{kind}")


async def read(request: web.Request) -> Sent:
    """The form of a request. Raises NotAllowed when it is none, is broken, or is larger than can be read."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise NotAllowed(415, "Only forms of this page are accepted.")
    try:
        fields = await request.post()
    except web.HTTPRequestEntityTooLarge:
        raise NotAllowed(413, "That is far too long to be read; post it in smaller parts.") from None
    except (ValueError, LookupError, RequestPayloadError):
        raise NotAllowed(422, "The form could not be read; reload the page and try again.") from None
    got = {name: value for name, value in fields.items() if isinstance(value, str)}
    # Browsers send line ends as CR LF; a story knows newlines.
    text = got.get("text", "").replace("\r\n", "\n")
    return Sent(got.get("token", ""), got.get("nonce", ""), text, got.get("act", ""), got.get("turn", ""))
