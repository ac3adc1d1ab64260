"""Brings posts to the open pages of a place. It knows no HTTP, and it keeps nothing that must survive a restart.

Rule 1: what stands in a place is in the store; `recent` only bridges the moment until the store knows of it too.
Rule 2: a message's id follows from its post's key, so a post sent twice is one message, also after a restart.
Rule 3: a page that reads slowly misses steps, never the end: a watch holds flags, not a queue.
Rule 4: threads come and go: what is remembered of each is remembered of the newest ones only.
"""

import asyncio
import hashlib
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

from bot.errors import PostRefused
from bot.ids import ChannelKey, EventId, MessageId, Place, Platform
from bot.lately import Lately
from bot.posts import ChannelLimits, Draft, Fate, OutboundPost, PostReceipt

WEB = Platform("web")

REMEMBERED, PLACES = 32, 64
"""How many messages of a place are remembered, and of how many places: far more than the store can be behind."""

COUNTED = 10_000
"""Of how many places it is known when they changed last."""


@dataclass(slots=True, eq=False)
class Watch:
    """What one open page does not know yet. `thread`: the posts have changed; `draft`: the text being written has grown."""

    thread: bool = True
    draft: bool = False
    closed: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, *, thread: bool = False, draft: bool = False, closed: bool = False) -> None:
        """Note what has changed and wake whoever waits."""
        self.thread |= thread
        self.draft |= draft
        self.closed |= closed
        self._news.set()

    async def wait_for_news(self) -> None:
        """Return once there is something to show, or the watch is closed."""
        while not (self.thread or self.draft or self.closed):
            self._news.clear()
            await self._news.wait()


@dataclass(slots=True)
class WebCourier:
    """The courier of the platform "web". Every place of it has the same limits."""

    channel_limits: ChannelLimits
    _recent: Lately[Place, OrderedDict[MessageId, OutboundPost | None]] = field(default_factory=lambda: Lately(PLACES))
    _drafts: dict[Place, Draft] = field(default_factory=dict)
    _watches: defaultdict[Place, set[Watch]] = field(default_factory=lambda: defaultdict(set))
    _steps: Lately[Place, int] = field(default_factory=lambda: Lately(COUNTED))
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _left: int = 0

    @property
    def platform(self) -> Platform:
        """Always "web"."""
        return WEB

    async def limits(self, place: Place) -> ChannelLimits:  # noqa: ARG002  the wall asks per place
        """The same for every place."""
        return self.channel_limits

    async def send(self, post: OutboundPost) -> PostReceipt:
        """Show a post on the open pages. The same key is the same message."""
        message = message_of(post)
        if message not in self.recent(post.place):
            self._remember(post.place, message, post)
        return PostReceipt(message)

    async def edit(self, message: MessageId, post: OutboundPost) -> None:
        """Replace a message's text. Raises PostRefused when it was deleted."""
        if self.recent(post.place).get(message, post) is None:
            raise PostRefused("The post was taken away and cannot be changed any more.")
        self._remember(post.place, message, post)

    async def delete(self, place: Place, message: MessageId) -> None:
        """Take a message away."""
        self._remember(place, message, None)

    async def read_back(self, post: OutboundPost, after: MessageId | None) -> PostReceipt | None:  # noqa: ARG002  keys suffice
        """Whether the post was sent since the start; sending it again is harmless in any case."""
        message = message_of(post)
        return PostReceipt(message) if self.recent(post.place).get(message) else None

    async def open(self, near: Place, title: str, key: str) -> Place:  # noqa: ARG002  a page shows its story's own title
        """Another thread of the page."""
        return Place(WEB, ChannelKey(hashlib.sha256(key.encode()).hexdigest()[:12]))

    async def writing(self, place: Place, draft: Draft) -> None:
        """Show the text that is being written."""
        before = self._drafts.get(place)
        self._drafts[place] = draft
        # A new turn or a finished post changes the thread around the draft as well.
        moved = before is None or (before.turn, before.position) != (draft.turn, draft.position)
        self._tell(place, thread=moved, draft=True)

    async def tell_fate(self, place: Place, post: EventId, fate: Fate | None) -> None:
        """A page shows its whole story, and what waits above the box: posts bear no signs."""

    async def resting(self, place: Place, turn: int) -> None:
        """Show that nothing is written any more."""
        draft = self._drafts.get(place)
        if draft is not None and draft.turn == turn:
            del self._drafts[place]
        self._tell(place, thread=True)

    def draft(self, place: Place) -> Draft | None:
        """What is being written in a place at this moment."""
        return self._drafts.get(place)

    def recent(self, place: Place) -> Mapping[MessageId, OutboundPost | None]:
        """The latest messages and what they show by now (None: taken away), whether the store knows of it yet or not."""
        # Asking about a place that never was must not keep its name.
        return self._recent.get(place, {})

    def forget(self, place: Place) -> None:
        """The place holds another story now: what was remembered of the one before is no part of it."""
        self._recent.pop(place, None)

    def steps(self, place: Place) -> int:
        """A number that is another one whenever a place has changed since the start, and now and then when it has not."""
        return self._steps.get(place, self._left)

    def changed(self, place: Place) -> None:
        """The story has changed without a post of ours: have the open pages show it."""
        self._tell(place, thread=True)

    def changed_everywhere(self) -> None:
        """Something has changed that all pages show."""
        for place in tuple(self._watches):
            self.changed(place)

    @contextmanager
    def watching(self, place: Place) -> Iterator[Watch]:
        """A watch for one open page, which at first knows nothing."""
        watch = Watch()
        self._watches[place].add(watch)
        try:
            yield watch
        finally:
            self._watches[place].discard(watch)
            if not self._watches[place]:
                del self._watches[place]

    def watchers(self, place: Place) -> int:
        """How many pages are open."""
        return len(self._watches[place]) if place in self._watches else 0

    def watchers_of_all(self) -> int:
        """How many pages are open, of all places."""
        return sum(map(len, self._watches.values()))

    def close(self) -> None:
        """End all watches, so that their streams end."""
        for watches in self._watches.values():
            for watch in watches:
                watch.tell(closed=True)

    def _remember(self, place: Place, message: MessageId, post: OutboundPost | None) -> None:
        recent = self._recent[place] = self._recent.get(place, OrderedDict())
        recent[message] = post
        recent.move_to_end(message)
        while len(recent) > REMEMBERED:
            recent.popitem(last=False)
        self._tell(place, thread=True)

    def _tell(self, place: Place, *, thread: bool = False, draft: bool = False) -> None:
        if thread:
            if len(self._steps) == COUNTED and place not in self._steps:
                # One leaves: of those that are not counted any more, nobody knows when they changed.
                self._left = next(self._numbers)
            self._steps[place] = next(self._numbers)
        for watch in self._watches.get(place, ()):
            watch.tell(thread=thread, draft=draft)


def message_of(post: OutboundPost) -> MessageId:
    """The name of a post's message: the same for the same key in the same place."""
    name = f"{post.place.channel}\n{post.key}".encode()
    return MessageId(hashlib.sha256(name).hexdigest()[:24])
