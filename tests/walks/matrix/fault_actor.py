"""The whole bot on a real homeserver, in a process of its own that dies where it is told to, or when its standard input ends.

Besides the walls of the walk it can die at its requests to the homeserver, and where it takes in what these answer.
"""

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any

from adapters import logs
from adapters.clock import SystemClock
from adapters.matrix.client import Client
from adapters.matrix.commands.line import written
from adapters.matrix.face import Matrix
from adapters.matrix.line import Line
from adapters.matrix.posting.courier import MatrixCourier
from adapters.matrix.rooms import Rooms
from adapters.matrix.settings import Settings
from adapters.matrix.words import MATRIX, link_to
from adapters.stories import Stories
from bot.flow.service import Service
from bot.ids import AuthorId, CardId
from bot.ports.store import Store
from bot.prompt.format import FORMATS
from bot.story.library import LibraryCard
from storage.store import open_store, sqlite_url
from tests.builders import MIRA
from tests.walks.quoting import QuotingEngine
from tests.walks.stations import Death, Watched

REQUESTS = {"/send/m.room": "put", "/sendToDevice/": "share", "/sync": "sync"}
"""Stations by a part of the request's address: a post is brought, its key is given to devices, news are asked for."""
DATABASE, MATRIX_FOLDER = "story.db", "matrix"


def watch(death: Death) -> None:
    """Have the death wait at the requests of the connection, too, and at what is taken in of their answers ("keys")."""
    Client.send = _watched(Client.send, death, _request)  # type: ignore[method-assign]  # a wall to watch
    Client.receive_response = _watched(Client.receive_response, death, lambda *_: "keys")  # type: ignore[method-assign]  # a wall to watch


def _request(_method: str, address: str, *_: object) -> str:
    return next((station for part, station in REQUESTS.items() if part in address), "")


def _watched(does: Callable[..., Coroutine[Any, Any, Any]], death: Death, station_of: Callable[..., str]) -> Any:
    @wraps(does)
    async def do(client: Client, *given: Any, **named: Any) -> Any:
        station = station_of(*given)
        if station:
            death.before_call(station)
        answer = await does(client, *given, **named)
        if station:
            death.after_call(station)
        return answer

    return do


async def play(folder: Path, death: Death) -> None:
    """Play whatever is played in the rooms of the account that is kept in the folder; Mira is in its library."""
    watch(death)
    real, clock, stories = await open_store(sqlite_url(folder / DATABASE)), SystemClock(), Stories()
    stories.open(real)
    await real.keep_card(LibraryCard(CardId("mira"), AuthorId("matrix:@keeper:matrix.test"), MIRA))
    store: Store = Watched(real, death)
    settings = Settings(folder=folder / MATRIX_FOLDER)
    courier = MatrixCourier(Line(), Rooms(), settings, clock, stories.face, stories.shown)
    service = Service(
        store,
        Watched(QuotingEngine(), death),
        (Watched(courier, death),),
        clock,
        FORMATS["limarp"],
        written={MATRIX: written(settings.prefix)},
        links={MATRIX: link_to},
    )
    face = Matrix(store, courier, service, lambda _: None)
    await service.start()
    await face.start()
    await asyncio.to_thread(sys.stdin.read)
    await face.close()
    await service.close()
    await real.close()


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    logs.set_up(logging.INFO)
    asyncio.run(play(Path(wanted["folder"]), Death(wanted["station"], wanted["before"])))
