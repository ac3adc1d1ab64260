"""What crosses between the bot and a platform: what came in, what goes out, and what a place can hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.ids import AuthorId, CommunityId, EventId, MessageId, Place, PostKey


class LengthUnit(StrEnum):
    """What a platform counts when it limits the length of a post."""

    CODE_POINTS = "code points"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class ChannelLimits:
    """What one place accepts: the longest post, the unit it is counted in, and whether it shows text while it is written.

    `community` is whose fair share of the model its replies count against; None: the place has a share of its own.
    `adults_only` says that the platform lets nobody in who did not declare to be an adult; unknown is False.
    """

    post_length: int
    unit: LengthUnit = LengthUnit.CODE_POINTS
    streams: bool = False
    community: CommunityId | None = None
    adults_only: bool = False


@dataclass(frozen=True, slots=True)
class InboundPost:
    """A player's post as it came in. `event` is the platform's own id of it: the same event is handled once.

    `parts` are the messages of the platform that it was put together from, in order, its `event` among them; none: it is one
    message. The story follows when any of them changes.
    """

    event: EventId
    place: Place
    author: AuthorId
    author_name: str
    text: str
    parts: tuple[EventId, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """A player asks for something by a command of `bot.commands`, with the values of its options.

    `is_moderator` says that the place lets them decide for others there.
    """

    event: EventId
    place: Place
    author: AuthorId
    name: str
    values: Mapping[str, str | int] = field(default_factory=dict)
    author_name: str = ""
    is_moderator: bool = False


@dataclass(frozen=True, slots=True)
class Edited:
    """A player changed a post of theirs on the platform: what `post` brought now reads so, all of its parts together.

    `event` is this change's own id.
    """

    event: EventId
    place: Place
    author: AuthorId
    post: EventId
    text: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """A player's post is gone from the platform, by whoever's hand."""

    event: EventId
    place: Place
    post: EventId


Inbound = InboundPost | Command | Edited | Deleted


@dataclass(frozen=True, slots=True)
class OldPost:
    """A post that stood in a place before a story was played there. Without an author, the character's own words."""

    event: EventId
    author: AuthorId | None
    name: str
    text: str


class Fate(StrEnum):
    """What became of a player's post, as a place can show it beside the post."""

    QUEUED = "queued"
    IGNORED = "ignored"
    BROKEN = "broken"


class Voice(StrEnum):
    """Who speaks in a post of ours: the character, or the program itself."""

    CHARACTER = "character"
    MACHINERY = "machinery"


@dataclass(frozen=True, slots=True)
class Speaker:
    """Whose name and face a post carries."""

    voice: Voice
    name: str


@dataclass(frozen=True, slots=True)
class OutboundPost:
    """One post on its way to its place.

    `turn` is the number of the turn it belongs to (for a notice: the turn it follows), `position` its place in that
    turn's ordered set, from 0; a notice has none. `key` is new for every sending that must not happen twice.
    """

    key: PostKey
    place: Place
    turn: int
    position: int | None
    variant: int
    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class PostReceipt:
    """The platform took a post and calls it this."""

    message: MessageId


@dataclass(frozen=True, slots=True)
class Draft:
    """What a character is writing at this moment in a turn: the text after its finished posts, not yet a post itself.

    `position` is where the text would stand in the turn's ordered set: posts that still stand from there on are older
    than it. None when the writer does not say. `waiting` is a sentence for as long as there is no text because others are
    written first.
    """

    turn: int
    speaker: Speaker
    text: str
    position: int | None = None
    waiting: str = ""
