"""The faces of the characters, where Discord can load them from. It knows no card and no store.

The trap avoided: a webhook's face needs a public address, and addresses of attachments expire within a day. An emoji of the
application has one that lasts, and its name says whose face it is, so that no table of faces must survive a restart.
"""

import asyncio
import base64
import hashlib
import io
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import discord
from PIL import Image, ImageOps

from adapters.discord.errors import Attempt, translated
from adapters.discord.line import Line
from bot.errors import CourierError, UnderstudyError
from bot.ids import Place
from bot.ports.clock import Clock

log = logging.getLogger(__name__)

SIDE = 128
"""Pixels of a face's side: what Discord makes of an emoji anyway."""

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

REMEMBERED = 1024
UPLOAD_PATIENCE = 15.0
"""Seconds that a post waits for its face."""


@dataclass(slots=True)
class Faces:
    """Uploads each face once, and tells its address. `face_of` gives a character's picture; no bytes: it has none."""

    line: Line
    clock: Clock
    face_of: Callable[[Place, str], Awaitable[bytes]]
    _addresses: OrderedDict[tuple[Place, str], tuple[float, str | None]] = field(default_factory=OrderedDict)
    _emojis: dict[str, int] = field(default_factory=dict)
    _listed_for: int | None = None
    _failed: dict[str, float] = field(default_factory=dict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def address(self, place: Place, name: str) -> str | None:
        """The public address of a character's face, if it has one and Discord holds it. Never fails: a post goes without."""
        kept = self._addresses.get((place, name))
        if kept is not None and kept[0] + KEPT > self.clock.ticks():
            return kept[1]
        try:
            found = await self._found(await self.face_of(place, name))
        except UnderstudyError as error:
            log.warning("a face could not be had", exc_info=error, extra={"action": "post_without_face", "place": place})
            found = None
        self._addresses[place, name] = (self.clock.ticks(), found)
        while len(self._addresses) > REMEMBERED:
            self._addresses.popitem(last=False)
        return found

    async def _found(self, picture: bytes) -> str | None:
        if not picture:
            return None
        name = emoji_name(picture)
        if name in self._emojis and self._listed_for == self.line.client.application_id:
            return address_of(self._emojis[name])
        # One at a time: two posts of one character must not upload its face twice.
        async with self._lock:
            if self._failed.get(name, 0.0) > self.clock.ticks():
                return None
            try:
                async with asyncio.timeout(UPLOAD_PATIENCE):
                    return address_of(await self._emoji(name, picture))
            except (CourierError, BadPicture, TimeoutError) as error:
                self._failed = {each: until for each, until in self._failed.items() if until > self.clock.ticks()}
                self._failed[name] = self.clock.ticks() + AFTER_FAILURE
                self._listed_for = None  # it may have arrived, and a name is taken once only: look before the next try
                log.warning("a face could not be uploaded: %s", error, extra={"action": "post_without_face"})
                return None

    async def _emoji(self, name: str, picture: bytes) -> int:
        """The id of the emoji with this name, made if the application has none."""
        client = self.line.client
        application = client.application_id
        if application is None:
            raise BadPicture("the application is not known yet")
        if self._listed_for != application:
            async with translated(Attempt(act="list the application's emojis", changes=False)):
                listed = await client.http.get_application_emojis(application)
            self._emojis = {str(each["name"]): int(each["id"] or 0) for each in listed["items"]}
            self._listed_for = application
        if name not in self._emojis:
            small = await asyncio.to_thread(small_face, picture)
            async with translated(Attempt(act="upload a face")):
                made = await client.http.create_application_emoji(application, name, data_address(small))
            self._emojis[name] = int(made["id"] or 0)
        return self._emojis[name]


class BadPicture(Exception):
    """Nothing can be shown of this picture; the message says why."""


def emoji_name(picture: bytes) -> str:
    """What the emoji of this picture is called: the same picture has the same name for ever."""
    return f"face_{hashlib.sha256(picture).hexdigest()[:16]}"


def address_of(emoji: int) -> str:
    """Where everybody can load an emoji from."""
    return f"{discord.Asset.BASE}/emojis/{emoji}.png"


def data_address(png: bytes) -> str:
    """A PNG as Discord takes it in an upload."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def small_face(picture: bytes) -> bytes:
    """A square PNG, 128 pixels a side, cut from a PNG, JPEG or WebP. Raises BadPicture. Slow: not for the event loop."""
    if len(picture) > MOST_BYTES:
        raise BadPicture(f"it has more than {MOST_BYTES // 1024 // 1024} MiB")
    try:
        upright = _upright(picture)
    except BadPicture:
        raise
    except Exception as error:  # the library trips over broken pictures in many ways, `struct.error` among them
        raise BadPicture("it is no whole PNG, JPEG or WebP picture") from error
    face = ImageOps.fit(upright, (SIDE, SIDE), centering=FROM_THE_TOP)
    out = io.BytesIO()
    face.save(out, "PNG", optimize=True)
    return out.getvalue()


def _upright(picture: bytes) -> Image.Image:
    """The whole picture, as its camera was held. Raises BadPicture, and whatever the library raises."""
    with Image.open(io.BytesIO(picture), formats=FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            raise BadPicture(f"it has more than {MOST_PIXELS:,} pixels")
        return ImageOps.exif_transpose(image).convert("RGBA")
