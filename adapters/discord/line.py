"""The connection to Discord as its users see it: a client that is there, or not yet. It does not know who makes it."""

from dataclasses import dataclass

import discord

from bot.errors import TryLater

UNTIL_READY = 2.0
"""Seconds after which it is worth asking again while there is no connection."""


@dataclass(slots=True)
class Line:
    """Holds the client of the running connection. A client serves one connection only: each start brings a fresh one."""

    _client: discord.AutoShardedClient | None = None

    @property
    def is_open(self) -> bool:
        """Whether a client is logged in and knows its guilds."""
        return self._client is not None

    @property
    def client(self) -> discord.AutoShardedClient:
        """The client. Raises TryLater while there is none that is ready."""
        if self._client is None:
            raise TryLater(UNTIL_READY)
        return self._client

    def open(self, client: discord.AutoShardedClient) -> None:
        """A client is ready."""
        self._client = client

    def close(self) -> None:
        """It is gone."""
        self._client = None
