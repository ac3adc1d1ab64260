"""Which turn of a story somebody points at by replying to a message, or by a sign beside it. It changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from adapters.matrix.words import event_of, own_message
from bot.flow.stretches import pointed
from bot.ids import Place
from bot.ports.store import Store
from bot.posts import ChannelLimits, OutboundPost
from bot.story.turn import Role


class At(StrEnum):
    """What a sign stands at that can ask for something."""

    NEWEST_REPLY = "the newest reply"
    NEWEST_POST = "the newest post of a player, not answered yet"


@dataclass(frozen=True, slots=True)
class Pointing:
    """Looks it up. All may raise StoreUnavailable."""

    store: Store

    async def turn(self, place: Place, event: str) -> int | None:
        """The number of the turn that a message shows, or was made into; None where it is no part of the story."""
        shown = await self.shown(place, event)
        return shown.turn if shown else await self.store.turn_of(place, event_of(event))

    async def shown(self, place: Place, event: str) -> OutboundPost | None:
        """The post of a character that a message shows; None for any other message."""
        post = await self.store.post_shown_as(place, own_message(event))
        return post if post is not None and post.position is not None else None

    async def newest(self, place: Place) -> int | None:
        """The number of the newest turn of the story."""
        session = await self.store.session_at(place)
        return session.last.number if session is not None and session.last else None

    async def at(self, place: Place, event: str) -> At | None:
        """What a message is that somebody put a sign beside, as far as it matters."""
        session = await self.store.session_at(place)
        last = session.last if session else None
        if session is None or last is None:
            return None
        if last.role is Role.CHARACTER:
            post = await self.shown(place, event)
            if post is not None:
                return At.NEWEST_REPLY if post.turn == last.number else None
        newest = next((turn for turn in reversed(session.turns) if turn.role is Role.PLAYER), None)
        is_unanswered = newest is last or last.is_writing
        return At.NEWEST_POST if newest is not None and is_unanswered and event_of(event) in newest.sources else None

    async def edited(
        self, place: Place, event: str, values: Mapping[str, str | int], limits: ChannelLimits
    ) -> dict[str, str | int]:
        """The values of an edit that answers a message: where that is one post of several of a reply, only this post changes.

        Raises Refused where it cannot be said for sure what the post shows.
        """
        post = await self.shown(place, event)
        session = await self.store.widened(place, post.turn) if post is not None else None
        turn = next((each for each in session.turns if each.number == values.get("turn")), None) if session else None
        if post is None or turn is None or turn.number != post.turn or len(turn.posts) <= 1:
            return dict(values)
        return {**values, "text": pointed(turn, post, limits).replaced(str(values.get("text", "")))}
