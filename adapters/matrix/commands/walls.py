"""What the commands need of their neighbours: the courier, and the voice that their answers are given in. It does nothing."""

from typing import Protocol

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
