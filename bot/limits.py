"""How much one player, place or community may ask of the model: a pure decision over counts. It counts nothing itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

MINUTE = 60.0
HOUR = 3_600.0
DAY = 86_400.0


class Scope(StrEnum):
    """Whose share it is."""

    PLAYER = "player"
    PLACE = "place"
    COMMUNITY = "community"


class Kind(StrEnum):
    """What is limited: replies asked for within a minute, replies not finished yet, tokens read and written within a day."""

    TURNS = "turns"
    WAITING = "waiting"
    TOKENS = "tokens"


@dataclass(frozen=True, slots=True)
class Share:
    """What one of them may have; 0: as much as they like."""

    turns_a_minute: int = 0
    waiting: int = 0
    tokens_a_day: int = 0

    def most(self, kind: Kind) -> int:
        """The limit of this kind."""
        return {Kind.TURNS: self.turns_a_minute, Kind.WAITING: self.waiting, Kind.TOKENS: self.tokens_a_day}[kind]

    @property
    def is_limited(self) -> bool:
        """Whether there is a limit at all."""
        return any(self.most(kind) for kind in Kind)


@dataclass(frozen=True, slots=True)
class Limits:
    """The shares of any player, any place and any community."""

    player: Share = field(default_factory=Share)
    place: Share = field(default_factory=Share)
    community: Share = field(default_factory=Share)

    def share(self, scope: Scope) -> Share:
        """The share of one scope."""
        return {Scope.PLAYER: self.player, Scope.PLACE: self.place, Scope.COMMUNITY: self.community}[scope]

    @property
    def are_any(self) -> bool:
        """Whether there is a limit at all: without, nothing need be counted."""
        return any(self.share(scope).is_limited for scope in Scope)


@dataclass(frozen=True, slots=True)
class Used:
    """What one of them has had.

    `times` are when they asked for the replies of the last minute, in seconds since the epoch, the newest first: as many as
    the limit, or all where these are fewer. `waiting` are not finished. `tokens` are those of the last day, by the hour in
    which they were used (its beginning, in seconds since the epoch).
    """

    times: Sequence[float] = ()
    waiting: int = 0
    tokens: Sequence[tuple[float, int]] = ()


@dataclass(frozen=True, slots=True)
class Over:
    """A limit that was reached: whose, which, how much it is, and in how many seconds there is room again.

    None: as soon as one of the replies that wait is written.
    """

    scope: Scope
    kind: Kind
    most: int
    seconds: float | None = None

    @property
    def label(self) -> str:
        """The limit in a word, as it is counted under."""
        return f"{self.scope}_{self.kind}"


LABELS = tuple(Over(scope, kind, 0).label for scope in Scope for kind in Kind)
"""Every limit in a word."""


def judge(scope: Scope, share: Share, used: Used, now: float) -> Over | None:
    """The limit that keeps one of them from a further reply, the one that lasts longest; None: there is room."""
    found = (_tokens(scope, share, used, now), _turns(scope, share, used, now), _waiting(scope, share, used))
    return longest([over for over in found if over])


def longest(found: Sequence[Over]) -> Over | None:
    """Of limits that were reached, the one with the longest wait: whoever comes back after it does not run into another."""
    return max(found, key=lambda over: over.seconds or 0.0, default=None)


def _turns(scope: Scope, share: Share, used: Used, now: float) -> Over | None:
    most = share.turns_a_minute
    if not most or len(used.times) < most:
        return None
    return Over(scope, Kind.TURNS, most, max(1.0, used.times[most - 1] + MINUTE - now))


def _waiting(scope: Scope, share: Share, used: Used) -> Over | None:
    return Over(scope, Kind.WAITING, share.waiting) if share.waiting and used.waiting >= share.waiting else None


def _tokens(scope: Scope, share: Share, used: Used, now: float) -> Over | None:
    left = sum(tokens for _, tokens in used.tokens)
    if not share.tokens_a_day or left < share.tokens_a_day:
        return None
    for began, tokens in sorted(used.tokens):
        left -= tokens
        if left < share.tokens_a_day:
            return Over(scope, Kind.TOKENS, share.tokens_a_day, max(1.0, began + DAY - now))
    return None


def told_to_place(over: Over, name: str) -> str:
    """What a place is told of a post that is not answered; `name` is its writer's."""
    return f"{_reached(over, f'{name} has')}; the post is in the story: use retry {_when(over)} to have it answered."


def told_to_asker(over: Over) -> str:
    """What whoever asked for a reply is told."""
    return f"{_reached(over, 'You have')}; ask again {_when(over)}."


def _reached(over: Over, player: str) -> str:
    who = {Scope.PLAYER: player, Scope.PLACE: "This story has", Scope.COMMUNITY: "This community has"}[over.scope]
    one = {Scope.PLAYER: "a player", Scope.PLACE: "a story", Scope.COMMUNITY: "a community"}[over.scope]
    replies = "1 reply" if over.most == 1 else f"{over.most:,} replies"
    match over.kind:
        case Kind.TURNS:
            return f"{who} asked for {replies} within a minute, the most that {one} may"
        case Kind.WAITING:
            return f"{who} {replies} in the queue, as many as {one} may have there"
        case Kind.TOKENS:
            return f"{who} used up the {over.most:,} tokens that {one} may have the model read and write in a day"


def _when(over: Over) -> str:
    return "as soon as one of them is written" if over.seconds is None else f"in {in_words(over.seconds)}"


def in_words(seconds: float) -> str:
    """A time to wait, about: never less than it is."""
    for size, name in ((HOUR, "hour"), (MINUTE, "minute")):
        if seconds > 2 * size:
            return f"about {-int(-seconds // size)} {name}s"
    count = max(1, -int(-seconds // 1))
    return f"{count} second{'s' if count > 1 else ''}"
