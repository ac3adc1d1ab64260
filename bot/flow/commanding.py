"""How the faces that answer each command hand in those of a story: what would come to nothing is refused at once.

It answers nobody, and knows no platform. What is handed in is carried out in its place's lane, as everything is.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from bot import texts
from bot.errors import Refused
from bot.flow.decide import Ignore, Standing, circle, decide
from bot.flow.receive import Receiver
from bot.flow.turnstile import MODEL_WRITES
from bot.ids import Place
from bot.posts import Command

ONE_AT_A_TIME = MODEL_WRITES
"""Commands that have the model write: where a touch asks for one, a second touch of somebody else is not to ask for another."""

UNHEARD = "You play in this story no longer."


@dataclass(slots=True)
class Commanding:
    """Hands commands in; `close` it. `no_story` is told where there is none."""

    receiver: Receiver
    no_story: str = texts.NO_SESSION
    _busy: Counter[Place] = field(default_factory=Counter)
    _waiting: set[asyncio.Task[None]] = field(default_factory=set)

    def is_busy(self, command: Command) -> bool:
        """Whether a command would have something written where that is being done, or was asked for a moment ago."""
        return command.name in ONE_AT_A_TIME and (command.place in self._busy or self.receiver.is_writing(command.place))

    async def hand_in(self, command: Command) -> None:
        """Have a command carried out. Raises Refused, with a sentence for whoever asked (nothing is stored then).

        Raises StoreUnavailable.
        """
        # Counted before anything is waited for: of two who ask at the same moment, one finds the other.
        asked = Counter([command.place] if command.name in ONE_AT_A_TIME else [])
        self._busy += asked
        try:
            await self._check(command)
            await self.receiver.receive(command)
        finally:
            task = asyncio.create_task(self._rest(command.place, asked), name=f"asked in {command.place.channel}")
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)

    async def close(self) -> None:
        """Wait for nothing any more."""
        for task in tuple(self._waiting):
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    async def _check(self, command: Command) -> None:
        """Raises Refused for what its lane would pass over: so it is told to whoever asked, and not to the whole place."""
        session = await self.receiver.store.session_at(command.place)
        if session is None:
            raise Refused(self.no_story)
        who = circle(session, command, self.receiver.operators)
        if isinstance(decided := decide(session, command, Standing(who=who)), Ignore):
            raise Refused(decided.notice or UNHEARD)

    async def _rest(self, place: Place, asked: Counter[Place]) -> None:
        try:
            await self.receiver.settled(place)
        finally:
            self._busy -= asked
