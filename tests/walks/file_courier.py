"""A platform that outlives the bot's process: what it shows is a file of JSON lines, written through to the disk."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from bot.errors import PostRefused
from bot.ids import ChannelKey, EventId, MessageId, Place, Platform
from bot.posts import ChannelLimits, Draft, Fate, OutboundPost, PostReceipt


@dataclass(frozen=True, slots=True)
class FileCourier:
    """Serves the platform "test". With `knows_keys` False a post sent twice is shown twice: only reading back helps."""

    journal: Path
    post_length: int
    knows_keys: bool = True

    @property
    def platform(self) -> Platform:
        return Platform("test")

    async def limits(self, place: Place) -> ChannelLimits:
        del place
        return ChannelLimits(self.post_length, streams=True)

    async def send(self, post: OutboundPost) -> PostReceipt:
        known = self._by_key(post) if self.knows_keys else None
        if known is not None:
            return PostReceipt(known)
        message = MessageId(f"m{len(self.lines())}")
        self._write({"verb": "send", "message": message, "key": post.key, "text": post.text})
        return PostReceipt(message)

    async def edit(self, message: MessageId, post: OutboundPost) -> None:
        if message not in self.standing():
            raise PostRefused(f"The message {message} is gone.")
        self._write({"verb": "edit", "message": message, "key": post.key, "text": post.text})

    async def delete(self, place: Place, message: MessageId) -> None:
        del place
        self._write({"verb": "delete", "message": message})

    async def read_back(self, post: OutboundPost, after: MessageId | None) -> PostReceipt | None:
        del after
        known = self._by_key(post)
        return PostReceipt(known) if known is not None else None

    async def open(self, near: Place, title: str, key: str) -> Place:
        del title
        return Place(near.platform, ChannelKey(key))

    async def writing(self, place: Place, draft: Draft) -> None:
        del place, draft

    async def tell_fate(self, place: Place, post: EventId, fate: Fate | None) -> None:
        del place, post, fate

    async def resting(self, place: Place, turn: int) -> None:
        del place, turn

    def standing(self) -> dict[MessageId, str]:
        """What is shown, in order."""
        shown: dict[MessageId, str] = {}
        for line in self.lines():
            if line["verb"] == "delete":
                shown.pop(MessageId(line["message"]), None)
            else:
                shown[MessageId(line["message"])] = line["text"]
        return shown

    def lines(self) -> list[dict[str, str]]:
        """Every act on the platform, in order."""
        return [json.loads(line) for line in self.journal.read_text().splitlines()] if self.journal.exists() else []

    def _by_key(self, post: OutboundPost) -> MessageId | None:
        found = [line["message"] for line in self.lines() if line["verb"] == "send" and line["key"] == post.key]
        return MessageId(found[0]) if found else None

    def _write(self, line: dict[str, str]) -> None:
        with self.journal.open("a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
