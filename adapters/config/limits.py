"""How much of the model is anybody's: frozen values with their bounds."""

from dataclasses import field
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from adapters.config.kinds import CLOSED, Whole
from bot.limits import Limits, Share

Turns = Annotated[Whole, Field(ge=0, le=100_000)]
Tokens = Annotated[Whole, Field(ge=0, le=1_000_000_000_000)]


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class PlayerLimits:
    """What one player may have, wherever they play; 0 is no limit."""

    turns_a_minute: Turns = 20
    waiting: Turns = 5
    tokens_a_day: Tokens = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class PlaceLimits:
    """What one channel, thread, room or page of a story may have, whoever plays there."""

    turns_a_minute: Turns = 60
    waiting: Turns = 20
    tokens_a_day: Tokens = 0


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class CommunityLimits:
    """What all places of one community may have together: the server on Discord, the room with its threads on Matrix."""

    turns_a_minute: Turns = 240
    waiting: Turns = 40
    tokens_a_day: Tokens = 0


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class LimitsConfig:
    """The three of them."""

    player: PlayerLimits = field(default_factory=PlayerLimits)
    place: PlaceLimits = field(default_factory=PlaceLimits)
    community: CommunityLimits = field(default_factory=CommunityLimits)

    @property
    def limits(self) -> Limits:
        """The same, for the bot."""
        return Limits(_share(self.player), _share(self.place), _share(self.community))


def _share(each: PlayerLimits | PlaceLimits | CommunityLimits) -> Share:
    return Share(each.turns_a_minute, each.waiting, each.tokens_a_day)
