"""What a browser sent in a form, read and checked for shape: an event for the bot, or one clear sentence why not."""

import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from aiohttp import BadContentDispositionHeader, BadContentDispositionParam, BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError

from adapters.markdown import plain
from adapters.network.serving import arriving
from adapters.web.safety import NotAllowed
from bot.ids import AuthorId, EventId, Place
from bot.posts import Command, InboundPost

BODY_LIMIT = 8 * 1024 * 1024
"""Bytes read of a form, so that a post that is much too long is answered with a sentence and not with a cut connection."""

UPLOAD_LIMIT = 16 * 1024 * 1024
"""Bytes of a file that a player may bring."""

FIELD_LIMIT = 64 * 1024
"""Bytes of any other field of a form that brings a file, and of all that stands around its fields."""

LOGIN_LIMIT = 16 * 1024
"""Bytes read of the form of somebody who has not logged in."""

LINE_LIMIT = 255
FIELDS = 16
CHUNK = 64 * 1024

NONCE = re.compile(r"[A-Za-z0-9_-]{8,64}")
TURN = re.compile(r"[0-9]{1,9}")
ACTS: Mapping[str, tuple[str, Mapping[str, str | None]]] = MappingProxyType(
    {
        "retry": ("retry", {}),
        "shorter": ("shorter", {}),
        "longer": ("longer", {}),
        "continue": ("continue", {}),
        "undo": ("undo", {}),
        "swipe_left": ("swipe", {"side": "left"}),
        "swipe_right": ("swipe", {"side": "right"}),
        "edit": ("edit", {"text": None}),
        "delete": ("delete", {}),
        "rewind": ("rewind", {}),
        "branch": ("branch", {}),
        "length": ("length", {"length": None}),
        "pause": ("pause", {}),
        "unpause": ("unpause", {}),
    }
)
"""What the buttons of the page ask for: a command, and its options (None: what was typed)."""

UTF_8 = "utf-8"

UNREADABLE_PARTS = (
    ValueError,
    LookupError,
    RuntimeError,  # aiohttp's, for a field "_charset_" that is too long
    RequestPayloadError,
    HttpProcessingError,
    BadContentDispositionHeader,
    BadContentDispositionParam,
)
"""What reading a form in parts may raise."""

# As warnings, these two would be printed, and remembered by Python for ever, each with all of the header that a client sent.
warnings.simplefilter("error", BadContentDispositionHeader)
warnings.simplefilter("error", BadContentDispositionParam)

OUT_OF_DATE = "This page was out of date; reload it and try again."
TOO_LONG = "That is far too long to be read; post it in smaller parts."
LATE = "The form took too long to arrive; send it again."
UNREADABLE = "The form could not be read; reload the page and try again."
FILE_TOO_LARGE = f"The file is larger than {UPLOAD_LIMIT // 1024 // 1024} MiB, the most that is read; bring a smaller one."


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes in a thread: the player, and what the story calls them."""

    author: AuthorId
    name: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The fields of a form. `nonce` names this one submission: sent twice, it counts once."""

    token: str
    nonce: str
    text: str
    act: str = ""
    turn: str = ""
    character: str = ""
    file_name: str = ""
    file: bytes = b""

    def post(self, place: Place, by: Writer) -> InboundPost:
        """The post that was sent. Raises NotAllowed when there is no text in it."""
        if not self.text.strip():
            raise NotAllowed(422, "There is nothing to post yet; write something first.")
        return InboundPost(self._event("post"), place, by.author, by.name, self.text)

    def button(self, place: Place, by: Writer) -> Command:
        """The act that a button asked for. Raises NotAllowed when it is none that is known."""
        values: dict[str, str | int] = {}
        try:
            name, given = ACTS[self.act]
        except KeyError:
            raise NotAllowed(422, OUT_OF_DATE) from None
        if self.turn:
            if not TURN.fullmatch(self.turn):
                raise NotAllowed(422, OUT_OF_DATE)
            values["turn"] = int(self.turn)
        values |= {option: self.text if value is None else value for option, value in given.items()}
        return self.command(place, by, name, values, f"{self.act}.{self.turn}")

    def command(self, place: Place, by: Writer, name: str, values: Mapping[str, str | int], kind: str) -> Command:
        """A command of the player's, who decides in the place: it is theirs. `kind` tells apart what one page can send."""
        return Command(self._event(kind), place, by.author, name, values, by.name, is_moderator=True)

    @property
    def key(self) -> str:
        """A name of this submission for what it makes. Raises NotAllowed when it has none."""
        return self._event("new")

    def _event(self, kind: str) -> EventId:
        if not NONCE.fullmatch(self.nonce):
            raise NotAllowed(422, OUT_OF_DATE)
        return EventId(f"{self.nonce}.{kind}")


async def read(request: web.Request, most: int = BODY_LIMIT) -> Sent:
    """The form of a request. Raises NotAllowed when it is none, is broken, late, or has more than so many bytes."""
    _check_kind(request, "application/x-www-form-urlencoded")
    # A browser always says how many bytes a form has.
    if most < BODY_LIMIT and (request.content_length is None or request.content_length > most):
        raise NotAllowed(413, TOO_LONG)
    try:
        async with arriving(request):
            fields = await request.post()
    except web.HTTPRequestEntityTooLarge:
        raise NotAllowed(413, TOO_LONG) from None
    except TimeoutError:
        raise NotAllowed(408, LATE) from None
    except (ValueError, LookupError, RequestPayloadError):
        raise NotAllowed(422, UNREADABLE) from None
    return _sent({name: value for name, value in fields.items() if isinstance(value, str)})


async def read_upload(request: web.Request, check: Callable[[str], None]) -> Sent:
    """The form of a request that brings a file. `check` is asked about the token before any of the file is read.

    Raises NotAllowed as `read` does, and what `check` raises.
    """
    _check_kind(request, "multipart/form-data")
    if (request.content_length or 0) > UPLOAD_LIMIT + FIELD_LIMIT:
        raise NotAllowed(413, FILE_TOO_LARGE)
    try:
        async with arriving(request):
            return await _read_parts(await request.multipart(), check)
    except TimeoutError:
        raise NotAllowed(408, LATE) from None
    except UNREADABLE_PARTS:
        raise NotAllowed(422, UNREADABLE) from None


def _check_kind(request: web.Request, kind: str) -> None:
    """No browser packs a form: a packed one is small for whoever sends it and large for whoever reads it.

    None writes it in anything but UTF-8 either; other charsets of Python's can make texts that nobody can store.
    """
    is_foreign = (request.charset or UTF_8).lower() != UTF_8
    if request.content_type != kind or is_foreign or "Content-Encoding" in request.headers:
        raise NotAllowed(415, "Only forms of this page are accepted.")


async def _read_parts(parts: MultipartReader, check: Callable[[str], None]) -> Sent:
    """The fields of the form in their order: the file comes last, behind the token that it is read for."""
    fields: dict[str, str] = {}
    for _ in range(FIELDS):
        part = await parts.next()
        if not isinstance(part, BodyPartReader):
            break
        if part.name != "file":
            fields[part.name or ""] = (await _bytes(part, FIELD_LIMIT, UNREADABLE)).decode()
            continue
        check(fields.get("token", ""))
        data = await _bytes(part, UPLOAD_LIMIT, FILE_TOO_LARGE)
        return replace(_sent(fields), file_name=_bare(part.filename or ""), file=data)
    check(fields.get("token", ""))
    return _sent(fields)


async def _bytes(part: BodyPartReader, limit: int, sentence: str) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(CHUNK):
        data += chunk
        if len(data) > limit:
            raise NotAllowed(413, sentence)
    return bytes(data)


def _sent(got: Mapping[str, str]) -> Sent:
    # Browsers send line ends as CR LF; a story knows newlines.
    text = got.get("text", "").replace("\r\n", "\n")
    token, nonce, act, turn, character = (got.get(name, "") for name in ("token", "nonce", "act", "turn", "character"))
    return Sent(token, nonce, text, act, turn, character)


def _bare(name: str) -> str:
    """A file's own name, as far as it can be said in a line."""
    return plain(name).replace("\\", "/").rpartition("/")[2].replace("\n", " ")[:LINE_LIMIT]
