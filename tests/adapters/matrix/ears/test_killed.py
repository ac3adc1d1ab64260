"""Killed at any moment: what is written in rooms, encrypted or not, is heard all the same, in order."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from tests.adapters.matrix.ears.ears import kept
from tests.adapters.matrix.ears.killed import HEARD, SIDES, STATIONS
from tests.homeserver.people import Person
from tests.homeserver.sealed import Sealed
from tests.homeserver.server import MEMORY, Synapse

MESSAGES, KILLS, PATIENCE = 40, 12, 90.0
PAUSE = 0.5
"""Seconds between two messages: so long that it dies often while there is something to hear."""


def heard(folder: Path, room: str) -> list[tuple[str, str]]:
    """What was heard in a room: texts and the ids of their events, the first time each."""
    with suppress(FileNotFoundError):
        lines = [json.loads(line) for line in (folder / HEARD).read_text().splitlines()]
        return list(dict.fromkeys((text, event) for where, text, event in lines if where == room))
    return []


async def started(folder: Path, *station: str) -> Process:
    program = (sys.executable, "-m", "tests.adapters.matrix.ears.killed", str(folder), *station)
    return await asyncio.create_subprocess_exec(*program, stdout=PIPE, stderr=PIPE)


@asynccontextmanager
async def besieged(folder: Path, seed: int) -> AsyncGenerator[list[str], None]:
    """A process that listens, killed and started again for as long as this is entered. Yields the ways it died."""
    draw, deaths = Random(seed), list[str]()  # noqa: S311  a seed that can be tried again

    async def besiege() -> None:
        stations = [(station, side) for station in STATIONS for side in SIDES]
        while True:
            station, side = draw.choice(stations)
            process = await started(folder, station, side, str(draw.randrange(1, 6)))
            try:
                async with asyncio.timeout(1.5 + draw.random() * 3):
                    await process.wait()
                    deaths.append(f"{side} {station}")
            except TimeoutError:
                deaths.append("some moment")
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.communicate()

    siege = asyncio.create_task(besiege())
    try:
        yield deaths
    finally:
        siege.cancel()
        await asyncio.gather(siege, return_exceptions=True)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1])
async def test_killed_again_and_again_it_hears_every_message_in_its_order(homeserver: Synapse, seed: int) -> None:
    login = homeserver.register(homeserver.fresh_name("bot"))
    mira_login = homeserver.register(homeserver.fresh_name("mira"))
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as path:
        folder, texts = Path(path), [str(number) for number in range(MESSAGES)]
        await kept(login, folder / "matrix")
        async with Sealed(mira_login) as mira, Person(login) as himself:
            rooms = [await mira.create_room(invite=[login.user_id], encrypted=is_sealed) for is_sealed in (False, True)]
            process = await started(folder)
            for room in rooms:
                await mira.until(lambda room=room: is_in(himself, room))  # type: ignore[misc]  # its type is known
            await until_heard(mira, folder, rooms, "hello")
            process.kill()
            await process.communicate()
            async with besieged(folder, seed) as deaths:
                for number, text in enumerate(texts):
                    if number % 4 == 0:
                        # A new key for what follows: keys come in between as well.
                        mira._nio.invalidate_outbound_session(rooms[-1])
                    for room in rooms:
                        await mira.say(room, text)
                    await asyncio.sleep(PAUSE)
                async with asyncio.timeout(PATIENCE):
                    while len(deaths) < KILLS:
                        await asyncio.sleep(0.1)
            process = await started(folder)
            await until_heard(mira, folder, rooms, "the end")
            process.kill()
            await process.communicate()
            for room in rooms:
                assert [text for text, _ in heard(folder, room)] == ["hello", *texts, "the end"], (seed, deaths)


async def is_in(person: Person, room: str) -> bool:
    return room in (await person.wire.ask("GET", "/joined_rooms"))["joined_rooms"]


async def until_heard(mira: Person, folder: Path, rooms: list[str], text: str) -> None:
    for room in rooms:
        await mira.say(room, text)
    async with asyncio.timeout(PATIENCE):
        while not all(any(text == each for each, _ in heard(folder, room)) for room in rooms):
            await asyncio.sleep(0.1)
