"""What crosses between the bot and a platform: what came in, what goes out, and what a place can hold."""

from dataclasses import dataclass
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
    """

    post_length: int
    unit: LengthUnit = LengthUnit.CODE_POINTS
    streams: bool = False
    community: CommunityId | None = None


@dataclass(frozen=True, slots=True)
class InboundPost:
    """A player's post as it came in. `event` is the platform's own id of it: the same event is handled once."""

    event: EventId
    place: Place
    author: AuthorId
    author_name: str
    text: str


class Act(StrEnum):
    """What a player can do to the story besides posting."""

    RETRY = "retry"
    SWIPE_LEFT = "swipe_left"
    SWIPE_RIGHT = "swipe_right"
    CONTINUE = "continue"
    EDIT = "edit"
    UNDO = "undo"
    LENGTH = "length"


@dataclass(frozen=True, slots=True)
class Command:
    """A player asks for an act on the story. `turn` and `text` are for EDIT; LENGTH has its modifier in `text` (or "")."""

    event: EventId
    place: Place
    author: AuthorId
    act: Act
    turn: int | None = None
    text: str = ""


Inbound = InboundPost | Command


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
