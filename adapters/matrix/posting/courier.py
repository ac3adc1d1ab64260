"""Matrix's courier: characters under profiles of their own, the program in notices. It keeps nothing that survives a restart.

Rule 1: every event bears a key by which it is known again; what is uncertain is read back before it is sent again.
Rule 2: a text is never changed. A character's name stands before it, as the fallback of the message's own profile.
Rule 3: what is no post goes out only where the homeserver's limits leave room to spare.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from adapters.matrix.keeping import Folder
from adapters.matrix.line import Line
from adapters.matrix.posting.content import Guise, Spot, edit, message
from adapters.matrix.posting.fates import Fates
from adapters.matrix.posting.looking import about_of, content_of
from adapters.matrix.posting.opening import Opening
from adapters.matrix.posting.profiles import Profiles
from adapters.matrix.posting.saying import POST_LENGTH, Saying
from adapters.matrix.posting.sending import KEY, MESSAGE, Sending, transaction_of
from adapters.matrix.posting.waiting_line import WaitingLines
from adapters.matrix.posting.writing_sign import WritingSigns
from adapters.matrix.rooms import Room, Rooms
from adapters.matrix.settings import Settings
from adapters.matrix.words import MATRIX, event_id_of, own_message, room_of, root_of
from bot.errors import PostGone
from bot.ids import CommunityId, EventId, MessageId, Place, Platform
from bot.ports.clock import Clock
from bot.ports.store import Shown
from bot.posts import ChannelLimits, Draft, Fate, OutboundPost, PostReceipt, Voice

GONE = "The message was taken away and cannot be changed any more."
REMEMBERED = 1000


@dataclass(slots=True)
class MatrixCourier:
    """The courier of the platform "matrix".

    `face_of` gives a character's picture in a place, no bytes where it has none. `shown` gives the posts that stand for a turn.
    """

    line: Line
    rooms: Rooms
    settings: Settings
    clock: Clock
    face_of: Callable[[Place, str], Awaitable[bytes]]
    shown: Callable[[Place, int], Awaitable[Sequence[Shown]]]
    sending: Sending = field(init=False)
    saying: Saying = field(init=False)
    fates: Fates = field(init=False)
    waiting_lines: WaitingLines = field(init=False)
    writing_signs: WritingSigns = field(init=False)
    _profiles: Profiles = field(init=False)
    _opening: Opening = field(init=False)
    _newest: OrderedDict[Place, str] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        self.sending = Sending(self.line, self.rooms, self.clock)
        self.saying = Saying(self.sending)
        self.fates = Fates(self.sending, self.clock)
        self.waiting_lines = WaitingLines(self.sending, self.clock)
        self.writing_signs = WritingSigns(self.line, self.clock)
        self._profiles = Profiles(self.line, self.clock, self.face_of, Folder(self.settings.folder).faces)
        self._opening = Opening(self.sending)

    @property
    def platform(self) -> Platform:
        """Always "matrix"."""
        return MATRIX

    async def limits(self, place: Place) -> ChannelLimits:
        """What a post there may be, and whether the room is one for adults. Raises ChannelGone where the bot is not in it."""
        _ = self.line.client  # what rooms are is known only while there is a connection
        room = self.rooms.of(room_of(place))
        return ChannelLimits(POST_LENGTH, community=CommunityId(room.id), adults_only=is_for_adults(room, self.settings))

    async def send(self, post: OutboundPost) -> PostReceipt:
        """Show a new post."""
        if (known := self.sending.known(post.place, post.key)) is not None:
            return PostReceipt(own_message(known))
        guise = await self._guise(post)
        content = message(post.text, guise, await self._spot(post))
        event = await self.sending.send(post.place, MESSAGE, content, post.key)
        self._saw(post.place, event)
        return PostReceipt(own_message(event))

    async def edit(self, message: MessageId, post: OutboundPost) -> None:
        """Put another text in a post's place, under the name and the face of today."""
        event = event_id_of(message)
        # The homeserver takes an edit of what was taken away, and nobody ever sees it.
        if await self.sending.looking.standing(room_of(post.place), event) is None:
            raise PostGone(GONE)
        content = edit(event, post.text, await self._guise(post))
        # Not the key of the post itself: that may have to be sent anew under it.
        await self.sending.send(post.place, MESSAGE, content, "edit", event, post.key)

    async def delete(self, place: Place, message: MessageId) -> None:
        """Take a post away."""
        await self.sending.redact(place, event_id_of(message))

    async def read_back(self, post: OutboundPost, after: MessageId | None) -> PostReceipt | None:
        """The post among our messages that stand in its room, looked for after the message `after`."""
        key = transaction_of(post.place, post.key)
        async for each in self.sending.looking.own(room_of(post.place), after):
            if content_of(each).get(KEY) == key and about_of(each).get("rel_type") != "m.replace":
                event = str(each.get("event_id"))
                self.sending.remember(key, event)
                self._saw(post.place, event)
                return PostReceipt(own_message(event))
        return None

    async def open(self, near: Place, title: str, key: str) -> Place:
        """A thread in the room that `near` is or is in."""
        return await self._opening.beside(near, title, key)

    async def open_with(self, near: Place, title: str, key: str, body: str) -> Place:
        """The same in a room's main timeline, beginning with a message that says this. Raises PostRefused in a thread."""
        return await self._opening.below(near, title, key, body)

    async def writing(self, place: Place, draft: Draft) -> None:
        """Show typing, or where in the line the reply waits. Returns at once."""
        self.waiting_lines.waiting(place, draft.waiting)
        if draft.waiting:
            self.writing_signs.resting(place)
        else:
            self.writing_signs.writing(place)

    async def resting(self, place: Place, turn: int) -> None:  # noqa: ARG002  a place writes one turn at a time
        """Take the signs away. Returns at once."""
        self.waiting_lines.resting(place)
        self.writing_signs.resting(place)

    async def tell_fate(self, place: Place, post: EventId, fate: Fate | None) -> None:
        """React to a player's message. Returns at once; what came in as something else bears no sign."""
        if post.startswith("$"):
            self.fates.tell(place, post, fate)

    async def close(self) -> None:
        """End what runs beside the walk."""
        await self.writing_signs.close()
        await self.fates.close()
        await self.waiting_lines.close()
        await self._profiles.close()

    async def _guise(self, post: OutboundPost) -> Guise | None:
        if post.speaker.voice is not Voice.CHARACTER:
            return None
        return await self._profiles.of(post.place, post.speaker.name)

    async def _spot(self, post: OutboundPost) -> Spot:
        """Where a post stands. Clients without threads show it as an answer to the newest post of ours in its thread."""
        root = root_of(post.place)
        if not root:
            return Spot()
        newest = self._newest.get(post.place)
        if newest is None:
            stand = await self.shown(post.place, post.turn)
            newest = stand[-1].message if stand else root
        return Spot(root, newest=newest)

    def _saw(self, place: Place, event: str) -> None:
        self._newest[place] = event
        self._newest.move_to_end(place)
        while len(self._newest) > REMEMBERED:
            self._newest.popitem(last=False)


def is_for_adults(room: Room, settings: Settings) -> bool:
    """Whether a room is for adults only: its administrator said so, and it lets in nobody by itself, unless that is allowed.

    What everybody in the world can read is never one.
    """
    is_private = room.is_closed or (settings.adults_in_public and room.history != "world_readable")
    return room.is_for_adults and is_private
