"""Messages that are edited or taken away: what becomes of the posts that were made of them. It sends nothing.

Rule 1: only whoever wrote a message edits it; a homeserver does not look at that.
Rule 2: a post may have been made of several messages (of old ones, by `adopt`): it reads as all of them do now.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from adapters.matrix.commands.played import Played
from adapters.matrix.commands.walls import Reads
from adapters.matrix.commands.wording import words
from adapters.matrix.heard import Redacted, Rewritten, Said
from adapters.matrix.words import author_of, event_of, room_of
from bot.ids import AuthorId, EventId, Place
from bot.ports.store import Store
from bot.posts import Deleted, Edited, InboundPost

REMEMBERED = 500
"""Messages that were refused as posts, or as edits of them, which are remembered."""

BETWEEN = "\n\n"
"""Stands between the messages that a post was made of."""


@dataclass(frozen=True, slots=True)
class Made:
    """A post that was made of messages: where, whose it is, and of which messages, in order."""

    place: Place
    author: AuthorId
    sources: tuple[EventId, ...]


@dataclass(slots=True)
class Refusals:
    """Messages whose words were refused in this run of the program, by their events, with their places and authors."""

    _places: OrderedDict[EventId, tuple[Place, AuthorId]] = field(default_factory=OrderedDict)

    def note(self, event: EventId, place: Place, author: AuthorId) -> None:
        """A message's words were refused."""
        self._places[event] = place, author
        while len(self._places) > REMEMBERED:
            self._places.popitem(last=False)

    def place_of(self, event: EventId, room: str, author: AuthorId) -> Place | None:
        """Where a message of somebody's in a room stands whose words were refused; None for any other."""
        place, wrote = self._places.get(event, (None, author))
        return place if place is not None and room_of(place) == room and wrote == author else None

    def lift(self, event: EventId) -> bool:
        """Its words are taken now, or gone. False where they were not refused."""
        return self._places.pop(event, None) is not None


@dataclass(frozen=True, slots=True)
class Changes:
    """Makes changes of stories out of changes of messages. All may raise StoreUnavailable, and the errors of a courier."""

    store: Store
    played: Played
    past: Reads
    refusals: Refusals

    async def edit(self, heard: Rewritten) -> Edited | InboundPost | None:
        """What an edit changes; None where it changes nothing.

        The edit of a message that was refused is a new post: of both, so that what follows is an edit of it.
        """
        event, author, text = event_of(heard.event), author_of(heard.sender), words(heard)
        made = await self._made_of(heard.room, event_of(heard.of))
        if made is None:
            place = self.refusals.place_of(event_of(heard.of), heard.room, author)
            return InboundPost(event, place, author, "", text, (event, event_of(heard.of))) if place else None
        if made.author != author:
            return None
        said = await self._texts(made, {event_of(heard.of): text})
        return Edited(event, made.place, author, made.sources[0], BETWEEN.join(said)) if said else None

    async def loss(self, heard: Redacted) -> Edited | Deleted | None:
        """What it changes that a message was taken away; None where it changes nothing."""
        self.refusals.lift(event_of(heard.of))
        made = await self._made_of(heard.room, event_of(heard.of))
        if made is None:
            return None
        event = event_of(heard.event)
        said = await self._texts(made, {event_of(heard.of): ""})
        if said:
            return Edited(event, made.place, made.author, made.sources[0], BETWEEN.join(said))
        return Deleted(event, made.place, made.sources[0])

    async def _made_of(self, room: str, message: EventId) -> Made | None:
        """The post that was made of a message."""
        # Before the stories are asked: a post goes from the one to the other.
        for post in await self.store.waiting():
            if isinstance(post, InboundPost) and room_of(post.place) == room and message in (post.parts or (post.event,)):
                return Made(post.place, post.author, post.parts or (post.event,))
        for place in await self.played.in_room(room):
            number = await self.store.turn_of(place, message)
            session = await self.store.widened(place, number) if number is not None else None
            turns = session.turns if session else ()
            if turn := next((each for each in turns if message in each.sources), None):
                return Made(place, turn.author or AuthorId(""), turn.sources)
        return None

    async def _texts(self, made: Made, now: dict[EventId, str]) -> Sequence[str]:
        """What the messages of a post say, those that say something; `now` is what is known of them already."""
        found = [now[each] if each in now else await self._says(made.place, each) for each in made.sources]
        return [text for text in found if text]

    async def _says(self, place: Place, message: EventId) -> str:
        found = await self.past.message(room_of(place), message)
        return words(found) if isinstance(found, Said) else ""
