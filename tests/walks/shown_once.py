"""A platform that several processes post on and that outlives them: an SQLite file. What is sent twice is shown twice."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from bot.errors import PostRefused
from bot.ids import ChannelKey, EventId, MessageId, Place
from bot.posts import ChannelLimits, Draft, Fate, OutboundPost, PostReceipt
from tests.fakes.courier import TEST_PLATFORM

TABLE = (
    "CREATE TABLE IF NOT EXISTS shown (message INTEGER PRIMARY KEY AUTOINCREMENT,"
    " channel TEXT, key TEXT, text TEXT, gone INTEGER DEFAULT 0)"
)


@dataclass(frozen=True, slots=True)
class FilePlatform:
    """Serves the platform "test" from one file; what is shown is there before the call returns."""

    path: Path
    post_length: int = 80
    platform = TEST_PLATFORM

    async def limits(self, place: Place) -> ChannelLimits:
        del place
        return ChannelLimits(self.post_length, streams=True)

    async def send(self, post: OutboundPost) -> PostReceipt:
        row = (str(post.place.channel), str(post.key), post.text)
        return PostReceipt(self._write("INSERT INTO shown (channel, key, text) VALUES (?, ?, ?)", *row))

    async def edit(self, message: MessageId, post: OutboundPost) -> None:
        if not self.rows("SELECT message FROM shown WHERE message = ? AND NOT gone", str(message)):
            raise PostRefused(f"The message {message} is gone.")
        self._write("UPDATE shown SET text = ? WHERE message = ?", post.text, str(message))

    async def delete(self, place: Place, message: MessageId) -> None:
        del place
        self._write("UPDATE shown SET gone = 1 WHERE message = ?", str(message))

    async def read_back(self, post: OutboundPost, after: MessageId | None) -> PostReceipt | None:
        del after
        found = self.rows("SELECT message FROM shown WHERE channel = ? AND key = ?", str(post.place.channel), str(post.key))
        return PostReceipt(MessageId(str(found[0][0]))) if found else None

    async def open(self, near: Place, title: str, key: str) -> Place:
        del title
        return Place(near.platform, ChannelKey(key))

    async def writing(self, place: Place, draft: Draft) -> None:
        del place, draft

    async def tell_fate(self, place: Place, post: EventId, fate: Fate | None) -> None:
        del place, post, fate

    async def resting(self, place: Place, turn: int) -> None:
        del place, turn

    def standing(self, channel: str) -> list[str]:
        """What a channel shows, in order."""
        query = "SELECT text FROM shown WHERE channel = ? AND NOT gone ORDER BY message"
        return [text for (text,) in self.rows(query, channel)]

    def shown_twice(self) -> list[str]:
        """The keys of posts that were sent more than once."""
        query = "SELECT channel || ' ' || key FROM shown GROUP BY channel, key HAVING count(*) > 1"
        return [key for (key,) in self.rows(query)]

    def rows(self, query: str, *values: str) -> list[tuple[str, ...]]:
        """What is found."""
        connection = self._open()
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def _write(self, query: str, *values: str) -> MessageId:
        connection = self._open()
        try:
            with connection:
                return MessageId(str(connection.execute(query, values).lastrowid))
        finally:
            connection.close()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=20)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")  # it outlives processes; that it outlives the machine is not asked
        connection.execute(TABLE)
        return connection
