"""What the bot says of itself where nobody asked by a command: how to begin, and that a message could not be read.

Rule: a hint is no answer to be given each time. Whoever gets one gets no other of its kind for an hour.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from adapters.matrix.commands.replying import Replies
from adapters.matrix.heard import Happened, Said, Unreadable
from adapters.matrix.words import event_of, place_of
from bot.ids import Place
from bot.ports.clock import Clock

REST = 3_600.0
"""Seconds between two hints of a kind to the same person."""

REMEMBERED = 1_000

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
    _given: OrderedDict[tuple[str, str, str], float] = field(default_factory=OrderedDict)

    async def how_to_begin(self, place: Place, said: Said) -> None:
        """Somebody talks with the bot alone, where no story is played."""
        if self._is_due("begin", said):
            await self.replies.say(place, HOW_TO_BEGIN.format(prefix=self.prefix), event_of(said.event), said.event, "hint")

    async def unreadable(self, heard: Unreadable) -> None:
        """A message of theirs could not be decrypted."""
        if self._is_due("unreadable", heard):
            place = place_of(heard.room, heard.root)
            await self.replies.say(place, heard.why, event_of(heard.event), heard.event, "unreadable")

    def _is_due(self, kind: str, heard: Happened) -> bool:
        key, now = (kind, heard.room, heard.sender), self.clock.ticks()
        if now - self._given.get(key, -REST) < REST:
            return False
        self._given[key] = now
        self._given.move_to_end(key)
        while len(self._given) > REMEMBERED:
            self._given.popitem(last=False)
        return True
