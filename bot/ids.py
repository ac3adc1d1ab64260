"""Opaque names for things that other parts made: compare them, store them, never look inside or take them apart."""

from dataclasses import dataclass
from typing import NewType

Platform = NewType("Platform", str)
ChannelKey = NewType("ChannelKey", str)
EventId = NewType("EventId", str)
MessageId = NewType("MessageId", str)
AuthorId = NewType("AuthorId", str)
SessionId = NewType("SessionId", str)
PostKey = NewType("PostKey", str)
CardId = NewType("CardId", str)
CommunityId = NewType("CommunityId", str)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a story is played: one channel, thread or room of one platform. It holds at most one session."""

    platform: Platform
    channel: ChannelKey
