"""What the commands need of their neighbours: the courier, the voice of their answers, the homeserver. It does nothing."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from adapters.matrix.heard import FileThere, Said
from bot.ids import EventId, MessageId, Place
from bot.posts import ChannelLimits, Fate


class Says(Protocol):
    """The program's own words and signs. All raise CourierError and nothing else; the same key in a room says it once."""

    async def notice(self, place: Place, text: str, answers: str = "", *, key: str) -> str:
        """A notice, Markdown, in reply to the event `answers` if one is named; returns the event that it (first) became."""
        ...

    async def file(  # noqa: PLR0913, PLR0917  what a file is
        self,
        place: Place,
        name: str,
        mimetype: str,
        data: bytes,
        text: str,
        answers: str = "",
        *,
        key: str,
    ) -> str:
        """A file with a few words beside it; returns its event."""
        ...

    async def react(self, place: Place, event: str, sign: str, *, key: str) -> object:
        """A sign beside an event."""
        ...


class Opens(Protocol):
    """The courier, as far as the commands need it. Its calls raise CourierError and nothing else."""

    async def limits(self, place: Place) -> ChannelLimits:
        """What a place accepts."""
        ...

    async def open_with(self, near: Place, title: str, key: str, body: str) -> Place:
        """A thread of a room's main timeline, begun with a notice of this title and body. The same key opens the same one.

        Raises PostRefused, with a sentence for the player.
        """
        ...

    async def delete(self, place: Place, message: MessageId) -> None:
        """Take away a message of ours. One that is gone is no error."""
        ...

    async def tell_fate(self, place: Place, post: EventId, fate: Fate | None) -> None:
        """Show beside a player's post what became of it. Never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Sealed:
    """A message that cannot be decrypted, by its event.

    `root` is the event that its thread begins with (empty: none), `at` when it was sent (seconds since the epoch).
    """

    event: str
    root: str = ""
    at: float = 0.0


Found = Said | Sealed
"""A message as it stands in a room."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A direct chat, and whether the other one is in it: who was invited may not have accepted yet."""

    room: str
    is_joined: bool


class Reads(Protocol):
    """Whoever reads what stands in rooms. Raises CourierError and nothing else."""

    async def message(self, room: str, event: str) -> Found | None:
        """What a message says now; None where it is none, is gone, or is not for the bot to see."""
        ...

    def of(self, place: Place) -> AsyncIterator[Found]:
        """The messages of a place, the newest first: of a thread, its root too; of a main timeline, none of its threads."""
        ...


class Chats(Protocol):
    """Whoever finds or makes direct chats. Raises CourierError and nothing else."""

    async def chat_with(self, user: str) -> Chat:
        """The direct chat with somebody, invited at least."""
        ...


class Fetches(Protocol):
    """Whoever fetches files. Raises Refused, and TryLater while there is no connection."""

    async def fetch(self, file: FileThere) -> bytes:
        """The bytes of a file, decrypted."""
        ...

    async def fetch_text(self, file: FileThere) -> str:
        """The text in a file."""
        ...


@dataclass(frozen=True, slots=True)
class Homeserver:
    """What is asked of the homeserver beside what the courier and the voice do."""

    past: Reads
    chats: Chats
    files: Fetches
