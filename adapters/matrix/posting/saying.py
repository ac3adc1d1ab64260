"""What the program itself says and does in answer to people: notices, files, reactions. It knows no command."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from nio.crypto.attachments import encrypt_attachment

from adapters.matrix.errors import Attempt
from adapters.matrix.posting.asking import MEDIA, ask, text_in
from adapters.matrix.posting.content import Spot, message, reaction, relation
from adapters.matrix.posting.sending import MESSAGE, REACTION, Sending
from adapters.matrix.words import room_of, root_of
from bot.chunking.chunker import cut
from bot.errors import PostRefused
from bot.ids import Place
from bot.posts import ChannelLimits

POST_LENGTH = 3000
"""Code points of a post: what a screen shows without much scrolling. An event would hold many times as much."""

LIMITS = ChannelLimits(POST_LENGTH)

UPLOADS = Attempt(act="upload a file")
REMEMBERED = 32

Stored = dict[str, Any]
"""How a message names a file: by its address, or with its key where it is encrypted."""


@dataclass(slots=True)
class Saying:
    """Says it once for each key. All methods raise the errors of a courier."""

    sending: Sending
    _stored: OrderedDict[tuple[Place, str], Stored] = field(default_factory=OrderedDict)

    async def notice(self, place: Place, text: str, answers: str = "", *, key: str) -> str:
        """Say a text of Markdown, in several messages where it is long, in reply to `answers`; the first one's event."""
        said: list[str] = []
        for number, chunk in enumerate(cut(text, LIMITS)):
            content = message(chunk.text, spot=Spot(root_of(place), answers if not said else "", said[-1] if said else ""))
            said.append(await self.sending.send(place, MESSAGE, content, "notice", key, str(number)))
        if not said:
            raise PostRefused("There is nothing to say.")
        return said[0]

    async def file(  # noqa: PLR0913, PLR0917  what a file is
        self, place: Place, name: str, mimetype: str, data: bytes, text: str = "", answers: str = "", *, key: str
    ) -> str:
        """Send a file with a caption, encrypted where the room is; its event."""
        stored = await self._store(place, name, mimetype, data, key)
        about = relation(Spot(root_of(place), answers))
        content = {
            **(message(text) if text else {"body": name, "m.mentions": {}}),
            **stored,
            **({"m.relates_to": about} if about else {}),
            "msgtype": "m.image" if mimetype.startswith("image/") else "m.file",
            "filename": name,
            "info": {"mimetype": mimetype, "size": len(data)},
        }
        return await self.sending.send(place, MESSAGE, content, "file", key)

    async def react(self, place: Place, event: str, sign: str, *, key: str) -> str:
        """Put a sign beside an event; the sign's own event."""
        return await self.sending.send(place, REACTION, reaction(event, sign), "react", event, sign, key)

    async def take_away(self, place: Place, event: str, *, key: str) -> None:
        """Take a message or sign of ours away. One that is gone is no error."""
        await self.sending.redact(place, event, key)

    async def _store(self, place: Place, name: str, mimetype: str, data: bytes, key: str) -> Stored:
        """Upload it, once for each key: whoever is told to come back later need not bring it again."""
        known = self._stored.get((place, key))
        if known is not None:
            return known
        is_sealed = self.sending.is_encrypted(room_of(place))
        body, keys = encrypt_attachment(data) if is_sealed else (data, {})
        query, kind = ({}, "application/octet-stream") if is_sealed else ({"filename": name}, mimetype)
        client = self.sending.line.client
        answer = await ask(client, UPLOADS, "POST", "upload", body=body, query=query, api=MEDIA, kind=kind)
        url = text_in(answer, "content_uri", UPLOADS)
        self._stored[place, key] = {"file": {**keys, "url": url}} if is_sealed else {"url": url}
        while len(self._stored) > REMEMBERED:
            self._stored.popitem(last=False)
        return self._stored[place, key]
