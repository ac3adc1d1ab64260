"""What the bot says of itself where nobody asked by a command: how to begin, and that a message could not be read.

Rule: a hint is no answer to be given each time. Whoever gets one gets no other of its kind for an hour.
"""

from dataclasses import dataclass, field

from adapters.matrix.commands.replying import Replies
from adapters.matrix.commands.seldom import Seldom
from adapters.matrix.heard import Said, Unreadable
from adapters.matrix.words import event_of, place_of
from bot.ids import Place
from bot.ports.clock import Clock

REST = 3_600.0
"""Seconds between two hints of a kind to the same person."""

HOW_TO_BEGIN = (
    "I play characters in stories. `{prefix} character list` shows whom I can play, `{prefix} start` and a name begins a story"
    " here, and `{prefix} help` shows all else. A character's card is taken in if you send it with `{prefix} character import`"
    " as its caption."
)


@dataclass(slots=True)
class Hints:
    """Gives hints."""

    replies: Replies
    clock: Clock
    prefix: str
    _given: Seldom = field(init=False)

    def __post_init__(self) -> None:
        self._given = Seldom(self.clock, REST)

    async def how_to_begin(self, place: Place, said: Said) -> None:
        """Somebody talks with the bot alone, where no story is played."""
        if self._given.is_due("begin", said.room, said.sender):
            await self.replies.say(place, HOW_TO_BEGIN.format(prefix=self.prefix), event_of(said.event), said.event, "hint")

    async def unreadable(self, heard: Unreadable) -> None:
        """A message of theirs could not be decrypted."""
        if self._given.is_due("unreadable", heard.room, heard.sender):
            place = place_of(heard.room, heard.root)
            await self.replies.say(place, heard.why, event_of(heard.event), heard.event, "unreadable")
