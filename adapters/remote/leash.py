"""A request that can be called back from elsewhere while it is sent or answered. It knows no engine and no wire."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from adapters.network.errors import NETWORK_ERRORS
from bot.errors import StoryForgotten


class Leash:
    """Holds one request for a reply: once it is cut, nothing more of it is waited for or sent."""

    def __init__(self) -> None:
        self._is_cut = False
        self._limit: asyncio.Timeout | None = None
        self._close: Callable[[], None] | None = None

    def check(self) -> None:
        """Raise StoryForgotten when it was cut."""
        if self._is_cut:
            raise StoryForgotten

    def holds(self, close: Callable[[], None] | None) -> None:
        """What ends the answer that is arriving; None when none is any more."""
        self._close = close

    @asynccontextmanager
    async def waiting(self, seconds: float) -> AsyncIterator[None]:
        """Wait for something for so long at most. Raises TimeoutError, and StoryForgotten once it is cut."""
        self.check()
        try:
            async with asyncio.timeout(seconds) as self._limit:
                yield
        except NETWORK_ERRORS:
            # Whatever broke here, it was cut for a reason.
            self.check()
            raise
        finally:
            self._limit = None

    def cut(self) -> None:
        """End the request: at once when it waits for something, else before it is sent or read on."""
        self._is_cut = True
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time())
        if self._close is not None:
            # Closed here, as whoever reads the reply may not come back to it.
            self._close()
