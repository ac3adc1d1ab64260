"""What adapters took in from their platforms and have not let go, with how far they had read. It understands no payload."""

from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ids import AuthorId, ChannelKey, EventId, Platform
from bot.ports.arrivals import Arrival
from storage.dialects import insert_new
from storage.tables import arrivals, streams

REMEMBERED = 7 * 86400.0
"""Seconds for which the id of an arrival is known after it was let go."""


async def take_in(
    connection: AsyncConnection, platform: Platform, mark: str, came: Sequence[Arrival], now: float
) -> tuple[Arrival, ...]:
    """Keep the mark and what is new. `now` is in seconds since the epoch."""
    await connection.execute(delete(streams).where(streams.c.platform == platform))
    await connection.execute(streams.insert().values(platform=platform, mark=mark))
    old = arrivals.c.let_go < now - REMEMBERED
    await connection.execute(delete(arrivals).where(arrivals.c.platform == platform, old))
    new = []
    for each in came:
        row = {
            "platform": platform,
            "event": each.event,
            "channel": each.channel,
            "author": each.author,
            "payload": each.payload,
        }
        if (await connection.execute(insert_new(connection, arrivals).values(row))).rowcount == 1:
            new.append(each)
    return tuple(new)


async def kept(connection: AsyncConnection, platform: Platform) -> tuple[Arrival, ...]:
    """What was not let go, in order."""
    waits = arrivals.c.payload.is_not(None)
    query = select(arrivals).where(arrivals.c.platform == platform, waits).order_by(arrivals.c.id)
    return tuple(
        Arrival(EventId(row.event), ChannelKey(row.channel), AuthorId(row.author), row.payload)
        for row in await connection.execute(query)
    )


async def let_go(connection: AsyncConnection, platform: Platform, event: EventId, now: float) -> None:
    """Drop a payload, and whose it was."""
    this = (arrivals.c.platform == platform) & (arrivals.c.event == event)
    await connection.execute(update(arrivals).where(this).values(payload=None, author="", let_go=now))


async def forget(connection: AsyncConnection, author: AuthorId, but: EventId | None, now: float) -> None:
    """Let go what came from a player, but for one event."""
    theirs = arrivals.c.author == author
    if but is not None:
        theirs &= arrivals.c.event != but
    await connection.execute(update(arrivals).where(theirs).values(payload=None, author="", let_go=now))


async def mark_of(connection: AsyncConnection, platform: Platform) -> str:
    """How far a platform was read."""
    return await connection.scalar(select(streams.c.mark).where(streams.c.platform == platform)) or ""
