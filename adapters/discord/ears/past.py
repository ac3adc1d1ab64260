"""Posts of one place that were handed in, and what becomes of them when their messages change or go. It sends nothing.

What this process handed in is remembered; of older posts the store knows which messages they were made of, and Discord is
asked what these say now.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from adapters.discord.ears.gathering import Gathered, joined
from adapters.discord.words import called, event_of
from bot.ids import AuthorId, EventId, Place
from bot.ports.store import Store
from bot.posts import Deleted, Edited, InboundPost
from bot.story.turn import Turn

REMEMBERED = 200
"""Messages of a place whose posts are remembered."""


class Unreadable(Exception):
    """Discord does not tell what a message says: what its post says now cannot be known."""


@dataclass(slots=True, eq=False)
class Handed:
    """A post that was handed in. `texts` are what its messages say now, by id, in order; an empty one is gone."""

    post: EventId
    author: AuthorId
    texts: dict[int, str]

    @property
    def lost(self) -> tuple[int, ...]:
        """Its messages that are gone."""
        return tuple(message for message, text in self.texts.items() if not text)

    def after(self, event: str, place: Place) -> Edited | Deleted:
        """What a change of its messages makes of it; `event` is the change's own id."""
        text = joined(self.texts.values())
        if not text:
            return Deleted(EventId(event), place, self.post)
        return Edited(EventId(event), place, self.author, self.post, text)


Reading = Callable[[int], Awaitable[str]]
"""Asks Discord what a message says now (nothing: it is gone). May raise Unreadable."""


@dataclass(slots=True)
class Past:
    """The posts of one place that were handed in."""

    place: Place
    store: Store
    read: Reading
    _recent: OrderedDict[int, Handed] = field(default_factory=OrderedDict)

    def handed_in(self, gathered: Gathered) -> InboundPost:
        """A post is whole: remember its messages, and bring it into the bot's own words."""
        first = event_of(gathered.parts[0].id)
        handed = Handed(first, gathered.author, {part.id: part.text for part in gathered.parts})
        self._remember(handed)
        parts = tuple(event_of(message) for message in handed.texts) if len(handed.texts) > 1 else ()
        return InboundPost(first, self.place, gathered.author, called(gathered.name), gathered.text, parts)

    async def reworded(self, message: int, text: str, event: str) -> Edited | Deleted | None:
        """A message says something else now (nothing: its words are gone). None: no post changes by that.

        Raises StoreUnavailable, Unreadable, and what asking Discord raises.
        """
        handed = await self._found(message)
        if handed is None or handed.texts.get(message) == text:
            return None
        handed.texts[message] = text
        return handed.after(event, self.place)

    async def lost(self, messages: Iterable[int]) -> list[Edited | Deleted]:
        """These messages are gone: what that makes of their posts, in order. Raises as `reworded` does."""
        found = [(message, await self._found(message)) for message in sorted(messages)]
        changed: dict[Handed, None] = {}
        # Nothing is noted before all is known: whoever calls again after an error must get the same answer.
        for message, handed in found:
            if handed is not None and handed.texts.get(message):
                handed.texts[message] = ""
                changed[handed] = None
        return [handed.after(deletion(handed.lost), self.place) for handed in changed]

    async def holds(self, message: int) -> bool:
        """Whether a post was made of a message."""
        return message in self._recent or await self._turn_of(message) is not None

    async def waiting(self) -> tuple[InboundPost, ...]:
        """The posts of this place that the store holds and the story does not have yet. Raises StoreUnavailable."""
        waiting = await self.store.waiting()
        return tuple(each for each in waiting if isinstance(each, InboundPost) and each.place == self.place)

    def note(self, handed: Handed) -> bool:
        """A post turned out to say this now. False: that was known."""
        known = self._recent.get(next(iter(handed.texts)))
        self._remember(handed)
        return known is None or known.texts != handed.texts

    async def _found(self, message: int) -> Handed | None:
        if message in self._recent:
            return self._recent[message]
        made = await self._made_of(message)
        if made is None:
            return None
        author, sources = made
        others = [int(source) for source in sources if source.isdecimal()]
        # The message in question counts as it was, whatever Discord would say of it now.
        texts = {other: "\0" if other == message else await self.read(other) for other in others}
        handed = Handed(sources[0], author, texts)
        self._remember(handed)
        return handed

    async def _made_of(self, message: int) -> tuple[AuthorId, Sequence[EventId]] | None:
        """Whose post was made of a message, and of which messages in all."""
        # Before the story is asked: a post goes from the one to the other, and a run before this one may have taken it in.
        for post in await self.waiting():
            if event_of(message) in sources_of(post):
                return post.author, sources_of(post)
        turn = await self._turn_of(message)
        return (turn.author or AuthorId(""), turn.sources) if turn is not None else None

    async def _turn_of(self, message: int) -> Turn | None:
        number = await self.store.turn_of(self.place, event_of(message))
        session = await self.store.widened(self.place, number) if number is not None else None
        if session is None:
            return None
        return next((turn for turn in session.turns if event_of(message) in turn.sources), None)

    def _remember(self, handed: Handed) -> None:
        for message in handed.texts:
            self._recent[message] = handed
        while len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)


def sources_of(post: InboundPost) -> tuple[EventId, ...]:
    """The messages that a post was made of, in order."""
    return post.parts or (post.event,)


def deletion(messages: Collection[int]) -> str:
    """The id of the event that leaves a post without these messages.

    It tells all of them from fewer: as none comes back, the newest and how many there are suffice.
    """
    return f"{max(messages)}/deleted" + (f"/{len(messages)}" if len(messages) > 1 else "")


def rewording(message: int, edited: float) -> str:
    """The id of the event that a message was edited at this time (seconds since the epoch)."""
    return f"{message}/edited/{round(edited * 1_000_000)}"
