"""Lets through what asks for a reply, as long as no limit is reached, and tells whoever has to wait. It counts nothing itself.

Rule 1: an event is counted when it comes in, so that what waits in many places counts too; its lane finds the same ruling.
Rule 2: a post over a limit joins its story all the same. It is told once, not again for every post until there is room.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from bot import texts
from bot.commands.spec import Who
from bot.errors import Refused
from bot.flow.decide import RunCommand, Standing, TakeTurn, circle, decide
from bot.flow.places import Places
from bot.flow.wishes import notice
from bot.ids import AuthorId, CommunityId, Place
from bot.limits import Limits, told_to_asker, told_to_place
from bot.metrics import Metrics
from bot.ports.ledger import Asked
from bot.ports.store import Store
from bot.posts import Command, Deleted, Edited, Inbound, InboundPost
from bot.story.marks import split
from bot.story.policies import answers
from bot.story.session import Session

log = logging.getLogger(__name__)

MODEL_WRITES = frozenset({"retry", "continue", "shorter", "longer", "summary make"})
"""Commands that have the model write, and nothing else."""

ASK = MODEL_WRITES | {"part"}
"""Commands for which the model writes something."""


@dataclass(frozen=True, slots=True)
class Turnstile:
    """Asks the store's ledger. Without limits, nothing is counted."""

    store: Store
    places: Places
    metrics: Metrics
    operators: Collection[AuthorId]
    wake: Callable[[Place], None]
    limits: Limits = field(default_factory=Limits)

    async def count(self, session: Session | None, event: Inbound) -> None:
        """Count an event that comes in, if it asks for a reply as things stand.

        Raises Refused for a command over a limit, and StoreUnavailable.
        """
        if session is None or isinstance(event, Edited | Deleted) or not self._asks(session, event):
            return
        over = await self.held(session, event)
        if over and isinstance(event, Command):
            raise Refused(over)

    async def held(self, session: Session, event: InboundPost | Command | Edited) -> str:
        """Why the model is not asked for a reply to this event, in a sentence; empty: it is. The place is told, once."""
        if not self.limits.are_any:
            return ""
        community = await self._community(event.place)
        asked = Asked(event.event, event.place, event.author, community, stays=not isinstance(event, Command))
        ruling = await self.store.ask(asked, self.limits)
        if ruling.over is None:
            return ""
        if not ruling.is_repeated:
            self.metrics.count("limited", ruling.over.label)
            log.info("a limit is reached", extra={"action": "limit", "place": event.place, "limit": ruling.over.label})
        if isinstance(event, Command):
            return told_to_asker(ruling.over)
        sentence = told_to_place(ruling.over, _name(session, event))
        if not ruling.was_told:
            await self.store.tell((notice(session, sentence, f"{event.event}/limit"),))
            self.wake(event.place)
        return sentence

    def _asks(self, session: Session, event: InboundPost | Command) -> bool:
        """Whether a reply would be asked for, if the event were handled now."""
        if isinstance(event, Command):
            who = circle(session, event, self.operators)
            return event.name in ASK and isinstance(decide(session, event, Standing(who=who)), RunCommand)
        if not isinstance(decide(session, event, Standing(who=Who.ANYONE)), TakeTurn):
            return False
        story = split(event.text).story
        return bool(story) and answers(session, event.author, story).now

    async def _community(self, place: Place) -> CommunityId | None:
        return await self.places.community(place) if self.limits.community.is_limited else None


def _name(session: Session, event: InboundPost | Edited) -> str:
    persona = session.persona_of(event.author)
    if persona is not None:
        return persona.name
    return event.author_name if isinstance(event, InboundPost) else texts.SOMEONE
