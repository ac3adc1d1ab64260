"""The wall to the store, sixth part: how far an adapter has read its platform. What a bookmark says only the adapter knows."""

from collections.abc import Mapping
from typing import Protocol

from bot.ids import ChannelKey, Place, Platform


class Bookmarks(Protocol):
    """Remembers one text a place. Every method is one transaction."""

    async def bookmark(self, place: Place, mark: str) -> None:
        """Keep how far this place was read, instead of what was kept before; an empty text keeps nothing."""
        ...

    async def bookmarks(self, platform: Platform) -> Mapping[ChannelKey, str]:
        """What is kept of the places of a platform."""
        ...
