"""How a command is answered: by a notice, a file, a sign. It knows no command, and says nothing twice.

Rule: an answer is given before its command counts as done, however long the homeserver takes, so that a crash loses none; its
key is made of the event that it answers, so that after a crash it is not given again. What can never be said is logged.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from adapters.matrix.commands.patience import patiently
from adapters.matrix.commands.signs import NOD
from adapters.matrix.commands.walls import Says
from bot.cleaning import without_traps
from bot.errors import ChannelGone, CourierError
from bot.flow.desk import Answer
from bot.ids import EventId, Place
from bot.ports.clock import Clock

log = logging.getLogger(__name__)

MOST = 9_000
"""Characters of an answer that is told in messages; a longer one is a file."""

PATIENCE = 3_600.0
"""Seconds after which an answer is given up: by then whoever asked has asked again."""

LONG = "The answer is long; here it is as a file."


@dataclass(frozen=True, slots=True)
class Replies:
    """Gives answers. Nothing is raised from here but what ends the task; what cannot be said returns False."""

    says: Says
    clock: Clock

    async def say(self, place: Place, text: str, event: EventId, answers: str = "", part: str = "answer") -> bool:
        """A sentence or a page, in reply to the event `answers`. Of an event, each `part` is said once."""
        key = f"{event}/{part}"
        if len(text) <= MOST:
            # It may quote somebody, who must not turn around how the rest of it reads.
            plain = without_traps(text)
            return await self._tell(place, lambda: self.says.notice(place, plain, answers, key=key))
        return await self._file(
            place, Answer(LONG, text.encode("utf-8", "replace"), "answer.md", "text/markdown"), answers, key
        )

    async def give(self, place: Place, answer: Answer, event: EventId, answers: str = "") -> bool:
        """The answer to a command, with its file if it has one."""
        if not answer.file:
            return await self.say(place, answer.text, event, answers)
        if len(answer.text) <= MOST:
            return await self._file(place, answer, answers, f"{event}/file")
        return await self._file(place, answer, answers, f"{event}/file") and await self.say(place, answer.text, event, answers)

    async def nod(self, place: Place, event: EventId) -> bool:
        """Show beside a command that it was taken."""
        return await self._tell(place, lambda: self.says.react(place, event, NOD, key=f"{event}/nod"))

    async def _file(self, place: Place, answer: Answer, answers: str, key: str) -> bool:
        name, kind = answer.file_name or "file", answer.file_type or "application/octet-stream"
        text = answer.text if len(answer.text) <= MOST else LONG
        return await self._tell(place, lambda: self.says.file(place, name, kind, answer.file, text, answers, key=key))

    async def _tell(self, place: Place, tell: Callable[[], Awaitable[object]]) -> bool:
        try:
            await patiently(self.clock, tell, PATIENCE)
        except CourierError as error:
            level = logging.INFO if isinstance(error, ChannelGone) else logging.WARNING
            log.log(level, "an answer could not be given: %s", error, extra={"action": "leave_unanswered", "place": place})
            return False
        return True
