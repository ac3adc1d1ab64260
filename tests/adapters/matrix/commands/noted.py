"""What stands in for the neighbours of the commands, noted in memory: the voice, the courier, the homeserver."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

from adapters.matrix.commands.walls import Chat, Found, Sealed
from adapters.matrix.heard import FileThere, Heard, Redacted, Rewritten, Said, Unreadable
from adapters.matrix.words import MATRIX, place_of, room_of, root_of
from bot.errors import PostRefused
from bot.ids import MessageId, Place, Platform
from bot.posts import ChannelLimits
from tests.fakes.courier import RecordingCourier


@dataclass(frozen=True, slots=True)
class Told:
    """Something that the program said: a notice, a file, or a sign beside an event."""

    place: Place
    text: str
    answers: str = ""
    sign: str = ""
    file: bytes = b""
    name: str = ""


@dataclass(slots=True)
class NotedVoice:
    """Notes what is said: once for each key in a room, as a homeserver does. `trouble` is raised first, in order."""

    said: dict[tuple[str, str], Told] = field(default_factory=dict)
    trouble: list[Exception] = field(default_factory=list)

    async def notice(self, place: Place, text: str, answers: str = "", *, key: str) -> str:
        return self._tell(Told(place, text, answers), key)

    async def file(  # noqa: PLR0913, PLR0917  what a file is
        self, place: Place, name: str, mimetype: str, data: bytes, text: str, answers: str = "", *, key: str
    ) -> str:
        assert mimetype
        return self._tell(Told(place, text, answers, file=data, name=name), key)

    async def react(self, place: Place, event: str, sign: str, *, key: str) -> object:
        return self._tell(Told(place, "", event, sign), key)

    def _tell(self, told: Told, key: str) -> str:
        if self.trouble:
            raise self.trouble.pop(0)
        self.said.setdefault((room_of(told.place), key), told)
        return f"$said-{key}"


@dataclass(slots=True)
class RoomCourier(RecordingCourier):
    """A courier of rooms: threads are opened below messages. `for_adults` are the rooms that count as such."""

    platform: Platform = MATRIX
    begun: dict[Place, tuple[str, str]] = field(default_factory=dict)
    taken_away: list[Place] = field(default_factory=list)
    for_adults: set[str] = field(default_factory=set)

    async def limits(self, place: Place) -> ChannelLimits:
        return replace(self.channel_limits, adults_only=room_of(place) in self.for_adults)

    async def open(self, near: Place, title: str, key: str) -> Place:
        return await self.open_with(place_of(room_of(near)), title, key, "")

    async def open_with(self, near: Place, title: str, key: str, body: str) -> Place:
        if room_of(near) != near.channel:
            raise PostRefused("A thread holds one story only.")
        place = place_of(near.channel, f"$root-{key}")
        self.begun.setdefault(place, (title, body))
        return place

    async def delete(self, place: Place, message: MessageId) -> None:
        if message.startswith("$root-"):
            self.taken_away.append(place)
            return
        await RecordingCourier.delete(self, place, message)


@dataclass(slots=True)
class NotedHomeserver:
    """What it was told to hand out: what stands in rooms, files by address, direct chats by user.

    `away` are rooms that the bot was put out of: what stood there until then, a homeserver lets it read. `uninvited` did not
    accept its invitation. `trouble` is raised first, in order.
    """

    messages: dict[tuple[str, str], Found] = field(default_factory=dict)
    edits: dict[tuple[str, str], Rewritten] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    contents: dict[str, bytes] = field(default_factory=dict)
    chats: dict[str, str] = field(default_factory=dict)
    uninvited: set[str] = field(default_factory=set)
    trouble: list[Exception] = field(default_factory=list)

    def note(self, heard: Heard) -> None:
        """Something was done in a room. In a homeserver, an edit lies beside the message, whoever's it is."""
        where = (heard.room, heard.event)
        match heard:
            case _ if heard.room in self.away:
                return
            case Said():
                self.messages[where] = heard
            case Unreadable():
                self.messages[where] = Sealed(heard.event, heard.root, heard.at)
            case Rewritten():
                self.edits[where] = heard
            case Redacted():
                self.messages.pop((heard.room, heard.of), None)
                self.edits.pop((heard.room, heard.of), None)

    async def message(self, room: str, event: str) -> Found | None:
        self._fail()
        return self._now(room, event)

    async def of(self, place: Place) -> AsyncIterator[Found]:
        self._fail()
        room, root = room_of(place), root_of(place)
        stands = [self._now(*where) for where in reversed(self.messages) if where[0] == room]
        for found in stands:
            if found is not None and found.root == root:
                yield found
        if root and (first := self._now(room, root)):
            yield first

    async def chat_with(self, user: str) -> Chat:
        self._fail()
        return Chat(self.chats.setdefault(user, f"!with-{user}"), user not in self.uninvited)

    async def fetch(self, file: FileThere) -> bytes:
        self._fail()
        return self.contents[file.url]

    async def fetch_text(self, file: FileThere) -> str:
        return (await self.fetch(file)).decode()

    def _now(self, room: str, event: str) -> Found | None:
        found = self.messages.get((room, event))
        if isinstance(found, Said):
            for edit in self.edits.values():
                if (edit.room, edit.of, edit.sender) == (room, event, found.sender):
                    found = replace(found, text=edit.text, is_emote=edit.is_emote)
        return found

    def _fail(self) -> None:
        if self.trouble:
            raise self.trouble.pop(0)
