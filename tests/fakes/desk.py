"""A desk that notes what it is asked and answers what it was told to."""

from collections.abc import Awaitable, Callable

from bot.commands.catalogue import find
from bot.errors import Refused
from bot.flow.desk import Answer
from bot.ids import SessionId
from bot.posts import Command
from bot.story.session import Session
from tests.builders import a_session

OF_PLACES = {"start", "end", "resume", "import", "lore import"}
"""Commands on stories that do not wait for their turn in a lane."""


class NotingDesk:
    """Begins a story for `start`; for all else it has one answer. `refusal` is what it says instead of any answer."""

    def __init__(self, begin: Callable[[Session], Awaitable[Session]]) -> None:
        self.asked: list[tuple[Command, bytes]] = []
        self.answered = Answer("Noted.")
        self.refusal = ""
        self._begin = begin

    def answers(self, name: str) -> bool:
        spec = find(name)
        return spec is not None and (not spec.is_story or name in OF_PLACES)

    async def answer(self, command: Command, upload: bytes = b"") -> Answer:
        self.asked.append((command, upload))
        if self.refusal:
            raise Refused(self.refusal)
        if command.name == "start":
            scenario = str(command.values.get("scenario", ""))
            await self._begin(a_session(place=command.place, id=SessionId(command.event), scenario=scenario))
        return self.answered
