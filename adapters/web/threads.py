"""Which stories the page has, as its list shows them. It knows no HTTP.

What the list says of a story is read once and again after its place has changed: a list of many stories costs little.
"""

from dataclasses import dataclass, field

from adapters.markdown import plain
from adapters.web.addresses import page_of, prefix_of
from adapters.web.courier import WEB, WebCourier
from bot.ids import ChannelKey, Place
from bot.ports.store import Store


@dataclass(frozen=True, slots=True)
class Title:
    """A story in the list: where it is, who plays in it, and how many posts it has had."""

    address: str
    name: str
    posts: int
    is_shown: bool


@dataclass(slots=True)
class Threads:
    """The places of the page's platform. `main` is the one at the page's root."""

    store: Store
    courier: WebCourier
    main: Place
    _read: dict[Place, tuple[int, str, int]] = field(default_factory=dict)

    def place(self, channel: str | None) -> Place:
        """The place of a thread by the last part of its address; without one, the main one."""
        return Place(WEB, ChannelKey(channel)) if channel else self.main

    def prefix(self, place: Place) -> str:
        """What the addresses of a thread's forms begin with."""
        return prefix_of(place, self.main)

    async def is_known(self, place: Place) -> bool:
        """Whether there is, was or is about to be a story in a place."""
        if place == self.main or self.courier.recent(place) or await self.store.session_at(place) is not None:
            return True
        if any(event.place == place for event in await self.store.waiting()):
            return True
        return bool(await self.store.ended(place))

    async def titles(self, shown: Place | None) -> tuple[Title, ...]:
        """All stories: the main one first, then the newest ones."""
        places = [place for place in await self.store.places() if place.platform == WEB]
        for gone in self._read.keys() - set(places):
            del self._read[gone]
        main_first = [place for place in places if place == self.main]
        newest_first = [place for place in reversed(places) if place != self.main]
        return tuple([await self._title(place, shown) for place in (*main_first, *newest_first)])

    async def _title(self, place: Place, shown: Place | None) -> Title:
        steps = self.courier.steps(place)
        known = self._read.get(place)
        if known is None or known[0] != steps:
            session = await self.store.session_at(place)
            name = plain(", ".join(card.name for card in session.cast)) if session else ""
            known = self._read[place] = (steps, name, session.next_number if session else 0)
        return Title(page_of(place, self.main), known[1], known[2], place == shown)
