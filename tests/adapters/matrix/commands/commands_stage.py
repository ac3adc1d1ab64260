"""A whole bot behind a conversation whose neighbours note in memory what they are told. No homeserver is there to be asked."""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from nio import AsyncClient

from adapters.matrix.commands.conversing import Conversation
from adapters.matrix.commands.line import written
from adapters.matrix.commands.walls import Homeserver
from adapters.matrix.heard import FileThere, Heard, Reacted, Redacted, Rewritten, Said, Unreadable
from adapters.matrix.line import Line
from adapters.matrix.rooms import Rooms
from adapters.matrix.settings import Settings
from adapters.matrix.words import MATRIX, author_of, link_to
from bot.flow.service import Service
from bot.ids import Place
from bot.posts import ChannelLimits
from bot.story.card import CharacterCard
from bot.story.session import Session
from tests.adapters.matrix.commands.noted import NotedHomeserver, NotedVoice, RoomCourier, Told
from tests.builders import MIRA, in_library
from tests.fakes.clock import FrozenClock
from tests.fakes.engine import ScriptedEngine, ScriptedReply
from tests.fakes.service import a_service, seeds
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
    _roll: Callable[[], int] = field(default_factory=seeds)

    def __post_init__(self) -> None:
        self.store = MemoryStore(self.clock.now)
        self.rooms = Rooms(self.store)
        client = AsyncClient("https://matrix.test", BOT)
        client.user_id = BOT
        self.line.open(client)
        self._build()

    def _build(self) -> None:
        self.service = a_service(
            self.store,
            self.engine,
            self.courier,
            self.clock,
            roll=self._roll,
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
        """Tell it as the ears do; whether it was kept for that at all. It stands in the room whatever the bot makes of it."""
        self.homeserver.note(heard)
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
        await self.store.keep_card(in_library(card, author_of(TOBIAS)))

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
