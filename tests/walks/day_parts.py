"""What stands around a bot for a day: an engine that writes by rote and fails by dice, and a platform that does so too.

Neither remembers more than it must, so that what grows beside them is the bot's.
"""

import re
from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from random import Random

from bot.engine.statistics import EngineStatistics
from bot.errors import ChannelGone, EngineBusy, EngineUnavailable, OutcomeUnknown, PostGone, PostRefused, TryLater
from bot.ids import ChannelKey, EventId, MessageId, Place, Platform, PostKey, SessionId
from bot.ports.engine import (
    EngineCapabilities,
    Finished,
    FinishReason,
    GenerationRequest,
    Segment,
    StreamItem,
    TextDelta,
    Usage,
)
from bot.posts import ChannelLimits, Draft, Fate, OutboundPost, PostReceipt
from bot.story.policy import Rating

TOWN = Platform("town")
CONTEXT = 4096
WORDS = re.compile(r"\s*\S+|\s+")
SENTENCES = (
    "Mira looked at the rain behind the window for a while before she said a word.",
    "There was a room under the roof, she told them at last, and it was dry enough.",
    "She took a key from the board and put it down between them on the ledger.",
    "Nobody asked questions there after dark, and nobody answered any.",
    "The fire had burnt low, and somebody upstairs was singing to a child.",
)


@dataclass(slots=True)
class RoteEngine:
    """An engine as a server holds one. A word is a token; one reply of forty breaks, is refused, or has no word."""

    chance: Random

    async def capabilities(self) -> EngineCapabilities:
        return EngineCapabilities("rote", CONTEXT, Rating.GENERAL)

    async def count(self, segments: Sequence[Segment]) -> tuple[int, ...]:
        return tuple(map(len, await self.tokenize(segments)))

    async def tokenize(self, segments: Sequence[Segment]) -> tuple[tuple[int, ...], ...]:
        return tuple(each.token_ids or tuple(range(1000, 1001 + len(each.text) // 5)) for each in segments)

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[StreamItem, None]:
        dice = self.chance.randrange(120)
        if dice == 0:
            raise EngineBusy(1.0)
        text = " ".join(self.chance.sample(SENTENCES, self.chance.randint(1, 4)))
        words = [] if dice == 1 else WORDS.findall(f" {text}")[: request.max_tokens]
        for number, word in enumerate(words):
            if dice == 2 and number == len(words) // 2:
                raise EngineUnavailable("The model fell silent.")
            yield TextDelta(word, (1000 + number,))
        yield Finished(FinishReason.END, Usage(len(request.segments), 0, 0, len(words)))

    async def warm(self, session: SessionId, segments: Sequence[Segment], adapter: str = "") -> None:
        del session, segments, adapter

    async def forget(self, session: SessionId) -> None:
        del session

    def statistics(self) -> EngineStatistics:
        return EngineStatistics(slots=4)

    async def close(self) -> None:
        return


@dataclass(slots=True)
class TownCourier:
    """A platform that asks to wait, breaks off, refuses and loses places, by dice; it knows the keys of the last posts."""

    chance: Random
    gone: set[Place] = field(default_factory=set)
    faults: int = 0
    _receipts: OrderedDict[tuple[Place, PostKey], PostReceipt] = field(default_factory=OrderedDict)
    _made: int = 0

    @property
    def platform(self) -> Platform:
        return TOWN

    def restart(self) -> None:
        """It knows none of the posts that it brought."""
        self._receipts.clear()

    async def limits(self, place: Place) -> ChannelLimits:
        if place in self.gone:
            raise ChannelGone("The thread is gone.")
        return ChannelLimits(300, streams=True)

    async def send(self, post: OutboundPost) -> PostReceipt:
        dice = self._dice(post.place)
        if receipt := self._receipts.get((post.place, post.key)):
            return receipt
        if dice == 0:
            raise OutcomeUnknown("The line broke before the post arrived.")
        self._made += 1
        receipt = self._receipts[post.place, post.key] = PostReceipt(MessageId(f"town-{self._made}"))
        while len(self._receipts) > 500:
            self._receipts.popitem(last=False)
        if dice == 1:
            raise OutcomeUnknown("The line broke behind the post.")
        return receipt

    async def edit(self, message: MessageId, post: OutboundPost) -> None:
        del message
        if self._dice(post.place) == 2:
            raise PostGone("Somebody took it away.")

    async def delete(self, place: Place, message: MessageId) -> None:
        del message
        self._dice(place)

    async def read_back(self, post: OutboundPost, after: MessageId | None) -> PostReceipt | None:
        del after
        return self._receipts.get((post.place, post.key))

    async def open(self, near: Place, title: str, key: str) -> Place:
        del title
        return Place(near.platform, ChannelKey(key.replace("/", "-")))

    async def writing(self, place: Place, draft: Draft) -> None:
        del place, draft

    async def tell_fate(self, place: Place, post: EventId, fate: Fate | None) -> None:
        del place, post, fate

    async def resting(self, place: Place, turn: int) -> None:
        del place, turn

    def _dice(self, place: Place) -> int:
        if place in self.gone:
            raise ChannelGone("The thread is gone.")
        dice = self.chance.randrange(150)
        self.faults += dice < 5
        if dice == 3:
            raise TryLater(1.0)
        if dice == 4:
            raise PostRefused("It may not be said there.")
        return dice
