"""The page with the whole walk behind it: only the store forgets, and only the engine is scripted."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from adapters.metrics import Instruments
from adapters.network.serving import Bounds
from adapters.web.courier import WEB, WebCourier
from adapters.web.server import BOUNDS, WebServer
from bot.flow.desk import Desk
from bot.flow.service import Service
from bot.ids import ChannelKey, Place
from bot.posts import ChannelLimits
from bot.prompt.format import LIMARP
from bot.story.session import Session
from tests.builders import TOBIAS, a_session
from tests.fakes.clock import FrozenClock
from tests.fakes.desk import NotingDesk
from tests.fakes.engine import ScriptedEngine, ScriptedReply
from tests.fakes.store import MemoryStore

STORY = Place(WEB, ChannelKey("story"))


@dataclass(slots=True)
class Stage:
    """All parts of a page that is open at `address`."""

    store: MemoryStore
    engine: ScriptedEngine
    courier: WebCourier
    service: Service
    desk: NotingDesk
    server: WebServer
    instruments: Instruments
    address: str = ""

    async def settled(self) -> None:
        """Return when nothing is in motion."""
        await self.service.receiver.settled(STORY)

    async def restart_page(self) -> None:
        """Another server at the same address, as after a new start of the program."""
        port = int(self.address.rstrip("/").rpartition(":")[2])
        await self.server.close()
        self.server = WebServer(
            self.courier,
            self.store,
            self.service.receiver,
            cast("Desk", self.desk),
            place=STORY,
            player=TOBIAS.author,
            player_name=TOBIAS.name,
            instruments=self.instruments,
            host="127.0.0.1",
            port=port,
        )
        await self.server.start()

    async def story(self) -> tuple[str, ...]:
        """The texts of the story's turns, in order."""
        session = await self.store.session_at(STORY)
        return tuple(turn.text for turn in session.turns) if session else ()


@asynccontextmanager
async def a_stage(  # noqa: PLR0913  what a page can be about
    *replies: str | Sequence[str] | ScriptedReply,
    session: Session | None = None,
    limits: ChannelLimits | None = None,
    name: str = TOBIAS.name,
    notice: str = "",
    whole: bool = False,
    host: str = "127.0.0.1",
    operator_token: str = "",
    figures: str = "",
    closed: str = "",
    bounds: Bounds = BOUNDS,
) -> AsyncGenerator[Stage, None]:
    """The page of a story that has just begun, with an engine that gives these replies. `whole`: behind it is the real desk."""
    store, scripted = MemoryStore(), ScriptedEngine(_some(replies))
    courier = WebCourier(limits or ChannelLimits(2000, streams=True))
    service = Service(store, scripted, [courier], FrozenClock(), LIMARP, operators=(TOBIAS.author,))
    desk = NotingDesk(service.begin)

    async def engine() -> str:
        return figures

    clock = service.clock
    instruments = Instruments(
        clock, service.metrics, lambda: service.vitals, store.inventory, engine, relays=True, version="1.2"
    )
    server = WebServer(
        courier,
        store,
        service.receiver,
        service.desk if whole else cast("Desk", desk),
        place=STORY,
        player=TOBIAS.author,
        player_name=name,
        instruments=instruments,
        operator_token=operator_token,
        closed=closed,
        host=host,
        notice=notice,
        bounds=bounds,
    )
    stage = Stage(store, scripted, courier, service, desk, server, instruments)
    await service.start()
    await service.begin(session or a_session(place=STORY))
    await stage.settled()
    try:
        stage.address = await server.start()
        yield stage
    finally:
        await stage.server.close()
        await instruments.close()
        await service.close()


def _some(replies: Iterable[str | Sequence[str] | ScriptedReply]) -> list[str | Sequence[str] | ScriptedReply]:
    return list(replies) or ['"Come in," she said.']
