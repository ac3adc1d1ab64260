"""The whole bot in this process, before a real homeserver: store, walk, courier, ears, commands. It can be restarted.

Its clock runs ten times as fast as the true one, unless the homeserver's limits matter, which count in true seconds. Nothing
waits for a time to pass: tests wait until the bot is quiet, that is until nothing that the homeserver told is unheard,
unanswered, unwritten or undelivered.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from adapters.matrix.commands.line import written
from adapters.matrix.ears.stream import TIMELINE
from adapters.matrix.face import Matrix
from adapters.matrix.keeping import Folder
from adapters.matrix.line import Line
from adapters.matrix.posting.courier import MatrixCourier
from adapters.matrix.rooms import Rooms
from adapters.matrix.settings import Settings
from adapters.matrix.trust import Wish, log_in
from adapters.matrix.words import MATRIX, author_of, link_to, own_message, place_of
from adapters.stories import Stories
from bot.flow.service import Service
from bot.ports.engine import Engine
from bot.prompt.format import FORMATS
from bot.story.card import CharacterCard
from bot.story.session import Session
from bot.story.turn import Role, Turn
from storage.store import SqlStore, open_store
from tests.adapters.matrix.ears.ears import FastClock
from tests.adapters.matrix.trust.asker import ScriptedAsker
from tests.builders import MIRA, in_library
from tests.fakes.engine import ScriptedEngine, ScriptedReply
from tests.homeserver.between import Between
from tests.homeserver.people import Person
from tests.homeserver.sealed import Sealed
from tests.homeserver.server import Login, Synapse
from tests.homeserver.shown import Shown
from tests.homeserver.wire import part

FORMAT = FORMATS["limarp"]
SPEED = 10.0
GREETING = MIRA.greeting

Replies = Iterable[str | Sequence[str] | ScriptedReply]


@dataclass(slots=True, repr=False)  # pytest shows it where something fails: a whole world takes minutes to write
class Whole:
    """The bot, and Tobias, who plays. `told` is what the operator was told, `timeline` how much of a room a sync brings."""

    between: Between
    login: Login
    folder: Path
    engine: Any
    settings: Settings
    player: Person
    clock: FastClock
    patience: float = 20.0
    timeline: int = TIMELINE
    told: list[str] = field(default_factory=list)
    seeds: Iterable[int] = field(default_factory=lambda: count(1))
    store: SqlStore = field(init=False)
    courier: MatrixCourier = field(init=False)
    service: Service = field(init=False)
    face: Matrix = field(init=False)
    _read: dict[str, str] = field(default_factory=dict)

    async def start(self) -> None:
        """The program starts, over what earlier runs have stored, and is connected."""
        self.store = await open_store(f"sqlite+aiosqlite:///{self.folder / 'stories.db'}")
        stories = Stories(self.store)
        self.courier = MatrixCourier(Line(), Rooms(), self.settings, self.clock, stories.face, stories.shown)
        self.service = Service(
            self.store,
            self.engine,
            (self.courier,),
            self.clock,
            FORMAT,
            roll=iter(self.seeds).__next__,
            operators=tuple(map(author_of, self.settings.operators)),
            written={MATRIX: written(self.settings.prefix)},
            links={MATRIX: link_to},
        )
        self.face = Matrix(self.store, self.courier, self.service, self.told.append)
        self.face.supervisor._stream.timeline = self.timeline
        await self.service.start()
        await self.face.start()
        await self.until(lambda: self.courier.line.is_open)

    async def close(self) -> None:
        """The program ends wherever it is."""
        self._read |= {room: self._newest_read(room) for room in self.courier.rooms.joined}
        await self.face.close()
        await self.service.close()
        await self.store.close()

    async def restart(self) -> None:
        """Another run of the program."""
        await self.close()
        await self.start()

    async def until(self, condition: Callable[[], object]) -> None:
        """Come back once a condition holds. Raises TimeoutError."""
        async with asyncio.timeout(self.patience):
            while not condition():
                await asyncio.sleep(0.005)

    async def sends(self, times: int = 1) -> None:
        """Let time pass until it has tried to send something so many times more. Raises TimeoutError."""
        before = self.between.count("/send/")

        def tried() -> bool:
            # Posts that failed are due at a time of the day, which runs no faster than the true one.
            self.clock.pass_by(1.0)
            return self.between.count("/send/") >= before + times

        await self.until(tried)

    async def quiet(self, room: str) -> None:
        """Come back once the bot has nothing left to do of all that was written in a room. Raises TimeoutError."""
        async with asyncio.timeout(self.patience):
            while not await self._is_quiet(room):
                await asyncio.sleep(0.02)

    async def _is_quiet(self, room: str) -> bool:
        """Whether it has read the room to its end, and nothing of that is left to be dealt with."""
        if not await self._has_heard(room):
            return False
        for place in await self.store.places():
            await self.service.receiver.settled(place)
        # What was brought meanwhile comes back as an event, too.
        return await self._has_heard(room)

    async def _has_heard(self, room: str) -> bool:
        supervisor = self.face.supervisor
        if not supervisor.is_idle:
            return False
        newest = await self.player.wire.ask("GET", f"/rooms/{part(room)}/messages", dir="b", limit=1)
        return supervisor.is_idle and self._newest_read(room) == str(newest["chunk"][0]["event_id"])

    def _newest_read(self, room: str) -> str:
        """The newest event of a room that this run or one before it was told of."""
        return self.face.supervisor.newest_in(room) or self._read.get(room, "")

    async def keep(self, card: CharacterCard) -> None:
        """A character in the library."""
        await self.store.keep_card(in_library(card, author_of(self.player.user_id)))

    async def room(self, **wishes: Any) -> str:
        """A room that the player made, with the bot in it."""
        room = await self.player.create_room(invite=[self.login.user_id], **wishes)
        await self.until(lambda: room in self.courier.rooms.joined)
        return room

    async def come(self, room: str, *others: Person) -> None:
        """Others come into a room, and the bot knows that they did."""
        for each in others:
            await self.player.invite(room, each.user_id)
            await each.join(room)
        wanted = {each.user_id for each in others}
        await self.until(lambda: wanted <= self.courier.rooms.of(room).members.keys())

    async def story(self, **wishes: Any) -> str:
        """A room that the player made, with Mira's story in its main timeline."""
        room = await self.room(**wishes)
        await self.post(room, "!rp start Mira where:room")
        await self.shows(room, GREETING)
        return room

    async def thread(self, room: str) -> str:
        """The root of a thread that is opened in a room for Mira's story."""
        before = {each.event_id for each in await self.player.shown_everywhere(room)}
        await self.player.say(room, "!rp start Mira where:thread")

        async def greeted() -> list[str]:
            new = [each for each in await self.player.shown_everywhere(room) if each.event_id not in before]
            return [each.root for each in new if each.text == GREETING and each.root]

        [root] = await self.player.until(greeted, self.patience)
        await self.quiet(room)
        return root

    async def post(self, room: str, text: str, root: str | None = None, by: Person | None = None) -> str:
        """The player writes this, and everything comes of it; its event."""
        event = await (by or self.player).say(room, text, thread=root)
        await self.quiet(room)
        return event

    async def react(self, room: str, event: str, sign: str, by: Person | None = None) -> str:
        """The player puts a sign beside an event, and everything comes of it; the sign's own event."""
        reaction = await (by or self.player).react(room, event, sign)
        await self.quiet(room)
        return reaction

    # what stands

    async def shows(self, room: str, *texts: str, root: str | None = None) -> list[Shown]:
        """What the player sees in a room or thread, once the newest of it is this. Raises AssertionError."""
        seen: list[Shown] = []

        async def look() -> bool:
            seen[:] = await self.player.shown(room, root)
            return [each.text for each in seen][-len(texts) :] == list(texts)

        await self._seen(look, lambda: [each.text for each in seen])
        return seen

    async def _seen(self, look: Callable[[], Awaitable[bool]], what: Callable[[], object]) -> None:
        try:
            await self.player.until(look, self.patience)
        except AssertionError:
            raise AssertionError(f"there stands {what()!r}") from None

    async def answer(self, room: str, asked: str, reader: Person | None = None) -> str:
        """The notice that answers an event, as soon as it stands."""

        async def look() -> list[str]:
            seen = await (reader or self.player).shown_everywhere(room)
            return [each.text for each in seen if each.reply_to == asked and each.msgtype == "m.notice"]

        return (await self.player.until(look, self.patience))[0]

    async def posts(self, room: str, root: str | None = None) -> list[Shown]:
        """The posts of characters that stand in a room or thread, in order."""
        shown = await self.player.shown(room, root)
        return [each for each in shown if each.sender == self.login.user_id and each.name is not None]

    async def session(self, room: str, root: str = "") -> Session:
        session = await self.store.session_at(place_of(room, root))
        assert session is not None
        return session

    async def turns(self, room: str, root: str = "") -> tuple[Turn, ...]:
        """All turns of the story of a place."""
        return await self.store.turns((await self.session(room, root)).id)

    async def told_in(self, room: str, root: str = "") -> list[str]:
        """What the story of a place says, turn by turn."""
        return [turn.text for turn in await self.turns(room, root)]

    async def check(self, room: str, root: str = "") -> None:
        """Whether what stands in a place is what the store says."""
        page, turns = await self.store.page(place_of(room, root), limit=1000), await self.turns(room, root)
        noted = {each.message: each for each in page.shown if each.post.position is not None}
        standing = await self.posts(room, root or None)
        assert {each.event_id for each in standing} == noted.keys(), "no post stands that the story does not know"
        for turn in turns:
            shown = [each for each in standing if noted[own_message(each.event_id)].post.turn == turn.number]
            if turn.role is Role.CHARACTER:
                assert [each.text for each in shown] == [text.strip() for text in turn.posts]
                assert {each.name for each in shown} == {turn.name}
                assert _words("".join(turn.posts)) == _words(turn.text)
        said = {each.event_id: each.text for each in await self.player.shown(room, root or None)}
        for turn in turns:
            made = "\n\n".join(said[each] for each in turn.sources if each in said)
            assert made in {turn.text, ""}, f"{made!r} stands, and the story says {turn.text!r}"


def _words(text: str) -> str:
    """The letters of a text, whichever marks are closed and opened again at its cuts, and wherever these stand."""
    return "".join(text.replace("*", "").replace("_", "").split())


@asynccontextmanager
async def whole(  # noqa: PLR0913  what a walk may wish for
    homeserver: Synapse,
    folder: Path,
    replies: Replies = ('"Come in," she said.',),
    *,
    engine: Engine | None = None,
    is_sealed: bool = False,
    speed: float = SPEED,
    **settings: Any,
) -> AsyncGenerator[Whole, None]:
    """The bot, started, with Mira in its library. `is_sealed`: the player's client encrypts, and trusts no unsigned device."""
    async with AsyncExitStack() as world:
        between = await world.enter_async_context(Between(homeserver.url))
        login = homeserver.register(homeserver.fresh_name("tobias"))
        player = await world.enter_async_context(Sealed(login, exclude_insecure=True) if is_sealed else Person(login))
        account = between.through(homeserver.register(homeserver.fresh_name("bot")))
        used = Settings(folder=folder / "matrix", **settings)
        wish = Wish(homeserver=account.homeserver, user=account.user_id, password=account.password)
        await log_in(wish, Folder(used.folder), ScriptedAsker())
        writes = engine or ScriptedEngine(replies, context=8192)
        bot = Whole(between, account, folder, writes, used, player, FastClock(speed))
        await bot.start()
        world.push_async_callback(bot.close)
        await bot.keep(MIRA)
        yield bot
