"""Texts that are edited in Discord: the whole of a turn, or the one post of a reply that somebody pointed at.

It reads stories; what comes of an edit is a command like any other.
"""

from dataclasses import dataclass

from bot import texts
from bot.errors import Refused
from bot.flow.stretches import Pointed, pointed
from bot.ids import EventId, MessageId, Place
from bot.ports.store import Store
from bot.posts import ChannelLimits
from bot.story.session import Session
from bot.story.turn import Role, Turn

NO_POST = "There is no post in this story yet."
NO_REPLY = "That message is no post of a character in the story here."
PLAYERS_OWN = "That is a player's own message: whoever wrote it edits it in Discord itself, and the story follows."
CHANGED = "The text was changed meanwhile, so that yours did not take its place; it is attached, so that nothing is lost."
TOO_LONG = (
    "This post has {count:,} characters, and a field takes {most:,}. Edit it post by post: the menu of each message, under"
    " Apps, has Edit. Or change the attached text and send it back with /{command}, as its option {option}."
)
TOO_LONG_BUT_WHOLE = (
    "The text has {count:,} characters, and a field takes {most:,}. Change the attached text and send it back with /{command},"
    " as its option {option}."
)


@dataclass(frozen=True, slots=True)
class Stories:
    """Looks up what is edited or pointed at. All raise Refused and StoreUnavailable."""

    store: Store

    async def session(self, place: Place) -> Session:
        """The story of a place."""
        session = await self.store.session_at(place)
        if session is None:
            raise Refused(texts.NO_SESSION)
        return session

    async def turn(self, place: Place, number: int | None = None) -> Turn:
        """The turn of this number, or the newest one."""
        session = await self.session(place)
        if number is None:
            if session.last is None:
                raise Refused(NO_POST)
            return session.last
        if number >= session.window_start:
            return session.turn(number)
        found = next((turn for turn in await self.store.turns(session.id) if turn.number == number), None)
        return found or session.turn(number)

    async def post(self, place: Place, message: MessageId, limits: ChannelLimits) -> Pointed:
        """The post of a character that a message shows."""
        post = await self.store.post_shown_as(place, message)
        if post is None or post.position is None:
            raise Refused(NO_REPLY)
        return pointed(await self.turn(place, post.turn), post, limits)

    async def is_newest(self, place: Place, message: MessageId, event: EventId) -> bool:
        """Whether a message shows, or is, the newest post of the story. Raises Refused when it is none of the story."""
        session = await self.session(place)
        post = await self.store.post_shown_as(place, message)
        number = post.turn if post and post.position is not None else await self.store.turn_of(place, event)
        if number is None:
            raise Refused("That message is no post of the story here.")
        return session.last is not None and session.last.number == number

    async def is_newest_reply(self, place: Place, message: MessageId) -> bool:
        """Whether a message shows the newest reply, and no player has posted since."""
        session, post = await self.session(place), await self.store.post_shown_as(place, message)
        last = session.last
        return bool(post and last and post.position is not None and last.role is Role.CHARACTER and last.number == post.turn)
