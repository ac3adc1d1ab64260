"""A whole bot behind a conversation whose rooms, courier and voice are noted in memory. No homeserver is there to be asked."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from nio import AsyncClient

from adapters.matrix.commands.conversing import Conversation
from adapters.matrix.commands.line import written
from adapters.matrix.commands.walls import Chat, Found, Homeserver, Sealed
from adapters.matrix.heard import FileThere, Heard, Reacted, Redacted, Rewritten, Said, Unreadable
from adapters.matrix.line import Line
from adapters.matrix.rooms import Rooms
from adapters.matrix.settings import Settings
from adapters.matrix.words import MATRIX, author_of, link_to, place_of, room_of
from bot.errors import PostRefused
from bot.flow.service import Service
from bot.ids import CardId, MessageId, Place, Platform
from bot.posts import ChannelLimits
from bot.prompt.format import FORMATS
from bot.story.card import CharacterCard
from bot.story.library import LibraryCard
from bot.story.session import Session
from tests.builders import MIRA
from tests.fakes.clock import FrozenClock
from tests.fakes.courier import RecordingCourier
from tests.fakes.engine import ScriptedEngine, ScriptedReply
from tests.fakes.store import MemoryStore

BOT = "@bot:matrix.test"
TOBIAS = "@tobias:matrix.test"
MIRELA = "@mirela:matrix.test"
ADA = "@ada:matrix.test"
STRANGER = "@stranger:elsewhere.test"

TAVERN = "!tavern"
"""A room of many; Ada made it and is its administrator."""

PARLOUR = "!parlour"
"""A room of two players and the bot."""

CHAT = "!chat"
"""Where Tobias talks with the bot alone."""

GREETING = 'Mira looked up from the ledger. "We close at ten," she said.'


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
    """What it was given to hand out: messages by room and event, files by address, direct chats by user.

    `uninvited` did not accept the bot's invitation. `trouble` is raised first, in order.
    """

    messages: dict[tuple[str, str], Found] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    chats: dict[str, str] = field(default_factory=dict)
    uninvited: set[str] = field(default_factory=set)
    trouble: list[Exception] = field(default_factory=list)

    async def message(self, room: str, event: str) -> Found | None:
        self._fail()
        return self.messages.get((room, event))

    async def of(self, place: Place) -> AsyncIterator[Found]:
        self._fail()
        for (room, _), found in reversed(self.messages.items()):
            if isinstance(found, Sealed) or place_of(room, found.root) == place:
                yield found

    async def chat_with(self, user: str) -> Chat:
        self._fail()
        return Chat(self.chats.setdefault(user, f"!with-{user}"), user not in self.uninvited)

    async def fetch(self, file: FileThere) -> bytes:
        self._fail()
        return self.contents[file.url]

    async def fetch_text(self, file: FileThere) -> str:
        return (await self.fetch(file)).decode()

    def _fail(self) -> None:
        if self.trouble:
            raise self.trouble.pop(0)


@dataclass(slots=True)
class Stage:
    """The bot and what is around it. `restart` makes another run over the same store; what was said stays."""

    engine: ScriptedEngine
    settings: Settings
    clock: FrozenClock = field(default_factory=FrozenClock)
    store: MemoryStore = field(default_factory=MemoryStore)
    courier: RoomCourier = field(default_factory=lambda: RoomCourier(channel_limits=ChannelLimits(300)))
    voice: NotedVoice = field(default_factory=NotedVoice)
    homeserver: NotedHomeserver = field(default_factory=NotedHomeserver)
    line: Line = field(default_factory=Line)
    rooms: Rooms = field(init=False)
    service: Service = field(init=False)
    conversation: Conversation = field(init=False)
    kept: list[Heard] = field(default_factory=list)
    _events: Iterable[int] = field(default_factory=lambda: count(1))
    _seeds: Iterable[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.store = MemoryStore(self.clock.now)
        self.rooms = Rooms(self.store)
        client = AsyncClient("https://matrix.test", BOT)
        client.user_id = BOT
        self.line.open(client)
        self._build()

    def _build(self) -> None:
        self.service = Service(
            self.store,
            self.engine,
            (self.courier,),
            self.clock,
            FORMATS["limarp"],
            roll=lambda: next(iter(self._seeds)),
            operators=frozenset(map(author_of, self.settings.operators)),
            written={MATRIX: written(self.settings.prefix)},
            links={MATRIX: link_to},
        )
        self.conversation = Conversation(
            self.settings,
            self.store,
            self.service.receiver,
            self.service.desk,
            self.rooms,
            self.line,
            self.clock,
            self.courier,
            self.voice,
            Homeserver(self.homeserver, self.homeserver, self.homeserver),
        )

    async def restart(self) -> None:
        await self.close()
        self._build()
        await self.service.start()

    async def close(self) -> None:
        await self.conversation.close()
        await self.service.close()

    async def hear(self, heard: Heard) -> bool:
        """Tell it as the ears do; whether it was kept for that at all."""
        if not await self.conversation.concerns(heard):
            return False
        self.kept.append(heard)
        await self.conversation.heard(heard)
        await self.settled()
        return True

    async def again(self, heard: Heard | None = None) -> None:
        """The same is told once more, by another run: the one before was killed before it let go of it."""
        await self.restart()
        await self.conversation.heard(heard or self.kept[-1])
        await self.settled()

    async def settled(self) -> None:
        for place in await self.store.places():
            await self.service.receiver.settled(place)

    async def say(  # noqa: PLR0913  what a message is
        self,
        text: str,
        room: str = TAVERN,
        *,
        by: str = TOBIAS,
        root: str = "",
        answers: str = "",
        file: FileThere | None = None,
        **more: Any,
    ) -> str:
        """Somebody writes; the message's event."""
        event = self._event()
        await self.hear(
            Said(
                room=room,
                event=event,
                sender=by,
                at=self.clock.now(),
                text=text,
                root=root,
                answers=answers,
                file=file,
                **more,
            )
        )
        return event

    async def react(self, sign: str, of: str, room: str = TAVERN, *, by: str = TOBIAS) -> str:
        event = self._event()
        await self.hear(Reacted(room=room, event=event, sender=by, at=self.clock.now(), of=of, sign=sign))
        return event

    async def edit(self, of: str, text: str, room: str = TAVERN, *, by: str = TOBIAS, **more: Any) -> str:
        event = self._event()
        await self.hear(Rewritten(room=room, event=event, sender=by, at=self.clock.now(), of=of, text=text, **more))
        return event

    async def redact(self, of: str, room: str = TAVERN, *, by: str = TOBIAS) -> str:
        event = self._event()
        await self.hear(Redacted(room=room, event=event, sender=by, at=self.clock.now(), of=of))
        return event

    async def unreadable(self, room: str = TAVERN, *, by: str = TOBIAS, root: str = "") -> str:
        event = self._event()
        why = "I cannot read your message."
        await self.hear(Unreadable(room=room, event=event, sender=by, at=self.clock.now(), why=why, root=root))
        return event

    async def start(self, room: str = PARLOUR, *, by: str = TOBIAS, line: str = "!rp start Mira") -> Place:
        """A story begun by a command; where it is played."""
        before = set(await self.store.places())
        await self.say(line, room, by=by)
        [place] = set(await self.store.places()) - before
        return place

    async def session(self, place: Place) -> Session:
        session = await self.store.session_at(place)
        assert session is not None
        return session

    async def told_texts(self, place: Place) -> list[str]:
        """The turns of a story as it is told."""
        return [turn.text for turn in (await self.session(place)).turns]

    @property
    def said(self) -> list[Told]:
        """What the program said, in order."""
        return list(self.voice.said.values())

    @property
    def last(self) -> Told:
        return self.said[-1]

    def answers_to(self, event: str) -> list[Told]:
        """What was said in reply to an event, and the signs beside it."""
        return [told for told in self.said if told.answers == event]

    async def keep(self, card: CharacterCard) -> None:
        """A character in the library."""
        await self.store.keep_card(LibraryCard(CardId(card.name.lower()), author_of(TOBIAS), card))

    async def open_room(
        self,
        room: str,
        *members: str,
        maker: str = ADA,
        version: str = "12",
        since: float = 1.0,
        state: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """The bot is in a room with these, who came in at `since`."""
        content: dict[str, Mapping[str, Any]] = {
            "m.room.join_rules": {"join_rule": "invite"},
            "m.room.history_visibility": {"history_visibility": "shared"},
            "m.room.power_levels": {"users": {}},
            **(state or {}),
        }
        events: list[dict[str, Any]] = [
            {"type": "m.room.create", "state_key": "", "sender": maker, "content": {"room_version": version}}
        ]
        events += [{"type": kind, "state_key": "", "sender": maker, "content": each} for kind, each in content.items()]
        for user in (BOT, *members):
            name = user[1:].partition(":")[0].capitalize()
            joined = {"membership": "join", "displayname": name}
            events.append(
                {
                    "type": "m.room.member",
                    "state_key": user,
                    "sender": user,
                    "content": joined,
                    "origin_server_ts": int(since * 1000),
                }
            )
        await self.rooms.tell(room, events)

    def _event(self) -> str:
        return f"$event-{next(iter(self._events))}"


@asynccontextmanager
async def stage(
    replies: Iterable[str | Sequence[str] | ScriptedReply] = ('"Come in," she said.',),
    *,
    context: int = 8192,
    **settings: Any,
) -> AsyncGenerator[Stage, None]:
    """A bot in three rooms, with Mira in its library."""
    engine = ScriptedEngine(replies, context=context)
    on = Stage(engine, Settings(folder=Path("nowhere"), **settings))
    await on.keep(MIRA)
    await on.open_room(TAVERN, ADA, TOBIAS, MIRELA, STRANGER)
    await on.open_room(PARLOUR, TOBIAS, MIRELA)
    await on.open_room(CHAT, TOBIAS, maker=TOBIAS)
    await on.service.start()
    try:
        yield on
    finally:
        await on.close()
