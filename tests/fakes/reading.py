"""How far adapters have read, and what came up to there, in dictionaries: the store's part that only adapters use."""

from collections.abc import Callable, Mapping, Sequence

from bot.ids import AuthorId, ChannelKey, EventId, Place, Platform
from bot.ports.arrivals import Arrival
from storage.arrivals import REMEMBERED
from tests.fakes.copying import copied


class MemoryReading:
    """Bookmarks and arrivals. An arrival that was let go is its time."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._reading_now = now
        self._bookmarks: dict[Place, str] = {}
        self._streams: dict[Platform, str] = {}
        self._arrivals: dict[tuple[Platform, EventId], Arrival | float] = {}

    async def bookmark(self, place: Place, mark: str) -> None:
        self._bookmarks.pop(place, None)
        if mark:
            self._bookmarks[place] = mark

    async def bookmarks(self, platform: Platform) -> Mapping[ChannelKey, str]:
        return {place.channel: mark for place, mark in self._bookmarks.items() if place.platform == platform}

    async def take_in(self, platform: Platform, mark: str, arrivals: Sequence[Arrival]) -> tuple[Arrival, ...]:
        self._streams[platform] = mark
        for key, kept in tuple(self._arrivals.items()):
            if isinstance(kept, float) and kept < self._reading_now() - REMEMBERED:
                del self._arrivals[key]
        new = []
        for each in arrivals:
            if (platform, each.event) not in self._arrivals:
                self._arrivals[platform, each.event] = copied(each)
                new.append(each)
        return tuple(new)

    async def arrived(self, platform: Platform) -> tuple[Arrival, ...]:
        return tuple(
            copied(kept) for (where, _), kept in self._arrivals.items() if where == platform and isinstance(kept, Arrival)
        )

    async def let_go(self, platform: Platform, event: EventId) -> None:
        if (platform, event) in self._arrivals:
            self._arrivals[platform, event] = self._reading_now()

    async def read_up_to(self, platform: Platform) -> str:
        return self._streams.get(platform, "")

    def _let_go_of(self, author: AuthorId, but: EventId | None) -> None:
        for key, kept in self._arrivals.items():
            if isinstance(kept, Arrival) and kept.author == author and kept.event != but:
                self._arrivals[key] = self._reading_now()
