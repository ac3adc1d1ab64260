"""The faces of the characters, uploaded to the homeserver once each. It knows no card and no store.

Rule: no post waits long for its face, and none fails for want of it.
"""

import asyncio
import hashlib
import io
import json
import logging
import os
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageOps

from adapters.matrix.errors import Attempt
from adapters.matrix.line import Line
from adapters.matrix.posting.asking import MEDIA, ask, text_in
from adapters.matrix.posting.content import Guise
from adapters.matrix.words import server_of
from bot.errors import CourierError, UnderstudyError
from bot.ids import Place
from bot.ports.clock import Clock

log = logging.getLogger(__name__)

SIDE = 512
"""Pixels of a face's side, at most."""

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_BYTES = 16 * 1024 * 1024
MOST_PIXELS = 40_000_000
"""A picture that is larger, packed or unpacked, is not looked at."""

FROM_THE_TOP = (0.5, 0.15)
"""Where the square is cut from a picture that is none: on an upright one, faces are near the top."""

KEPT = 60.0
"""Seconds for which a character's face is not asked for again."""

AFTER_FAILURE = 600.0
"""Seconds after which a face that could not be uploaded is tried again."""

POST_PATIENCE = 4.0
"""Seconds that a post waits for its face. The upload goes on: the next post has it."""

REMEMBERED = 500

UPLOADS = Attempt(act="upload a face")


class BadPicture(Exception):
    """Nothing can be shown of this picture; the message says why."""


@dataclass(slots=True)
class Profiles:
    """Names and faces. `face_of` gives a character's picture; no bytes: it has none. `kept` is where addresses are kept."""

    line: Line
    clock: Clock
    face_of: Callable[[Place, str], Awaitable[bytes]]
    kept: Path
    _guises: OrderedDict[tuple[Place, str], tuple[float, Guise]] = field(default_factory=OrderedDict)
    _addresses: OrderedDict[str, str] | None = None
    _failed: dict[str, float] = field(default_factory=dict)
    _uploads: dict[str, asyncio.Task[str]] = field(default_factory=dict)

    async def of(self, place: Place, name: str) -> Guise:
        """The name, and the address of its face if the homeserver holds one. Raises TryLater without a connection."""
        known = self._guises.get((place, name))
        if known is not None and known[0] + KEPT > self.clock.ticks():
            return known[1]
        server = server_of(self.line.client.user_id)
        try:
            picture = await self.face_of(place, name)
        except UnderstudyError as error:
            log.warning("a face could not be had", exc_info=error, extra={"action": "post_without_face", "place": place})
            return Guise(name)
        if not picture:
            return self._remember(place, Guise(name))
        address = await self._address(f"{server}/{hashlib.sha256(picture).hexdigest()[:32]}", picture)
        return self._remember(place, Guise(name, address)) if address else Guise(name)

    async def close(self) -> None:
        """Upload nothing more."""
        tasks = list(self._uploads.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _remember(self, place: Place, guise: Guise) -> Guise:
        self._guises[place, guise.name] = self.clock.ticks(), guise
        while len(self._guises) > REMEMBERED:
            self._guises.popitem(last=False)
        return guise

    async def _address(self, name: str, picture: bytes) -> str:
        """Where the homeserver has this picture; empty where it has not, or not yet."""
        known = self._known()
        if name in known:
            return known[name]
        if self._failed.get(name, 0.0) > self.clock.ticks():
            return ""
        task = self._uploads.get(name)
        if task is None:
            task = self._uploads[name] = asyncio.create_task(self._upload(name, picture), name="upload a face")
            task.add_done_callback(lambda _: self._uploads.pop(name, None))
        await asyncio.wait({task}, timeout=POST_PATIENCE)
        return task.result() if task.done() and not task.cancelled() else ""

    async def _upload(self, name: str, picture: bytes) -> str:
        """Upload it and keep its address. Never fails; empty where it could not be done."""
        try:
            small = await asyncio.to_thread(small_face, picture)
            query = {"filename": "face.png"}
            answer = await ask(
                self.line.client, UPLOADS, "POST", "upload", body=small, query=query, api=MEDIA, kind="image/png"
            )
            address = text_in(answer, "content_uri", UPLOADS)
        except (CourierError, BadPicture) as error:
            self._failed = {each: until for each, until in self._failed.items() if until > self.clock.ticks()}
            self._failed[name] = self.clock.ticks() + AFTER_FAILURE
            log.warning("a face could not be uploaded: %s", error, extra={"action": "post_without_face"})
            return ""
        known = self._known()
        known[name] = address
        while len(known) > REMEMBERED:
            known.popitem(last=False)
        self._keep(known)
        return address

    def _known(self) -> OrderedDict[str, str]:
        if self._addresses is None:
            self._addresses = _read(self.kept)
        return self._addresses

    def _keep(self, addresses: OrderedDict[str, str]) -> None:
        """Write it beside, then in its place. Without it, faces are uploaded once more by the next start: no harm."""
        beside = self.kept.with_name(f"{self.kept.name}.new")
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                json.dump(addresses, file, indent=1)
            beside.replace(self.kept)
        except OSError as error:
            log.warning("the addresses of faces could not be kept", exc_info=error, extra={"action": "upload_again_later"})


def small_face(picture: bytes) -> bytes:
    """A square PNG of at most 512 pixels a side, cut from a picture. Raises BadPicture. Slow: not for the event loop."""
    if len(picture) > MOST_BYTES:
        raise BadPicture(f"it has more than {MOST_BYTES // 1024 // 1024} MiB")
    try:
        upright = _upright(picture)
        side = min(SIDE, *upright.size)
        face = ImageOps.fit(upright, (side, side), centering=FROM_THE_TOP)
        out = io.BytesIO()
        face.save(out, "PNG")
    except BadPicture:
        raise
    except Exception as error:  # the library trips over broken pictures in many ways, `struct.error` among them
        raise BadPicture("it is no whole PNG, JPEG or WebP picture") from error
    return out.getvalue()


def _upright(picture: bytes) -> Image.Image:
    """The whole picture, as its camera was held. Raises BadPicture, and whatever the library raises."""
    with Image.open(io.BytesIO(picture), formats=FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            raise BadPicture(f"it has more than {MOST_PIXELS:,} pixels")
        return ImageOps.exif_transpose(image).convert("RGBA")


def _read(path: Path) -> OrderedDict[str, str]:
    """What was kept; nothing where it cannot be read."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return OrderedDict()
    found = kept.items() if isinstance(kept, dict) else ()
    return OrderedDict((name, address) for name, address in found if isinstance(address, str) and address.startswith("mxc://"))
