"""What became of players' posts, shown beside them: they wait, are not part of the story, or their answer broke off.

It decides nothing about stories, and what it shows is no part of them: a sign that is lost is no harm.
"""

from dataclasses import dataclass, field

from bot.flow.places import Places
from bot.ids import EventId, Place
from bot.lately import Lately
from bot.posts import Fate, Inbound, InboundPost
from bot.story.session import Session
from bot.story.turn import Role, VariantState

REMEMBERED = 1_000
"""Signs that are known to stand: that of a broken reply stands for good once its story has gone on."""


@dataclass(frozen=True, slots=True)
class Fates:
    """Tells places, and knows what it told, so that a sign is taken away when it is no longer so."""

    places: Places
    _told: Lately[tuple[Place, EventId], Fate] = field(default_factory=lambda: Lately(REMEMBERED))

    async def queued(self, event: Inbound) -> None:
        """The post waits for the reply that is being written."""
        if isinstance(event, InboundPost):
            await self._tell(event.place, _newest(event), Fate.QUEUED)

    async def taken(self, event: Inbound) -> None:
        """The post's turn has come."""
        if isinstance(event, InboundPost):
            await self._clear(event.place, _newest(event))

    async def ignored(self, event: Inbound) -> None:
        """The post is no part of the story."""
        if isinstance(event, InboundPost):
            await self.places.tell_fate(event.place, _newest(event), Fate.IGNORED)

    async def answered(self, session: Session) -> None:
        """A reply was written, or could not be: its post says so as long as that is how things stand."""
        post = next((turn for turn in reversed(session.turns) if turn.role is Role.PLAYER), None)
        last = session.last
        if post is None or not post.sources or last is None:
            return
        if last is post or last.variant.state is VariantState.BROKEN:
            await self._tell(session.place, post.sources[-1], Fate.BROKEN)
        else:
            await self._clear(session.place, post.sources[-1])

    async def _tell(self, place: Place, post: EventId, fate: Fate) -> None:
        self._told[place, post] = fate
        await self.places.tell_fate(place, post, fate)

    async def _clear(self, place: Place, post: EventId) -> None:
        if self._told.pop((place, post), None) is not None:
            await self.places.tell_fate(place, post, None)


def _newest(post: InboundPost) -> EventId:
    """The message that a reader looks at for it."""
    return post.parts[-1] if post.parts else post.event
