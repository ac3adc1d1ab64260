"""The connection to a homeserver as its users see it: a client that is there, or not yet. It does not know who makes it."""

from dataclasses import dataclass

from nio import AsyncClient

from bot.errors import TryLater

UNTIL_READY = 2.0
"""Seconds after which it is worth asking again while there is no connection."""


@dataclass(slots=True)
class Line:
    """Holds the client of the running connection: logged in, its first sync done, its keys loaded."""

    _client: AsyncClient | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a client that can be used."""
        return self._client is not None

    @property
    def client(self) -> AsyncClient:
        """The client. Raises TryLater while there is none that is ready."""
        if self._client is None:
            raise TryLater(UNTIL_READY)
        return self._client

    def open(self, client: AsyncClient) -> None:
        """A client is ready."""
        self._client = client

    def close(self) -> None:
        """It is gone, or cannot be used for now."""
        self._client = None
