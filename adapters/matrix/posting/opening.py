"""New places for stories: threads, each below a message of the bot. It knows no story but the title and text it is given."""

from dataclasses import dataclass

from adapters.matrix.posting.content import Spot, message
from adapters.matrix.posting.sending import MESSAGE, Sending
from adapters.matrix.words import place_of, room_of, root_of
from bot.errors import PostRefused
from bot.ids import Place

LONGEST_TITLE = 100
LONGEST_TEXT = 2000
TITLE = "A story"
"""The title of a place that was given none."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Opens places, each key once: the key is that of the message that a thread begins with."""

    sending: Sending

    async def beside(self, near: Place, title: str, key: str) -> Place:
        """The thread for this key, in the room that a place is or is in. Raises the errors of a courier."""
        return await self._open(place_of(room_of(near)), title, key, "")

    async def below(self, near: Place, title: str, key: str, body: str) -> Place:
        """The thread for this key in a room's main timeline. Raises PostRefused in a thread."""
        if root_of(near):
            raise PostRefused("A thread holds one story only; begin another one in the room itself.")
        return await self._open(near, title, key, body)

    async def _open(self, near: Place, title: str, key: str, body: str) -> Place:
        content = message(first_words(title, body), spot=Spot())
        root = await self.sending.send(near, MESSAGE, content, "thread", key)
        return place_of(room_of(near), root)


def first_words(title: str, body: str) -> str:
    """What a thread begins with: its title in bold, and the text below it, cut where it is too long."""
    line = " ".join(title.split())[:LONGEST_TITLE].strip() or TITLE
    text = body.strip()
    shown = text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1].rstrip()}…"
    return f"**{line}**\n\n{shown}" if shown else f"**{line}**"
