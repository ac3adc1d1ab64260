"""A courier that keeps what stands in its places and records every call. It fails only where it was told to."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from bot.errors import CourierError, PostGone
from bot.ids import ChannelKey, EventId, MessageId, Place, Platform, PostKey
from bot.posts import ChannelLimits, Draft, Fate, OutboundPost, PostReceipt

TEST_PLATFORM = Platform("test")


class Verb(StrEnum):
    """The calls of a courier that can go wrong."""

    LIMITS = "limits"
    SEND = "send"
    EDIT = "edit"
    DELETE = "delete"
    READ_BACK = "read_back"


@dataclass(frozen=True, slots=True)
class Mishap:
    """The `nth` call of this verb (from 1; of any posting verb when None) raises `error`, before or after taking effect."""

    nth: int
    error: CourierError
    verb: Verb | None = None
    takes_effect: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it came in."""

    verb: Verb
    place: Place
    post: OutboundPost | None = None
    message: MessageId | None = None


@dataclass(slots=True)
class RecordingCourier:
    """Serves any place of its platform. Two posting calls at a time in one place are a mistake of the caller, and fail.

    `standing` is what its places show, in order; `calls` are all calls but the drafts, which are in `drafts` and `rests`;
    `opened` has the titles of the places that were opened, by their keys.
    """

    platform: Platform = TEST_PLATFORM
    channel_limits: ChannelLimits = field(default_factory=lambda: ChannelLimits(2000, streams=True))
    mishaps: Sequence[Mishap] = ()
    standing: defaultdict[Place, dict[MessageId, OutboundPost]] = field(default_factory=lambda: defaultdict(dict))
    calls: list[Call] = field(default_factory=list)
    drafts: list[tuple[Place, Draft]] = field(default_factory=list)
    fates: list[tuple[Place, EventId, Fate | None]] = field(default_factory=list)
    rests: list[tuple[Place, int]] = field(default_factory=list)
    opened: dict[str, str] = field(default_factory=dict)
    _receipts: dict[tuple[Place, PostKey], PostReceipt] = field(default_factory=dict)
    _made: int = 0
    _counted: Counter[Verb | None] = field(default_factory=Counter)
    _busy: set[Place] = field(default_factory=set)

    def texts(self, place: Place) -> tuple[str, ...]:
        """The texts that stand in a place, in order."""
        return tuple(post.text for post in self.standing[place].values())

    def sends(self, place: Place) -> tuple[OutboundPost, ...]:
        """The posts that this place was asked to show as new, in order, repeated ones too."""
        return tuple(call.post for call in self.calls if call.verb is Verb.SEND and call.place == place and call.post)

    def forget_keys(self) -> None:
        """From now on a post sent again is shown again, as on a platform that knows no keys: only reading back helps."""
        self._receipts.clear()

    async def limits(self, place: Place) -> ChannelLimits:
        async with self._call(Call(Verb.LIMITS, place)):
            return self.channel_limits

    async def send(self, post: OutboundPost) -> PostReceipt:
        async with self._call(Call(Verb.SEND, post.place, post)):
            known = self._receipts.get((post.place, post.key))
            if known is not None:
                return known
            self._made += 1
            receipt = PostReceipt(MessageId(f"message-{self._made}"))
            self._receipts[post.place, post.key] = receipt
            self.standing[post.place][receipt.message] = post
            return receipt

    async def edit(self, message: MessageId, post: OutboundPost) -> None:
        async with self._call(Call(Verb.EDIT, post.place, post, message)):
            if message not in self.standing[post.place]:
                raise PostGone(f"The message {message} is gone.")
            self.standing[post.place][message] = post

    async def delete(self, place: Place, message: MessageId) -> None:
        async with self._call(Call(Verb.DELETE, place, message=message)):
            self.standing[place].pop(message, None)

    async def read_back(self, post: OutboundPost, after: MessageId | None) -> PostReceipt | None:
        async with self._call(Call(Verb.READ_BACK, post.place, post, after)):
            messages = list(self.standing[post.place])
            first = messages.index(after) + 1 if after in messages else 0
            for message in messages[first:]:
                if self.standing[post.place][message].key == post.key:
                    return PostReceipt(message)
            return None

    async def open(self, near: Place, title: str, key: str) -> Place:
        self.opened[key] = title
        return Place(near.platform, ChannelKey(f"beside {near.channel}: {key}"))

    async def writing(self, place: Place, draft: Draft) -> None:
        self.drafts.append((place, draft))

    async def tell_fate(self, place: Place, post: EventId, fate: Fate | None) -> None:
        self.fates.append((place, post, fate))

    async def resting(self, place: Place, turn: int) -> None:
        self.rests.append((place, turn))

    @asynccontextmanager
    async def _call(self, call: Call) -> AsyncGenerator[None, None]:
        """Record a call, hold its place for it, and let the mishap planned for it happen on one side of its effect."""
        self.calls.append(call)
        if call.verb is Verb.LIMITS:
            mishap = self._planned(call.verb, counts_as_posting=False)
            if mishap is not None:
                raise mishap.error
            yield
            return
        assert call.place not in self._busy, f"two calls at a time in {call.place}"
        self._busy.add(call.place)
        try:
            await asyncio.sleep(0)
            mishap = self._planned(call.verb, counts_as_posting=True)
            if mishap is not None and not mishap.takes_effect:
                raise mishap.error
            yield
            if mishap is not None:
                raise mishap.error
        finally:
            self._busy.discard(call.place)

    def _planned(self, verb: Verb, *, counts_as_posting: bool) -> Mishap | None:
        self._counted[verb] += 1
        self._counted[None] += counts_as_posting
        for mishap in self.mishaps:
            if mishap.verb in {verb, None} and mishap.nth == self._counted[mishap.verb]:
                if mishap.verb is None and not counts_as_posting:
                    continue
                return mishap
        return None
