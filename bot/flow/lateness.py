"""Telling a place that the model does not answer yet, when it is late. It knows no reply, and writes no post."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from bot import texts
from bot.flow.places import Places
from bot.ids import Place
from bot.posts import Draft, Speaker, Voice
from bot.story.turn import Turn

LATE = 4.0
"""Seconds after which players wonder whether anybody is there."""


@asynccontextmanager
async def told_when_late(places: Places, place: Place, turn: Turn) -> AsyncGenerator[Callable[[], None], None]:
    """While the block runs, tell the place once when nothing has come for a while; the value is to be called when it has."""

    async def tell() -> None:
        await places.clock.sleep(LATE)
        await places.writing(place, Draft(turn.number, Speaker(Voice.CHARACTER, turn.name), "", waiting=texts.LOADING))

    telling = asyncio.create_task(tell(), name=f"late {place.channel}")

    def heard() -> None:
        telling.cancel()

    try:
        yield heard
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
