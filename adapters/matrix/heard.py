"""What somebody did in a room, as plain values that were checked at the door. It knows no library and no story."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class FileThere:
    """A file that somebody sent: where it lies, what it is called and said to be, and its key where it is encrypted.

    `size` is what its sender says, in bytes (0: nothing). `key` is the `file` object of an encrypted one, as it came.
    """

    url: str
    name: str
    mimetype: str = ""
    size: int = 0
    key: dict[str, object] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What all have: the room, the event's own id, who did it, when (seconds since the epoch, by the homeserver's clock)."""

    room: str
    event: str
    sender: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(Happened):
    """Somebody wrote a message, or sent a file with a caption as its text.

    `root` is the event that its thread begins with, `answers` the event that it replies to (empty: none; what a client puts
    there only for others that know no threads does not count). The text has no fallback of a reply or a profile in it any
    more. `as_name` is the name of the message's own profile. `is_emote`: it tells what they do; `is_notice`: a program did;
    `is_played`: another Understudy posted it, perhaps as a character.
    """

    text: str = field(repr=False)
    root: str = ""
    answers: str = ""
    as_name: str = ""
    is_emote: bool = False
    is_notice: bool = False
    is_played: bool = False
    file: FileThere | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten(Happened):
    """Somebody edited their message `of`: it now reads so."""

    of: str
    text: str = field(repr=False)
    is_emote: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted(Happened):
    """The event `of` was taken away, by whoever's hand."""

    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reacted(Happened):
    """Somebody put a sign beside the event `of`. The sign has no variation selectors."""

    of: str
    sign: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable(Happened):
    """A message could not be decrypted so far. `why` is a sentence for the place; it may still be readable later.

    `root` is the event that its thread begins with: relations are not encrypted.
    """

    why: str
    root: str = ""


Heard = Said | Rewritten | Redacted | Reacted | Unreadable


class Listener(Protocol):
    """Whoever is told of what was heard: a room's events in order, one after another; rooms side by side."""

    async def concerns(self, heard: Heard) -> bool:
        """Whether it may need this: what it does not need is kept nowhere. Asked before what is older is dealt with.

        An event is always kept while an older one of its room waits, which may begin a story. Raises StoreUnavailable.
        """
        ...

    async def heard(self, heard: Heard) -> None:
        """Deal with it. Once this returns it is done, for ever; after a crash it comes again.

        Raises StoreUnavailable (it is told again later) and nothing else.
        """
        ...

    async def gone(self, room: str) -> None:
        """The bot is in a room no longer, or the room is over: what is played there ends. Raises StoreUnavailable."""
        ...
